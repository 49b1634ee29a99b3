package com.audian.conference.client;

import io.grpc.SynchronizationContext;
import java.time.Duration;

/** At most one task that runs later in a context. All calls come from that context. */
final class SingleTimer {
  private final Timers timers;
  private final SynchronizationContext context;
  // The start whose task waits, and how to cancel it; null if none does.
  private Object waiting;
  private Runnable cancel;

  SingleTimer(Timers timers, SynchronizationContext context) {
    this.timers = timers;
    this.context = context;
  }

  /** Runs the task after the delay, instead of the task that waits. */
  void start(Duration delay, Runnable task) {
    stop();
    Object start = new Object();
    waiting = start;
    cancel = timers.schedule(delay, () -> context.execute(() -> run(start, task)));
  }

  /** Drops the task that waits. */
  void stop() {
    if (waiting != null) {
      waiting = null;
      cancel.run();
    }
  }

  /** A task that was dropped when its time had come already does not run. */
  private void run(Object start, Runnable task) {
    if (waiting == start) {
      waiting = null;
      task.run();
    }
  }
}
