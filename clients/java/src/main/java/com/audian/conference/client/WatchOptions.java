package com.audian.conference.client;

import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantRole;
import com.audian.conference.v2.ParticipantStatus;
import com.audian.conference.v2.WatchParticipantsRequest;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * What a watch selects, and where it begins. A participant must pass all filters; an empty filter
 * passes everybody.
 *
 * @param statuses only participants with one of these statuses
 * @param roles only participants with one of these roles
 * @param participantIds only these participants; they need not exist yet
 * @param heartbeatInterval the longest time between two messages of the gateway: 5 to 60 seconds,
 *     or the watch fails INVALID_ARGUMENT. Without a message for twice this time, the connection
 *     counts as lost
 * @param resumeToken the token of an earlier state; empty to begin with a snapshot
 * @param resumeRoster the roster of the same state
 */
public record WatchOptions(
    List<ParticipantStatus> statuses,
    List<ParticipantRole> roles,
    List<String> participantIds,
    Duration heartbeatInterval,
    String resumeToken,
    Map<String, Participant> resumeRoster) {

  /** No filter, a heartbeat of 15 seconds, and a snapshot first. */
  public static final WatchOptions DEFAULT =
      new WatchOptions(List.of(), List.of(), List.of(), Duration.ofSeconds(15), "", Map.of());

  /** Copies the collections. */
  public WatchOptions {
    statuses = List.copyOf(statuses);
    roles = List.copyOf(roles);
    participantIds = List.copyOf(participantIds);
    resumeRoster = Map.copyOf(resumeRoster);
  }

  /** Returns these options with another filter of statuses. */
  public WatchOptions withStatuses(ParticipantStatus... statuses) {
    return new WatchOptions(
        List.of(statuses), roles, participantIds, heartbeatInterval, resumeToken, resumeRoster);
  }

  /** Returns these options with another filter of roles. */
  public WatchOptions withRoles(ParticipantRole... roles) {
    return new WatchOptions(
        statuses, List.of(roles), participantIds, heartbeatInterval, resumeToken, resumeRoster);
  }

  /** Returns these options with another filter of participant ids. */
  public WatchOptions withParticipantIds(Collection<String> ids) {
    return new WatchOptions(
        statuses, roles, List.copyOf(ids), heartbeatInterval, resumeToken, resumeRoster);
  }

  /** Returns these options with another heartbeat interval: 5 to 60 seconds. */
  public WatchOptions withHeartbeatInterval(Duration interval) {
    return new WatchOptions(statuses, roles, participantIds, interval, resumeToken, resumeRoster);
  }

  /** Returns these options, to resume after an earlier state of the same conference. */
  public WatchOptions withResumeFrom(State state) {
    return withResumeFrom(state.token(), state.roster());
  }

  /** Returns these options, to resume from a token and roster that were stored together. */
  public WatchOptions withResumeFrom(String token, Map<String, Participant> roster) {
    return new WatchOptions(statuses, roles, participantIds, heartbeatInterval, token, roster);
  }

  /** Returns the request of a watch without a token. */
  WatchParticipantsRequest request(String conference) {
    return WatchParticipantsRequest.newBuilder()
        .setConferenceId(conference)
        .addAllStatuses(statuses)
        .addAllRoles(roles)
        .addAllParticipantIds(participantIds)
        .setHeartbeatInterval(
            com.google.protobuf.Duration.newBuilder()
                .setSeconds(heartbeatInterval.getSeconds())
                .setNanos(heartbeatInterval.getNano()))
        .build();
  }
}
