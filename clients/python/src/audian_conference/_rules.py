"""The rules of a watch, without input and output. Both clients use them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import grpc

from audian_conference._errors import GatewayError
from audian_conference._state import DISCONNECTED, Kind, State
from audian_conference.v2 import participant_service_pb2 as pb

DEFAULT_HEARTBEAT = timedelta(seconds=15)
_SHORTEST_HEARTBEAT = timedelta(seconds=5)
_FIRST_DELAY = 0.25
_LONGEST_DELAY = 10.0

# Errors about the call itself: its arguments, its caller, its conference. Another call would
# end in the same way.
_FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)


class WatchRules:
    """Which calls a watch makes, and which states it gives.

    Attributes:
        silence: The longest wait for a message, in seconds.
        delay: How long to wait before the next call, in seconds.
        ended: Whether the last state was given.
    """

    def __init__(
        self,
        conference: str,
        *,
        statuses: Iterable[pb.ParticipantStatus],
        roles: Iterable[pb.ParticipantRole],
        participant_ids: Iterable[str],
        heartbeat_interval: timedelta,
        resume_from: State | None,
        renewable: bool,
    ) -> None:
        self._request = pb.WatchParticipantsRequest(
            conference_id=conference,
            statuses=statuses,
            roles=roles,
            participant_ids=participant_ids,
            heartbeat_interval=heartbeat_interval,
        )
        self._renewable = renewable
        self.silence = 2 * max(heartbeat_interval, _SHORTEST_HEARTBEAT).total_seconds()
        self.delay = 0.0
        self.ended = False

        start = resume_from or State(Kind.SNAPSHOT)
        self._roster: Mapping[str, pb.Participant] = MappingProxyType(dict(start.roster))
        self._token = start.token
        self._total, self._active = start.total, start.active
        # What the gateway last reported. Only the gateway's own reasons are kept.
        self._stale_reason = "" if start.stale_reason == DISCONNECTED else start.stale_reason
        self._stale = bool(self._stale_reason)

        self._last: State | None = None
        # Whether the present call got a message, and how many calls in a row got none.
        self._progressed = False
        self._failures = 0
        # Whether the present break was given as a state.
        self._broken = False

    def request(self) -> pb.WatchParticipantsRequest:
        """Returns the request of the next call, from the last position."""
        self._progressed = False
        self._request.resume_token = self._token
        return self._request

    def apply(self, message: pb.WatchParticipantsResponse) -> State | None:
        """Applies a message. Returns its state, or None if it says nothing new.

        Raises:
            GatewayError: The roster has another size than the gateway's.
        """
        self._progressed, self._broken = True, False
        self._failures = 0
        kind, details = self._apply_event(message)
        # The token comes last, so that it is never ahead of the roster.
        self._token = message.resume_token
        if kind is None:
            return None
        self.ended = kind is Kind.END
        return self._give(kind, fresh=not self._stale, stale_reason=self._stale_reason, **details)

    def broken(self, error: GatewayError) -> State | None:
        """Returns the state of a failed call, or None if the break is known, and sets ``delay``.

        Raises:
            GatewayError: The error, if another call cannot help.
        """
        renewable = self._renewable and self._progressed
        if error.code in _FINAL and not (
            renewable and error.code is grpc.StatusCode.UNAUTHENTICATED
        ):
            raise error
        backoff = min(_FIRST_DELAY * 2 ** min(self._failures, 10), _LONGEST_DELAY)
        self._failures += 1
        retry_delay = error.retry_delay.total_seconds() if error.retry_delay else 0.0
        self.delay = max(retry_delay, backoff) * random.uniform(1.0, 1.25)
        if self._broken:
            return None
        self._broken = True
        return self._give(Kind.DISCONNECTED, fresh=False, stale_reason=DISCONNECTED, error=error)

    def _apply_event(
        self, message: pb.WatchParticipantsResponse
    ) -> tuple[Kind | None, dict[str, Any]]:
        match message.WhichOneof("event"):
            case "snapshot":
                self._apply_snapshot(message.snapshot)
                return Kind.SNAPSHOT, {"snapshot_reason": message.snapshot.reason}
            case "changes":
                changes = tuple(message.changes.changes)
                self._apply_changes(changes)
                return Kind.CHANGES, {"changes": changes}
            case "checkpoint":
                self._apply_checkpoint(message.checkpoint)
                return (Kind.FRESHNESS if self._freshness_changed() else None), {}
            case "end":
                return Kind.END, {"end_reason": message.end.reason}
            case _:
                return None, {}

    def _apply_snapshot(self, snapshot: pb.ParticipantSnapshot) -> None:
        self._roster = MappingProxyType({p.id: p for p in snapshot.participants})
        self._total = snapshot.total if snapshot.HasField("total") else None
        self._active = snapshot.active if snapshot.HasField("active") else None

    def _apply_changes(self, changes: Iterable[pb.ParticipantChange]) -> None:
        roster = dict(self._roster)
        for change in changes:
            if change.kind in (pb.CHANGE_KIND_REMOVED, pb.CHANGE_KIND_LEFT_FILTER):
                roster.pop(change.participant.id, None)
            else:
                roster[change.participant.id] = change.participant
        self._roster = MappingProxyType(roster)

    def _apply_checkpoint(self, checkpoint: pb.Checkpoint) -> None:
        self._stale = checkpoint.freshness != pb.FRESHNESS_FRESH
        self._stale_reason = checkpoint.stale_reason
        if checkpoint.HasField("total"):
            self._total = checkpoint.total
        if checkpoint.HasField("active"):
            self._active = checkpoint.active
        expected = checkpoint.participant_count
        if checkpoint.HasField("participant_count") and expected != len(self._roster):
            self._token = ""
            raise GatewayError(
                grpc.StatusCode.DATA_LOSS,
                f"the roster has {len(self._roster)} participants, the gateway's has {expected}",
                reason="ROSTER_MISMATCH",
            )

    def _freshness_changed(self) -> bool:
        last = self._last
        return last is None or (last.fresh, last.stale_reason) != (
            not self._stale,
            self._stale_reason,
        )

    def _give(self, kind: Kind, **details: Any) -> State:
        self._last = State(
            kind,
            roster=self._roster,
            total=self._total,
            active=self._active,
            token=self._token,
            **details,
        )
        return self._last


def silent(seconds: float) -> GatewayError:
    """Returns the error of a call that got no message for too long."""
    return GatewayError(
        grpc.StatusCode.UNAVAILABLE, f"no message for {seconds:g} s", reason="SILENT"
    )


def stream_ended() -> GatewayError:
    """Returns the error of a stream that ended OK before its last message."""
    return GatewayError(
        grpc.StatusCode.UNAVAILABLE,
        "the stream ended before its last message",
        reason="STREAM_ENDED",
    )
