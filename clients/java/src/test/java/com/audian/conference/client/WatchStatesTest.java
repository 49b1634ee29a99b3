package com.audian.conference.client;

import static com.audian.conference.client.Messages.change;
import static com.audian.conference.client.Messages.changes;
import static com.audian.conference.client.Messages.end;
import static com.audian.conference.client.Messages.fresh;
import static com.audian.conference.client.Messages.snapshot;
import static com.audian.conference.client.Messages.stale;
import static com.audian.conference.client.State.Kind.CHANGES;
import static com.audian.conference.client.State.Kind.DISCONNECTED;
import static com.audian.conference.client.State.Kind.END;
import static com.audian.conference.client.State.Kind.FRESHNESS;
import static com.audian.conference.client.State.Kind.SNAPSHOT;
import static com.audian.conference.v2.ChangeKind.CHANGE_KIND_ADDED;
import static com.audian.conference.v2.ChangeKind.CHANGE_KIND_LEFT_FILTER;
import static com.audian.conference.v2.ChangeKind.CHANGE_KIND_REMOVED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.audian.conference.v2.ParticipantRole;
import com.audian.conference.v2.ParticipantStatus;
import com.audian.conference.v2.SnapshotReason;
import com.audian.conference.v2.WatchEndReason;
import com.audian.conference.v2.WatchParticipantsResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the messages of a gateway become. */
final class WatchStatesTest {
  private final WatchHarness harness = new WatchHarness();
  private final FakeGateway gateway = harness.gateway;

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void requestHasTheOptions() {
    harness.watch(
        WatchOptions.DEFAULT
            .withStatuses(ParticipantStatus.PARTICIPANT_STATUS_HELD)
            .withRoles(ParticipantRole.PARTICIPANT_ROLE_LISTENER)
            .withParticipantIds(List.of("a"))
            .withHeartbeatInterval(Duration.ofMillis(5500)));

    var request = gateway.lastCall().request;
    assertEquals("conf_1", request.getConferenceId());
    assertEquals(List.of(ParticipantStatus.PARTICIPANT_STATUS_HELD), request.getStatusesList());
    assertEquals(List.of(ParticipantRole.PARTICIPANT_ROLE_LISTENER), request.getRolesList());
    assertEquals(List.of("a"), request.getParticipantIdsList());
    assertEquals(5, request.getHeartbeatInterval().getSeconds());
    assertEquals(500_000_000, request.getHeartbeatInterval().getNanos());
    assertEquals("", request.getResumeToken());
  }

  @Test
  void heartbeatIntervalIsAlwaysSent() {
    harness.watch();

    assertEquals(15, gateway.lastCall().request.getHeartbeatInterval().getSeconds());
  }

  @Test
  void snapshotBecomesTheRoster() {
    Recorder recorder = harness.watch();
    gateway.lastCall().send(snapshot("t1", "a", "b"));

    State state = recorder.last();
    assertEquals(SNAPSHOT, state.kind());
    assertEquals(SnapshotReason.SNAPSHOT_REASON_INITIAL, state.snapshotReason());
    assertEquals(Set.of("a", "b"), state.roster().keySet());
    assertTrue(state.fresh());
    assertEquals("", state.staleReason());
    assertEquals(OptionalInt.of(2), state.total());
    assertEquals(OptionalInt.of(0), state.active());
    assertEquals("t1", state.token());
  }

  @Test
  void changesApplyTogetherAndLeaveEarlierStatesAlone() {
    Recorder recorder = harness.watch();
    gateway.lastCall().send(snapshot("t1", "a", "b"));
    gateway
        .lastCall()
        .send(
            changes(
                "t2",
                change(CHANGE_KIND_ADDED, "c"),
                change(CHANGE_KIND_REMOVED, "a"),
                change(CHANGE_KIND_LEFT_FILTER, "b")));

    assertEquals(List.of(SNAPSHOT, CHANGES), recorder.kinds());
    assertEquals(Set.of("c"), recorder.last().roster().keySet());
    assertEquals(3, recorder.last().changes().size());
    assertEquals("t2", recorder.last().token());
    assertEquals(Set.of("a", "b"), recorder.states.get(0).roster().keySet());
    var roster = recorder.last().roster();
    assertThrows(UnsupportedOperationException.class, roster::clear);
  }

  @Test
  void checkpointGivesAStateOnlyIfTheFreshnessChanges() {
    Recorder recorder = harness.watch();
    FakeGateway.Call call = gateway.lastCall();
    call.send(snapshot("t1", "a"));
    call.send(fresh("t1"));
    call.send(stale("t1", "UPSTREAM_TIMEOUT"));
    call.send(stale("t1", "UPSTREAM_TIMEOUT"));
    call.send(changes("t2", change(CHANGE_KIND_ADDED, "b")));
    call.send(stale("t2", "POLL_DELAYED"));
    call.send(fresh("t2"));

    assertEquals(List.of(SNAPSHOT, FRESHNESS, CHANGES, FRESHNESS, FRESHNESS), recorder.kinds());
    assertEquals(
        List.of("", "UPSTREAM_TIMEOUT", "UPSTREAM_TIMEOUT", "POLL_DELAYED", ""),
        recorder.states.stream().map(State::staleReason).toList());
    assertTrue(recorder.last().fresh());
  }

  @Test
  void freshCheckpointAfterABreakGivesAState() {
    Recorder recorder = harness.watch();
    gateway.lastCall().send(snapshot("t1", "a"));
    gateway.lastCall().fail(Status.Code.UNAVAILABLE);
    harness.timers.advanceMillis(250);
    gateway.lastCall().send(fresh("t1"));

    assertEquals(List.of(SNAPSHOT, DISCONNECTED, FRESHNESS), recorder.kinds());
    assertTrue(recorder.last().fresh());
    assertEquals(Set.of("a"), recorder.last().roster().keySet());
  }

  @Test
  void staleGatewayStaysStaleAcrossABreak() {
    Recorder recorder = harness.watch();
    gateway.lastCall().send(snapshot("t1", "a"));
    gateway.lastCall().send(stale("t1", "UPSTREAM_TIMEOUT"));
    gateway.lastCall().fail(Status.Code.UNAVAILABLE);
    harness.timers.advanceMillis(250);
    gateway.lastCall().send(changes("t2", change(CHANGE_KIND_ADDED, "b")));

    assertEquals("UPSTREAM_TIMEOUT", recorder.last().staleReason());
    assertFalse(recorder.last().fresh());
  }

  @Test
  void otherRosterSizeIsABreakAndStartsAnew() {
    Recorder recorder = harness.watch();
    WatchParticipantsResponse.Builder checkpoint = fresh("t2");
    checkpoint.getCheckpointBuilder().setParticipantCount(2);
    gateway.lastCall().send(snapshot("t1", "a"));
    gateway.lastCall().send(checkpoint);

    assertEquals(DISCONNECTED, recorder.last().kind());
    assertEquals("ROSTER_MISMATCH", recorder.last().error().orElseThrow().reason());
    assertTrue(gateway.lastCall().cancelled());
    harness.timers.advanceMillis(250);
    assertEquals(2, gateway.calls.size());
    assertEquals("", gateway.lastCall().request.getResumeToken());
  }

  @Test
  void endIsTheLastState() {
    Recorder recorder = harness.watch();
    gateway.lastCall().send(snapshot("t1", "a"));
    gateway.lastCall().send(end("t2"));

    assertEquals(List.of(SNAPSHOT, END), recorder.kinds());
    assertEquals(WatchEndReason.WATCH_END_REASON_CONFERENCE_GONE, recorder.last().endReason());
    assertTrue(recorder.completed);
    assertEquals(0, harness.timers.pending());
  }

  @Test
  void valuesOfANewerGatewayAreNoError() {
    Recorder recorder = harness.watch();
    WatchParticipantsResponse.Builder snapshot = snapshot("t1", "a");
    snapshot.getSnapshotBuilder().setReasonValue(99);
    snapshot.getSnapshotBuilder().getParticipantsBuilder(0).setStatusValue(99);
    WatchParticipantsResponse.Builder changes = changes("t2", change(CHANGE_KIND_ADDED, "b"));
    changes.getChangesBuilder().getChangesBuilder(0).setKindValue(99);
    WatchParticipantsResponse.Builder checkpoint = fresh("t2");
    checkpoint.getCheckpointBuilder().setFreshnessValue(99);
    gateway.lastCall().send(snapshot);
    gateway.lastCall().send(changes);
    gateway.lastCall().send(WatchParticipantsResponse.newBuilder().setResumeToken("t3"));
    gateway.lastCall().send(checkpoint);

    assertEquals(List.of(SNAPSHOT, CHANGES, FRESHNESS), recorder.kinds());
    assertEquals(SnapshotReason.UNRECOGNIZED, recorder.states.get(0).snapshotReason());
    assertEquals(ParticipantStatus.UNRECOGNIZED, recorder.last().roster().get("a").getStatus());
    assertEquals(Set.of("a", "b"), recorder.last().roster().keySet());
  }
}
