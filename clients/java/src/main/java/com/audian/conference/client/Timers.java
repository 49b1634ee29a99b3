package com.audian.conference.client;

import java.time.Duration;

/** Runs tasks later. */
interface Timers extends AutoCloseable {
  /**
   * Runs the task after the delay.
   *
   * @return cancels the task, if it has not begun
   */
  Runnable schedule(Duration delay, Runnable task);

  /** Drops all tasks that have not begun, and later ones. */
  @Override
  void close();
}
