package com.audian.conference.client;

import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantChange;
import com.audian.conference.v2.SnapshotReason;
import com.audian.conference.v2.WatchEndReason;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is known about a conference at one time. It is immutable.
 *
 * @param kind what this state reports
 * @param roster all participants that pass the filters, by their id
 * @param changes the changes that led to the roster, for {@link Kind#CHANGES}; otherwise empty
 * @param fresh whether the roster is up to date
 * @param staleReason why the roster is not fresh: a reason of the gateway, or {@link
 *     #STALE_DISCONNECTED}; empty if it is fresh
 * @param snapshotReason why there is a new roster, for {@link Kind#SNAPSHOT}; otherwise unspecified
 * @param error what broke, for {@link Kind#DISCONNECTED}; otherwise empty
 * @param endReason why the conference ended, for {@link Kind#END}; otherwise unspecified
 * @param total the number of participants in the whole conference, as the gateway last reported it
 * @param active how many of them are connected or held, as the gateway last reported it
 * @param token the position of the roster, for {@link WatchOptions#withResumeFrom(State)}
 */
public record State(
    Kind kind,
    Map<String, Participant> roster,
    List<ParticipantChange> changes,
    boolean fresh,
    String staleReason,
    SnapshotReason snapshotReason,
    Optional<GatewayException> error,
    WatchEndReason endReason,
    OptionalInt total,
    OptionalInt active,
    String token) {

  /** The stale reason of a state while there is no connection. */
  public static final String STALE_DISCONNECTED = "DISCONNECTED";

  /** What a state reports. */
  public enum Kind {
    /** A new roster, at the start or when the changes in between are unknown. */
    SNAPSHOT,
    /** The roster after a batch of changes. */
    CHANGES,
    /** Only {@code fresh} or {@code staleReason} changed. */
    FRESHNESS,
    /** The connection broke. The watch calls again by itself. */
    DISCONNECTED,
    /** The conference no longer exists. It is the last state. */
    END
  }

  /** Copies the collections, unless they are immutable already. */
  public State {
    roster = Map.copyOf(roster);
    changes = List.copyOf(changes);
  }
}
