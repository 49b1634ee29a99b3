package com.audian.conference.client;

import java.util.concurrent.Flow;

/**
 * A watch of one conference. Each subscriber and each {@link #states()} is a watch of its own.
 *
 * <p>A watch goes on until the conference ends or the caller cancels. When its connection breaks,
 * it gives one {@link State.Kind#DISCONNECTED} state and calls again from the last position, after
 * the RetryInfo or a back-off of 0.25 to 10 seconds. It counts a connection without a message for
 * two heartbeat intervals as broken, and replaces it. It reads from the network only what the
 * caller requests, so a slow caller gets fewer, larger states.
 */
public final class ConferenceWatch implements Flow.Publisher<State> {
  private final ConferenceClient client;
  private final String conference;
  private final WatchOptions options;

  ConferenceWatch(ConferenceClient client, String conference, WatchOptions options) {
    this.client = client;
    this.conference = conference;
    this.options = options;
  }

  /**
   * Gives the states as they are requested. The watch completes after the END state, or when the
   * client is closed. It fails with a {@link GatewayException} that another call cannot mend:
   * INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION,
   * UNIMPLEMENTED, OUT_OF_RANGE or ALREADY_EXISTS.
   */
  @Override
  public void subscribe(Flow.Subscriber<? super State> subscriber) {
    client.open(conference, options, subscriber);
  }

  /** Gives the states to a loop. The caller closes it. */
  public States states() {
    States states = new States();
    subscribe(states.subscriber());
    return states;
  }
}
