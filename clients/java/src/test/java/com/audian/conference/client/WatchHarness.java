package com.audian.conference.client;

import java.util.function.DoubleSupplier;

/** A client of a fake gateway, with fake time. */
final class WatchHarness implements AutoCloseable {
  final FakeGateway gateway = new FakeGateway();
  final FakeTimers timers = new FakeTimers();
  final ConferenceClient client;

  WatchHarness() {
    this(() -> 0, false);
  }

  WatchHarness(DoubleSupplier random, boolean renewableCredential) {
    client =
        new ConferenceClient(
            new WatchSession.Environment(
                new Connection(gateway::channel, null), timers, random, renewableCredential));
  }

  /** Subscribes with unlimited demand. */
  Recorder watch() {
    return watch(WatchOptions.DEFAULT);
  }

  Recorder watch(WatchOptions options) {
    Recorder recorder = subscribe(options);
    recorder.subscription.request(Long.MAX_VALUE);
    return recorder;
  }

  /** Subscribes without demand. */
  Recorder subscribe(WatchOptions options) {
    Recorder recorder = new Recorder();
    client.watch("conf_1", options).subscribe(recorder);
    return recorder;
  }

  @Override
  public void close() {
    client.close();
    gateway.close();
  }
}
