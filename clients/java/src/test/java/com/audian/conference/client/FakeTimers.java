package com.audian.conference.client;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Timers whose time passes only by {@link #advance}. */
final class FakeTimers implements Timers {
  private record Task(Duration due, Runnable run) {}

  private final List<Task> tasks = new ArrayList<>();
  private Duration now = Duration.ZERO;

  @Override
  public Runnable schedule(Duration delay, Runnable run) {
    Task task = new Task(now.plus(delay), run);
    tasks.add(task);
    return () -> tasks.remove(task);
  }

  @Override
  public void close() {
    tasks.clear();
  }

  /** Lets the time pass and runs what is due, in order. */
  void advance(Duration time) {
    Duration end = now.plus(time);
    for (Task task = first(end); task != null; task = first(end)) {
      tasks.remove(task);
      now = task.due;
      task.run.run();
    }
    now = end;
  }

  void advanceMillis(long millis) {
    advance(Duration.ofMillis(millis));
  }

  int pending() {
    return tasks.size();
  }

  private Task first(Duration end) {
    return tasks.stream()
        .filter(task -> task.due.compareTo(end) <= 0)
        .min(Comparator.comparing(Task::due))
        .orElse(null);
  }
}
