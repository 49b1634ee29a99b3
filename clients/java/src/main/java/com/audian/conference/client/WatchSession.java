package com.audian.conference.client;

import com.audian.conference.v2.ParticipantServiceGrpc;
import com.audian.conference.v2.WatchParticipantsRequest;
import com.audian.conference.v2.WatchParticipantsResponse;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;

/**
 * One watch of one subscriber: calls the gateway, reads one message for each state that the
 * subscriber requests, and calls again when the connection breaks.
 *
 * <p>All fields and methods are confined to {@code context}, except the public methods and {@link
 * #close()}, which enter it.
 */
final class WatchSession implements Flow.Subscription {
  private static final Set<Status.Code> FINAL =
      EnumSet.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.PERMISSION_DENIED,
          Status.Code.UNAUTHENTICATED,
          Status.Code.FAILED_PRECONDITION,
          Status.Code.UNIMPLEMENTED,
          Status.Code.OUT_OF_RANGE,
          Status.Code.ALREADY_EXISTS);

  /**
   * What the watches of a client share.
   *
   * @param random returns numbers from 0 to 1, for the back-off
   * @param renewableCredential whether a credential that expires during a call can be replaced
   */
  record Environment(
      Connection connection, Timers timers, DoubleSupplier random, boolean renewableCredential) {}

  private final SynchronizationContext context = new SynchronizationContext(this::uncaught);
  private final Environment environment;
  private final WatchParticipantsRequest request;
  private final Duration silence;
  private final Roster roster;
  private final Backoff backoff;
  private final Flow.Subscriber<? super State> subscriber;
  private final Consumer<WatchSession> onEnd;
  // Runs during a back-off, or while an open call waits for a message.
  private final SingleTimer timer;

  private long demand;
  private boolean ended;
  // The DISCONNECTED state that waits for demand; null if none does.
  private State pending;
  // Whether a break was reported and no message has come since.
  private boolean broken;
  // The open call; null between calls.
  private Call call;
  private boolean waitingToCall;

  WatchSession(
      Environment environment,
      String conference,
      WatchOptions options,
      Flow.Subscriber<? super State> subscriber,
      Consumer<WatchSession> onEnd) {
    this.environment = environment;
    this.request = options.request(conference);
    this.silence = silence(options.heartbeatInterval());
    this.roster = new Roster(options.resumeToken(), options.resumeRoster());
    this.backoff = new Backoff(environment.random());
    this.timer = new SingleTimer(environment.timers(), context);
    this.subscriber = subscriber;
    this.onEnd = onEnd;
  }

  void start() {
    context.execute(() -> subscriber.onSubscribe(this));
  }

  @Override
  public void request(long n) {
    context.execute(
        () -> {
          if (n <= 0) {
            fail(new IllegalArgumentException("a subscriber must request at least one state"));
            return;
          }
          demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
          advance();
        });
  }

  /** Ends the watch without another signal. */
  @Override
  public void cancel() {
    context.execute(this::end);
  }

  /** Ends the watch as complete. */
  void close() {
    context.execute(this::complete);
  }

  private void advance() {
    if (pending != null && demand > 0) {
      State state = pending;
      pending = null;
      give(state);
    }
    if (ended || demand == 0 || waitingToCall) {
      return;
    }
    if (call == null) {
      // Without the context of the thread: its deadline is not the watch's.
      Context.ROOT.run(this::openCall);
    }
    call.read();
  }

  private void openCall() {
    call = new Call(environment.connection().pin());
    call.start();
  }

  private void received(WatchParticipantsResponse message) {
    broken = false;
    backoff.reset();
    State state;
    try {
      state = roster.apply(message).orElse(null);
    } catch (GatewayException mismatch) {
      interrupted(mismatch);
      return;
    }
    if (state != null) {
      give(state);
    }
    if (message.hasEnd()) {
      complete();
    }
    advance();
  }

  private void silent() {
    call.pinned.replace();
    interrupted(
        GatewayException.of(
            Status.Code.UNAVAILABLE,
            GatewayException.SILENT,
            "no message for " + silence.toSeconds() + " s"));
  }

  private void interrupted(GatewayException error) {
    boolean retry = isTemporary(error);
    endCall();
    if (!retry) {
      fail(error);
      return;
    }
    if (!broken) {
      broken = true;
      pending = roster.disconnected(error);
    }
    waitingToCall = true;
    Duration minimum = error.retryDelay().orElse(Duration.ZERO);
    timer.start(
        backoff.next(minimum),
        () -> {
          waitingToCall = false;
          advance();
        });
    advance();
  }

  private boolean isTemporary(GatewayException error) {
    boolean expired =
        error.code() == Status.Code.UNAUTHENTICATED
            && call.progressed
            && environment.renewableCredential();
    return expired || !FINAL.contains(error.code());
  }

  private void give(State state) {
    if (ended) {
      return;
    }
    if (demand != Long.MAX_VALUE) {
      demand--;
    }
    subscriber.onNext(state);
  }

  private void complete() {
    if (end()) {
      subscriber.onComplete();
    }
  }

  private void fail(Throwable error) {
    if (end()) {
      subscriber.onError(error);
    }
  }

  private boolean end() {
    if (ended) {
      return false;
    }
    ended = true;
    endCall();
    onEnd.accept(this);
    return true;
  }

  private void endCall() {
    timer.stop();
    if (call != null) {
      call.rpc.cancel("the watch no longer reads this call", null);
      call = null;
    }
  }

  /** Ends a watch whose subscriber threw. */
  private void uncaught(Thread thread, Throwable error) {
    try {
      fail(error);
    } catch (RuntimeException e) {
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }

  /** The gateway refuses a shorter interval, and must have the time to say so. */
  private static Duration silence(Duration heartbeat) {
    Duration shortest = Duration.ofSeconds(5);
    return (heartbeat.compareTo(shortest) < 0 ? shortest : heartbeat).multipliedBy(2);
  }

  /** One call of the gateway. Its signals count only while it is the session's open call. */
  private final class Call extends ClientCall.Listener<WatchParticipantsResponse> {
    private final Connection.Pinned pinned;
    private final ClientCall<WatchParticipantsRequest, WatchParticipantsResponse> rpc;
    private boolean progressed;
    private boolean reading;

    Call(Connection.Pinned pinned) {
      this.pinned = pinned;
      this.rpc = pinned.newCall(ParticipantServiceGrpc.getWatchParticipantsMethod());
    }

    void start() {
      rpc.start(this, new Metadata());
      rpc.sendMessage(request.toBuilder().setResumeToken(roster.token()).build());
      rpc.halfClose();
    }

    /** Reads the next message. The time without a message counts only while this waits. */
    void read() {
      if (!reading) {
        reading = true;
        timer.start(silence, WatchSession.this::silent);
        rpc.request(1);
      }
    }

    @Override
    public void onMessage(WatchParticipantsResponse message) {
      ifOpen(
          () -> {
            reading = false;
            progressed = true;
            timer.stop();
            received(message);
          });
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ifOpen(() -> interrupted(error(status, trailers)));
    }

    private void ifOpen(Runnable task) {
      context.execute(
          () -> {
            if (call == this) {
              task.run();
            }
          });
    }

    private GatewayException error(Status status, Metadata trailers) {
      if (status.isOk()) {
        return GatewayException.of(
            Status.Code.UNAVAILABLE,
            GatewayException.STREAM_ENDED,
            "the stream ended before the conference did");
      }
      return GatewayException.from(status.asRuntimeException(trailers));
    }
  }
}
