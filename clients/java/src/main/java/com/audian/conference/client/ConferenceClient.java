package com.audian.conference.client;

import com.audian.conference.v2.ParticipantServiceGrpc;
import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceBlockingStub;
import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceFutureStub;
import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceStub;
import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A client of one gateway. It is safe for concurrent use; one for each process is enough.
 *
 * <p>The connection sends a keepalive ping after 10 s without traffic while a call is open, and is
 * closed if the answer takes longer than 5 s. Calls are spread over all addresses of the target.
 * Lists and removes that end UNAVAILABLE are tried again, as the gateway's service config says.
 */
public final class ConferenceClient implements AutoCloseable {
  private final WatchSession.Environment environment;
  private final Set<WatchSession> sessions = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  ConferenceClient(WatchSession.Environment environment) {
    this.environment = environment;
  }

  /**
   * Begins a client. Nothing is connected before the first call.
   *
   * @param target the gateway, for example {@code gateway.example:9090} or another name that gRPC
   *     resolves
   */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** A stub whose calls wait. Convert their errors by {@link GatewayException#from(Throwable)}. */
  public ParticipantServiceBlockingStub blockingStub() {
    return ParticipantServiceGrpc.newBlockingStub(environment.connection());
  }

  /** A stub whose calls return futures. */
  public ParticipantServiceFutureStub futureStub() {
    return ParticipantServiceGrpc.newFutureStub(environment.connection());
  }

  /** A stub whose calls report to observers. */
  public ParticipantServiceStub stub() {
    return ParticipantServiceGrpc.newStub(environment.connection());
  }

  /** Returns a watch of a conference with {@link WatchOptions#DEFAULT}. */
  public ConferenceWatch watch(String conference) {
    return watch(conference, WatchOptions.DEFAULT);
  }

  /** Returns a watch of a conference. It calls the gateway when somebody subscribes. */
  public ConferenceWatch watch(String conference, WatchOptions options) {
    return new ConferenceWatch(
        this, Objects.requireNonNull(conference), Objects.requireNonNull(options));
  }

  /** Ends all watches as complete, cancels all other calls, and closes the connection. */
  @Override
  public void close() {
    closed = true;
    sessions.forEach(WatchSession::close);
    environment.timers().close();
    environment.connection().close();
  }

  void open(String conference, WatchOptions options, Flow.Subscriber<? super State> subscriber) {
    Objects.requireNonNull(subscriber);
    WatchSession session =
        new WatchSession(environment, conference, options, subscriber, sessions::remove);
    sessions.add(session);
    session.start();
    if (closed) {
      session.close();
    }
  }

  /** Options of a client. */
  public static final class Builder {
    // A snapshot of a very large conference.
    private static final int MAX_MESSAGE_BYTES = 64 << 20;

    private final String target;
    private ChannelCredentials transport = InsecureChannelCredentials.create();
    private CallCredentials credential;
    private boolean renewable;

    private Builder(String target) {
      this.target = Objects.requireNonNull(target);
    }

    /** Uses TLS with the certificate authorities of the Java runtime. Default: plaintext. */
    public Builder tls() {
      return tls(TlsChannelCredentials.create());
    }

    /** Uses TLS with other authorities or a client certificate. Default: plaintext. */
    public Builder tls(ChannelCredentials credentials) {
      transport = Objects.requireNonNull(credentials);
      return this;
    }

    /** Sends an API key or bearer token with every call. Without TLS, the network can read it. */
    public Builder credential(String value) {
      Objects.requireNonNull(value);
      credential = new BearerCredentials(() -> value);
      renewable = false;
      return this;
    }

    /**
     * Sends the API key or bearer token that a function returns, which is called for every call. A
     * watch that is refused in its course calls again with a new one. A function that throws makes
     * the call fail UNAVAILABLE.
     */
    public Builder credential(Supplier<String> source) {
      credential = new BearerCredentials(Objects.requireNonNull(source));
      renewable = true;
      return this;
    }

    /** Makes the client. */
    public ConferenceClient build() {
      return new ConferenceClient(
          new WatchSession.Environment(
              new Connection(this::channel, credential),
              new ScheduledTimers(),
              () -> ThreadLocalRandom.current().nextDouble(),
              renewable));
    }

    private ManagedChannel channel() {
      return Grpc.newChannelBuilder(target, transport)
          .keepAliveTime(10, TimeUnit.SECONDS)
          .keepAliveTimeout(5, TimeUnit.SECONDS)
          .defaultLoadBalancingPolicy("round_robin")
          .defaultServiceConfig(ServiceConfig.PUBLISHED)
          .maxInboundMessageSize(MAX_MESSAGE_BYTES)
          .build();
    }
  }
}
