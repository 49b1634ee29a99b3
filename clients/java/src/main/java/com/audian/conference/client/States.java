package com.audian.conference.client;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The states of a watch, for one loop of one thread. Any thread may close it.
 *
 * <pre>{@code
 * try (States states = client.watch("conf_demo").states()) {
 *   for (State state : states) {
 *     show(state);
 *   }
 * }
 * }</pre>
 *
 * <p>The loop ends after the END state, when this or the client is closed, or when its thread is
 * interrupted (which stays interrupted). {@link #hasNext()} and {@link #next()} throw the {@link
 * GatewayException} of a watch that failed.
 */
public final class States implements Iterable<State>, Iterator<State>, AutoCloseable {
  /** What the subscriber got: a state, or the end, with its error if there is one. */
  private record Signal(State state, RuntimeException error) {
    static final Signal COMPLETE = new Signal(null, null);
  }

  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
  private volatile Flow.Subscription subscription;
  // The signal that hasNext saw and next has not taken; null if there is none.
  private Signal head;

  States() {}

  @Override
  public Iterator<State> iterator() {
    return this;
  }

  /** Waits for the next state. Returns false if there is none. */
  @Override
  public boolean hasNext() {
    if (head == null) {
      head = await();
    }
    if (head.error != null) {
      throw head.error;
    }
    return head.state != null;
  }

  /** Waits for the next state and returns it. */
  @Override
  public State next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the watch has ended");
    }
    State state = head.state;
    head = null;
    return state;
  }

  /** Ends the watch promptly. A thread that waits for a state gets none. */
  @Override
  public void close() {
    subscription.cancel();
    signals.add(Signal.COMPLETE);
  }

  Flow.Subscriber<State> subscriber() {
    return new Subscriber();
  }

  private Signal await() {
    subscription.request(1);
    try {
      return signals.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      subscription.cancel();
      return Signal.COMPLETE;
    }
  }

  private final class Subscriber implements Flow.Subscriber<State> {
    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
    }

    @Override
    public void onNext(State state) {
      signals.add(new Signal(state, null));
    }

    @Override
    public void onError(Throwable error) {
      signals.add(new Signal(null, GatewayException.from(error)));
    }

    @Override
    public void onComplete() {
      signals.add(Signal.COMPLETE);
    }
  }
}
