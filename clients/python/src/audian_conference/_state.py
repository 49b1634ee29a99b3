"""The states of a watch."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from audian_conference._errors import GatewayError
from audian_conference.v2 import participant_service_pb2 as pb

DISCONNECTED = "DISCONNECTED"
"""The stale reason between a broken stream and the next message. All others are the gateway's."""


class Kind(enum.Enum):
    """What a state reports."""

    SNAPSHOT = "snapshot"
    """A new roster, at the start or when the changes in between are unknown."""
    CHANGES = "changes"
    """The roster after a batch of changes."""
    FRESHNESS = "freshness"
    """Only ``fresh`` or ``stale_reason`` changed."""
    DISCONNECTED = "disconnected"
    """The stream broke. The watch calls again by itself."""
    END = "end"
    """The conference no longer exists. It is the last state."""


@dataclass(frozen=True)
class State:
    """What is known of a conference at one time. Later states do not change it.

    Do not change the messages in it either: states share them.

    Attributes:
        kind: What this state reports.
        roster: All participants that pass the filters, by id.
        changes: The changes that led to the roster, for CHANGES.
        fresh: Whether the roster is up to date.
        stale_reason: Why the roster is not fresh: a reason of the gateway, or DISCONNECTED.
            Empty if it is fresh.
        total: The number of participants in the whole conference, as last reported. None if
            not known.
        active: How many of these are connected or held. None if not known.
        snapshot_reason: Why there is a new roster, for SNAPSHOT.
        error: What broke, for DISCONNECTED.
        end_reason: Why the conference ended, for END.
        token: The position of the roster. A watch can resume from ``roster`` and ``token``.
    """

    kind: Kind
    roster: Mapping[str, pb.Participant] = field(default_factory=lambda: MappingProxyType({}))
    changes: tuple[pb.ParticipantChange, ...] = ()
    fresh: bool = True
    stale_reason: str = ""
    total: int | None = None
    active: int | None = None
    snapshot_reason: pb.SnapshotReason = pb.SNAPSHOT_REASON_UNSPECIFIED
    error: GatewayError | None = None
    end_reason: pb.WatchEndReason = pb.WATCH_END_REASON_UNSPECIFIED
    token: str = ""
