package com.audian.conference.client;

import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceImplBase;
import com.audian.conference.v2.WatchParticipantsRequest;
import com.audian.conference.v2.WatchParticipantsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** A gateway in this process whose watches a test answers. It has no threads. */
final class FakeGateway extends ParticipantServiceImplBase implements AutoCloseable {
  final List<Call> calls = new ArrayList<>();
  final List<ManagedChannel> channels = new ArrayList<>();
  final BlockingQueue<Call> opened = new LinkedBlockingQueue<>();
  private final String name = InProcessServerBuilder.generateName();
  private final Server server;

  FakeGateway() {
    try {
      server =
          InProcessServerBuilder.forName(name).directExecutor().addService(this).build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ManagedChannel channel() {
    ManagedChannel channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    channels.add(channel);
    return channel;
  }

  Call lastCall() {
    return calls.get(calls.size() - 1);
  }

  @Override
  public void watchParticipants(
      WatchParticipantsRequest request, StreamObserver<WatchParticipantsResponse> observer) {
    Call call = new Call(request, (ServerCallStreamObserver<WatchParticipantsResponse>) observer);
    calls.add(call);
    opened.add(call);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  /** One call of WatchParticipants. */
  static final class Call {
    final WatchParticipantsRequest request;
    private final ServerCallStreamObserver<WatchParticipantsResponse> observer;

    Call(
        WatchParticipantsRequest request,
        ServerCallStreamObserver<WatchParticipantsResponse> observer) {
      this.request = request;
      this.observer = observer;
      observer.setOnCancelHandler(() -> {});
    }

    void send(WatchParticipantsResponse.Builder message) {
      observer.onNext(message.build());
    }

    void fail(Status.Code code) {
      observer.onError(code.toStatus().asRuntimeException());
    }

    void fail(com.google.rpc.Status status) {
      observer.onError(StatusProto.toStatusRuntimeException(status));
    }

    void complete() {
      observer.onCompleted();
    }

    boolean cancelled() {
      return observer.isCancelled();
    }
  }
}
