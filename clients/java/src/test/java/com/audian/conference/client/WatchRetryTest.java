package com.audian.conference.client;

import static com.audian.conference.client.Messages.change;
import static com.audian.conference.client.Messages.changes;
import static com.audian.conference.client.Messages.end;
import static com.audian.conference.client.Messages.fresh;
import static com.audian.conference.client.Messages.retryAfter;
import static com.audian.conference.client.Messages.snapshot;
import static com.audian.conference.client.State.Kind.CHANGES;
import static com.audian.conference.client.State.Kind.DISCONNECTED;
import static com.audian.conference.client.State.Kind.SNAPSHOT;
import static com.audian.conference.v2.ChangeKind.CHANGE_KIND_ADDED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When a watch calls again, and when it does not. */
final class WatchRetryTest {
  private WatchHarness harness = new WatchHarness();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void breakIsReportedOnceAndResumesWithTheLastToken() {
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    call().send(fresh("t2"));
    call().fail(Status.Code.UNAVAILABLE);
    assertEquals(List.of(SNAPSHOT, DISCONNECTED), recorder.kinds());
    State broken = recorder.last();
    assertEquals(Status.Code.UNAVAILABLE, broken.error().orElseThrow().code());
    assertEquals("DISCONNECTED", broken.staleReason());
    assertFalse(broken.fresh());
    assertEquals(Set.of("a"), broken.roster().keySet());

    harness.timers.advanceMillis(250);
    assertEquals("t2", call().request.getResumeToken());
    call().fail(Status.Code.UNAVAILABLE);
    harness.timers.advanceMillis(500);
    call().send(changes("t3", change(CHANGE_KIND_ADDED, "b")));
    assertEquals(List.of(SNAPSHOT, DISCONNECTED, CHANGES), recorder.kinds());
    assertTrue(recorder.last().fresh());
  }

  @Test
  void firstFailureHasAnEmptyRoster() {
    Recorder recorder = harness.watch();
    call().fail(Status.Code.UNKNOWN);

    assertEquals(List.of(DISCONNECTED), recorder.kinds());
    assertEquals(Map.of(), recorder.last().roster());
  }

  @Test
  void streamThatEndsOkWithoutEndIsABreak() {
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    call().complete();

    assertEquals("STREAM_ENDED", recorder.last().error().orElseThrow().reason());
    assertFalse(recorder.completed);
    harness.timers.advanceMillis(250);
    assertEquals("t1", call().request.getResumeToken());
  }

  @Test
  void backoffDoublesToTenSecondsAndStartsAgainAfterAMessage() {
    harness.watch();
    for (long wait : List.of(250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000)) {
      call().fail(Status.Code.UNAVAILABLE);
      assertCallsAgainAfter(wait);
    }
    call().send(snapshot("t1", "a"));
    call().fail(Status.Code.UNAVAILABLE);
    assertCallsAgainAfter(250);
  }

  @Test
  void jitterMakesTheWaitLongerOnly() {
    harness.close();
    harness = new WatchHarness(() -> 1, false);
    harness.watch();
    call().fail(Status.Code.UNAVAILABLE);
    assertCallsAgainAfter(312);
  }

  @Test
  void retryInfoIsTheShortestWait() {
    harness.watch();
    call().fail(retryAfter(Status.Code.UNAVAILABLE, "DRAINING", Duration.ofMillis(3500)));
    assertCallsAgainAfter(3500);
    call().fail(retryAfter(Status.Code.UNAVAILABLE, "DRAINING", Duration.ofMillis(1)));
    assertCallsAgainAfter(500);
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "FAILED_PRECONDITION",
        "UNIMPLEMENTED",
        "OUT_OF_RANGE",
        "ALREADY_EXISTS"
      })
  void finalErrorsEndTheWatch(Status.Code code) {
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    call().fail(code);

    assertEquals(List.of(SNAPSHOT), recorder.kinds());
    assertEquals(code, recorder.gatewayError().code());
    assertEquals(0, harness.timers.pending());
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "UNAVAILABLE",
        "RESOURCE_EXHAUSTED",
        "INTERNAL",
        "UNKNOWN",
        "ABORTED",
        "DEADLINE_EXCEEDED",
        "DATA_LOSS",
        "CANCELLED"
      })
  void otherErrorsAreTriedAgain(Status.Code code) {
    Recorder recorder = harness.watch();
    call().fail(code);

    assertEquals(code, recorder.last().error().orElseThrow().code());
    assertCallsAgainAfter(250);
  }

  @Test
  void credentialThatExpiresDuringACallIsRenewedOnce() {
    harness.close();
    harness = new WatchHarness(() -> 0, true);
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    call().fail(Status.Code.UNAUTHENTICATED);
    assertEquals(List.of(SNAPSHOT, DISCONNECTED), recorder.kinds());
    assertCallsAgainAfter(250);
    assertEquals("t1", call().request.getResumeToken());

    call().fail(Status.Code.UNAUTHENTICATED);
    assertEquals(Status.Code.UNAUTHENTICATED, recorder.gatewayError().code());
  }

  @Test
  void silenceOpensANewConnection() {
    Recorder recorder = harness.watch();
    FakeGateway.Call first = call();
    first.send(snapshot("t1", "a"));
    harness.timers.advanceMillis(29_000);
    first.send(fresh("t1"));
    harness.timers.advanceMillis(29_999);
    assertEquals(List.of(SNAPSHOT), recorder.kinds());
    harness.timers.advanceMillis(1);

    assertEquals("SILENT", recorder.last().error().orElseThrow().reason());
    assertTrue(first.cancelled());
    assertEquals(2, harness.gateway.channels.size());
    assertTrue(harness.gateway.channels.get(0).isTerminated());
    assertCallsAgainAfter(250);
    assertNotSame(first, call());
    assertEquals("t1", call().request.getResumeToken());
  }

  @Test
  void silenceCountsFromTheStartOfTheCall() {
    Recorder recorder = harness.watch();
    harness.timers.advanceMillis(30_000);

    assertEquals("SILENT", recorder.last().error().orElseThrow().reason());
  }

  @Test
  void silenceOfTwoWatchesReplacesTheConnectionOnce() {
    harness.watch();
    harness.watch();
    harness.timers.advanceMillis(30_000);

    assertEquals(2, harness.gateway.channels.size());
  }

  @Test
  void silenceDoesNotCountWhileTheSubscriberWorks() {
    Recorder recorder = harness.subscribe(WatchOptions.DEFAULT);
    recorder.subscription.request(1);
    call().send(snapshot("t1", "a"));
    harness.timers.advance(Duration.ofHours(1));
    assertEquals(List.of(SNAPSHOT), recorder.kinds());
    assertEquals(1, harness.gateway.calls.size());

    recorder.subscription.request(1);
    harness.timers.advanceMillis(29_999);
    assertEquals(List.of(SNAPSHOT), recorder.kinds());
  }

  @Test
  void resumeBeginsWithAnEarlierState() {
    Recorder earlier = harness.watch();
    call().send(snapshot("t1", "a"));
    earlier.subscription.cancel();

    Recorder recorder = harness.watch(WatchOptions.DEFAULT.withResumeFrom(earlier.last()));
    assertEquals("t1", call().request.getResumeToken());
    call().send(changes("t2", change(CHANGE_KIND_ADDED, "b")));
    assertEquals(Set.of("a", "b"), recorder.last().roster().keySet());
  }

  @Test
  void cancelEndsTheCallWithoutASignal() {
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    recorder.subscription.cancel();

    assertTrue(call().cancelled());
    assertEquals(0, harness.timers.pending());
    assertFalse(recorder.completed);
    assertNull(recorder.error);
  }

  @Test
  void cancelDuringABackoffDropsTheNextCall() {
    Recorder recorder = harness.watch();
    call().fail(Status.Code.UNAVAILABLE);
    recorder.subscription.cancel();

    assertEquals(0, harness.timers.pending());
  }

  @Test
  void closingTheClientCompletesItsWatches() {
    Recorder recorder = harness.watch();
    call().send(snapshot("t1", "a"));
    harness.client.close();

    assertTrue(recorder.completed);
    assertTrue(call().cancelled());
    assertTrue(harness.gateway.channels.get(0).isTerminated());
    Recorder late = harness.subscribe(WatchOptions.DEFAULT);
    assertTrue(late.completed);
  }

  @Test
  void demandIsHonoured() {
    Recorder recorder = harness.subscribe(WatchOptions.DEFAULT);
    assertEquals(0, harness.gateway.calls.size());
    recorder.subscription.request(1);
    call().send(snapshot("t1", "a"));
    call().send(changes("t2", change(CHANGE_KIND_ADDED, "b")));
    call().send(end("t3"));
    assertEquals(List.of(SNAPSHOT), recorder.kinds());

    recorder.subscription.request(1);
    assertEquals(List.of(SNAPSHOT, CHANGES), recorder.kinds());
    assertFalse(recorder.completed);
    recorder.subscription.request(1);
    assertTrue(recorder.completed);
  }

  @Test
  void breakWaitsForDemand() {
    Recorder recorder = harness.subscribe(WatchOptions.DEFAULT);
    recorder.subscription.request(1);
    call().send(snapshot("t1", "a"));
    call().fail(Status.Code.UNAVAILABLE);
    harness.timers.advance(Duration.ofMinutes(1));
    assertEquals(List.of(SNAPSHOT), recorder.kinds());
    assertEquals(1, harness.gateway.calls.size());

    recorder.subscription.request(2);
    assertEquals(List.of(SNAPSHOT, DISCONNECTED), recorder.kinds());
    assertEquals(2, harness.gateway.calls.size());
  }

  @Test
  void requestOfNothingIsAnError() {
    Recorder recorder = harness.subscribe(WatchOptions.DEFAULT);
    recorder.subscription.request(0);

    assertTrue(recorder.error instanceof IllegalArgumentException);
  }

  @Test
  void subscriberThatThrowsEndsTheWatch() {
    Recorder recorder =
        new Recorder() {
          @Override
          public void onNext(State state) {
            throw new IllegalStateException("cannot show it");
          }
        };
    harness.client.watch("conf_1").subscribe(recorder);
    recorder.subscription.request(2);
    call().send(snapshot("t1", "a"));

    assertTrue(recorder.error instanceof IllegalStateException);
    assertTrue(call().cancelled());
  }

  @Test
  void watchDoesNotEndWithTheContextOfItsThread() {
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(harness::watch);
    context.cancel(null);

    assertFalse(call().cancelled());
  }

  private FakeGateway.Call call() {
    return harness.gateway.lastCall();
  }

  private void assertCallsAgainAfter(long millis) {
    int before = harness.gateway.calls.size();
    harness.timers.advanceMillis(millis - 1);
    assertEquals(before, harness.gateway.calls.size(), "called again too early");
    harness.timers.advanceMillis(1);
    assertEquals(before + 1, harness.gateway.calls.size(), "not called again in time");
  }
}
