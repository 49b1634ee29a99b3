package com.audian.conference.client;

import com.audian.conference.v2.ChangeKind;
import com.audian.conference.v2.Checkpoint;
import com.audian.conference.v2.Freshness;
import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantChange;
import com.audian.conference.v2.ParticipantChanges;
import com.audian.conference.v2.ParticipantSnapshot;
import com.audian.conference.v2.ParticipantStatus;
import com.audian.conference.v2.SnapshotReason;
import com.audian.conference.v2.WatchEnd;
import com.audian.conference.v2.WatchEndReason;
import com.audian.conference.v2.WatchParticipantsResponse;
import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Messages of a gateway. */
final class Messages {
  private Messages() {}

  static WatchParticipantsResponse.Builder snapshot(String token, String... ids) {
    return WatchParticipantsResponse.newBuilder()
        .setResumeToken(token)
        .setSnapshot(
            ParticipantSnapshot.newBuilder()
                .setReason(SnapshotReason.SNAPSHOT_REASON_INITIAL)
                .setTotal(ids.length)
                .setActive(0)
                .addAllParticipants(Stream.of(ids).map(Messages::participant).toList()));
  }

  static WatchParticipantsResponse.Builder changes(String token, ParticipantChange... changes) {
    return WatchParticipantsResponse.newBuilder()
        .setResumeToken(token)
        .setChanges(ParticipantChanges.newBuilder().addAllChanges(List.of(changes)));
  }

  static ParticipantChange change(ChangeKind kind, String id) {
    return ParticipantChange.newBuilder().setKind(kind).setParticipant(participant(id)).build();
  }

  static WatchParticipantsResponse.Builder fresh(String token) {
    return WatchParticipantsResponse.newBuilder()
        .setResumeToken(token)
        .setCheckpoint(Checkpoint.newBuilder().setFreshness(Freshness.FRESHNESS_FRESH));
  }

  static WatchParticipantsResponse.Builder stale(String token, String reason) {
    return WatchParticipantsResponse.newBuilder()
        .setResumeToken(token)
        .setCheckpoint(
            Checkpoint.newBuilder().setFreshness(Freshness.FRESHNESS_STALE).setStaleReason(reason));
  }

  static WatchParticipantsResponse.Builder end(String token) {
    return WatchParticipantsResponse.newBuilder()
        .setResumeToken(token)
        .setEnd(WatchEnd.newBuilder().setReason(WatchEndReason.WATCH_END_REASON_CONFERENCE_GONE));
  }

  static com.google.rpc.Status retryAfter(Status.Code code, String reason, Duration delay) {
    var wait =
        com.google.protobuf.Duration.newBuilder()
            .setSeconds(delay.getSeconds())
            .setNanos(delay.getNano());
    return com.google.rpc.Status.newBuilder()
        .setCode(code.value())
        .addDetails(
            Any.pack(
                ErrorInfo.newBuilder().setDomain("participant-gateway").setReason(reason).build()))
        .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(wait).build()))
        .build();
  }

  static Participant participant(String id) {
    return Participant.newBuilder()
        .setId(id)
        .setStatus(ParticipantStatus.PARTICIPANT_STATUS_CONNECTED)
        .build();
  }
}
