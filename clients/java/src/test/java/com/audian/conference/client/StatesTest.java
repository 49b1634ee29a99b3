package com.audian.conference.client;

import static com.audian.conference.client.Messages.end;
import static com.audian.conference.client.Messages.snapshot;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The states of a watch in a loop. */
@Timeout(30)
final class StatesTest {
  private final WatchHarness harness = new WatchHarness();
  private final States states = harness.client.watch("conf_1").states();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void loopEndsAfterTheEndState() throws Exception {
    CompletableFuture<List<State.Kind>> kinds = inBackground();
    awaitCall().send(snapshot("t1", "a"));
    harness.gateway.lastCall().send(end("t2"));

    assertEquals(List.of(State.Kind.SNAPSHOT, State.Kind.END), kinds.get());
    assertFalse(states.hasNext());
    assertThrows(NoSuchElementException.class, states::next);
  }

  @Test
  void loopThrowsAFinalError() throws Exception {
    CompletableFuture<List<State.Kind>> kinds = inBackground();
    awaitCall().fail(Status.Code.NOT_FOUND);

    ExecutionException thrown = assertThrows(ExecutionException.class, kinds::get);
    assertEquals(Status.Code.NOT_FOUND, ((GatewayException) thrown.getCause()).code());
  }

  @Test
  void closeEndsALoopThatWaits() throws Exception {
    CompletableFuture<List<State.Kind>> kinds = inBackground();
    FakeGateway.Call call = awaitCall();
    states.close();

    assertEquals(List.of(), kinds.get());
    assertTrue(call.cancelled());
  }

  @Test
  void closingTheClientEndsTheLoop() throws Exception {
    CompletableFuture<List<State.Kind>> kinds = inBackground();
    awaitCall();
    harness.client.close();

    assertEquals(List.of(), kinds.get());
  }

  @Test
  void interruptEndsTheLoop() throws Exception {
    FutureTask<Boolean> loop =
        new FutureTask<>(() -> !states.hasNext() && Thread.currentThread().isInterrupted());
    Thread thread = new Thread(loop);
    thread.start();
    FakeGateway.Call call = awaitCall();
    thread.interrupt();

    assertTrue(loop.get());
    assertTrue(call.cancelled());
  }

  private CompletableFuture<List<State.Kind>> inBackground() {
    return CompletableFuture.supplyAsync(
        () -> {
          List<State.Kind> kinds = new ArrayList<>();
          for (State state : states) {
            kinds.add(state.kind());
          }
          return kinds;
        });
  }

  private FakeGateway.Call awaitCall() throws InterruptedException {
    return harness.gateway.opened.take();
  }
}
