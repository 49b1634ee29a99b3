package com.audian.conference.client;

import static com.audian.conference.v2.SnapshotReason.SNAPSHOT_REASON_UNSPECIFIED;
import static com.audian.conference.v2.WatchEndReason.WATCH_END_REASON_UNSPECIFIED;

import com.audian.conference.v2.Checkpoint;
import com.audian.conference.v2.Freshness;
import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantChange;
import com.audian.conference.v2.ParticipantSnapshot;
import com.audian.conference.v2.SnapshotReason;
import com.audian.conference.v2.WatchEndReason;
import com.audian.conference.v2.WatchParticipantsResponse;
import io.grpc.Status;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Applies the messages of a watch and makes the states. It is not safe for concurrent use. */
final class Roster {
  /** Whether the roster is up to date, and if not, why. */
  private record Currency(boolean fresh, String staleReason) {}

  private static final Currency DISCONNECTED = new Currency(false, State.STALE_DISCONNECTED);

  private Map<String, Participant> participants;
  private String token;
  private OptionalInt total = OptionalInt.empty();
  private OptionalInt active = OptionalInt.empty();
  // What the gateway last reported, and what the last state contained (null before the first one).
  private Currency reported = new Currency(true, "");
  private Currency given;

  Roster(String token, Map<String, Participant> participants) {
    this.token = token;
    this.participants = participants;
  }

  /** The position of the roster; empty to begin with a snapshot. */
  String token() {
    return token;
  }

  /**
   * Applies a message and returns its state, if it has one.
   *
   * @throws GatewayException ROSTER_MISMATCH if the roster has another size than the gateway
   *     reports. The token is then empty.
   */
  Optional<State> apply(WatchParticipantsResponse message) {
    switch (message.getEventCase()) {
      case SNAPSHOT -> applySnapshot(message.getSnapshot());
      case CHANGES -> applyChanges(message.getChanges().getChangesList());
      case CHECKPOINT -> applyCheckpoint(message.getCheckpoint());
      default -> {}
    }
    // The token comes last, so that it is never ahead of the roster.
    token = message.getResumeToken();
    return stateOf(message);
  }

  /** Returns the state of a connection that broke. */
  State disconnected(GatewayException error) {
    return state(
        State.Kind.DISCONNECTED,
        DISCONNECTED,
        List.of(),
        SNAPSHOT_REASON_UNSPECIFIED,
        Optional.of(error),
        WATCH_END_REASON_UNSPECIFIED);
  }

  private void applySnapshot(ParticipantSnapshot snapshot) {
    Map<String, Participant> next = new HashMap<>();
    snapshot.getParticipantsList().forEach(p -> next.put(p.getId(), p));
    participants = Map.copyOf(next);
    total = snapshot.hasTotal() ? OptionalInt.of(snapshot.getTotal()) : OptionalInt.empty();
    active = snapshot.hasActive() ? OptionalInt.of(snapshot.getActive()) : OptionalInt.empty();
  }

  private void applyChanges(List<ParticipantChange> changes) {
    Map<String, Participant> next = new HashMap<>(participants);
    for (ParticipantChange change : changes) {
      Participant participant = change.getParticipant();
      switch (change.getKind()) {
        case CHANGE_KIND_REMOVED, CHANGE_KIND_LEFT_FILTER -> next.remove(participant.getId());
        default -> next.put(participant.getId(), participant);
      }
    }
    participants = Map.copyOf(next);
  }

  private void applyCheckpoint(Checkpoint checkpoint) {
    reported =
        new Currency(
            checkpoint.getFreshness() == Freshness.FRESHNESS_FRESH, checkpoint.getStaleReason());
    total = checkpoint.hasTotal() ? OptionalInt.of(checkpoint.getTotal()) : total;
    active = checkpoint.hasActive() ? OptionalInt.of(checkpoint.getActive()) : active;
    if (checkpoint.hasParticipantCount()
        && checkpoint.getParticipantCount() != participants.size()) {
      token = "";
      throw GatewayException.of(
          Status.Code.DATA_LOSS,
          GatewayException.ROSTER_MISMATCH,
          "the roster has %d participants, the gateway's has %d"
              .formatted(participants.size(), checkpoint.getParticipantCount()));
    }
  }

  private Optional<State> stateOf(WatchParticipantsResponse message) {
    return switch (message.getEventCase()) {
      case SNAPSHOT -> Optional.of(snapshotState(message.getSnapshot().getReason()));
      case CHANGES -> Optional.of(changesState(message.getChanges().getChangesList()));
      case CHECKPOINT -> reported.equals(given) ? Optional.empty() : Optional.of(freshnessState());
      case END -> Optional.of(endState(message.getEnd().getReason()));
      // An event of a newer gateway.
      default -> Optional.empty();
    };
  }

  private State snapshotState(SnapshotReason reason) {
    return state(
        State.Kind.SNAPSHOT,
        reported,
        List.of(),
        reason,
        Optional.empty(),
        WATCH_END_REASON_UNSPECIFIED);
  }

  private State changesState(List<ParticipantChange> changes) {
    return state(
        State.Kind.CHANGES,
        reported,
        changes,
        SNAPSHOT_REASON_UNSPECIFIED,
        Optional.empty(),
        WATCH_END_REASON_UNSPECIFIED);
  }

  private State freshnessState() {
    return state(
        State.Kind.FRESHNESS,
        reported,
        List.of(),
        SNAPSHOT_REASON_UNSPECIFIED,
        Optional.empty(),
        WATCH_END_REASON_UNSPECIFIED);
  }

  private State endState(WatchEndReason reason) {
    return state(
        State.Kind.END, reported, List.of(), SNAPSHOT_REASON_UNSPECIFIED, Optional.empty(), reason);
  }

  private State state(
      State.Kind kind,
      Currency currency,
      List<ParticipantChange> changes,
      SnapshotReason snapshotReason,
      Optional<GatewayException> error,
      WatchEndReason endReason) {
    given = currency;
    return new State(
        kind,
        participants,
        changes,
        currency.fresh(),
        currency.staleReason(),
        snapshotReason,
        error,
        endReason,
        total,
        active,
        token);
  }
}
