package com.audian.conference.client;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/** The time before the next call: 0.25 s, doubling to 10 s, with up to a quarter more. */
final class Backoff {
  private static final Duration FIRST = Duration.ofMillis(250);
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private final DoubleSupplier random;
  private Duration next = FIRST;

  /**
   * Makes a back-off.
   *
   * @param random returns numbers from 0 to 1
   */
  Backoff(DoubleSupplier random) {
    this.random = random;
  }

  /** Returns the time to wait now, at least {@code minimum}. */
  Duration next(Duration minimum) {
    Duration wait = longer(next, minimum);
    Duration doubled = next.multipliedBy(2);
    next = doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
    return Duration.ofMillis((long) (wait.toMillis() * (1 + random.getAsDouble() / 4)));
  }

  void reset() {
    next = FIRST;
  }

  private static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }
}
