package com.audian.conference.client;

import java.time.Duration;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Timers on one thread. The tasks run in the common pool, so that a slow subscriber of one watch
 * does not delay the timers of the others.
 */
final class ScheduledTimers implements Timers {
  private final ScheduledThreadPoolExecutor executor =
      new ScheduledThreadPoolExecutor(
          1, ScheduledTimers::daemon, new ThreadPoolExecutor.DiscardPolicy());

  ScheduledTimers() {
    executor.setRemoveOnCancelPolicy(true);
  }

  @Override
  public Runnable schedule(Duration delay, Runnable task) {
    Future<?> future =
        executor.schedule(
            () -> ForkJoinPool.commonPool().execute(task), delay.toMillis(), TimeUnit.MILLISECONDS);
    return () -> future.cancel(false);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "conference-client-timers");
    thread.setDaemon(true);
    return thread;
  }
}
