package com.audian.conference.client;

import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.util.function.Supplier;

/** A channel whose connection can be replaced while stubs use it. It adds the credential. */
final class Connection extends Channel implements AutoCloseable {
  private final Supplier<ManagedChannel> factory;
  private final CallCredentials credentials;
  private ManagedChannel current;

  /**
   * Makes a connection, without a network operation.
   *
   * @param credentials added to every call; null for none
   */
  Connection(Supplier<ManagedChannel> factory, CallCredentials credentials) {
    this.factory = factory;
    this.credentials = credentials;
    this.current = factory.get();
  }

  /**
   * Returns a view of the current channel, for a call that is tried again with pauses of its own. A
   * channel that cannot connect refuses calls for up to two minutes, so it is replaced.
   */
  synchronized Pinned pin() {
    if (current.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      replace(current);
    }
    return new Pinned(current);
  }

  @Override
  public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method, CallOptions options) {
    return newCall(current(), method, options);
  }

  @Override
  public String authority() {
    return current().authority();
  }

  @Override
  public synchronized void close() {
    current.shutdownNow();
  }

  private synchronized ManagedChannel current() {
    return current;
  }

  /** Calls on the replaced channel may end; new calls use the new one. */
  private synchronized void replace(ManagedChannel channel) {
    if (channel == current && !channel.isShutdown()) {
      current = factory.get();
      channel.shutdown();
    }
  }

  private <A, B> ClientCall<A, B> newCall(
      ManagedChannel channel, MethodDescriptor<A, B> method, CallOptions options) {
    return channel.newCall(
        method, credentials == null ? options : options.withCallCredentials(credentials));
  }

  /** One channel of the connection. */
  final class Pinned {
    private final ManagedChannel channel;

    private Pinned(ManagedChannel channel) {
      this.channel = channel;
    }

    <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method) {
      return Connection.this.newCall(channel, method, CallOptions.DEFAULT);
    }

    /** Makes all later calls use a new channel, unless that has happened already. */
    void replace() {
      Connection.this.replace(channel);
    }
  }
}
