"""Messages of a scripted gateway."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from audian_conference import pb


def participant(id_: str, status: int = pb.PARTICIPANT_STATUS_CONNECTED) -> pb.Participant:
    return pb.Participant(id=id_, status=status)


def snapshot(*ids: str, token: str = "t1", **fields: Any) -> pb.WatchParticipantsResponse:
    fields.setdefault("reason", pb.SNAPSHOT_REASON_INITIAL)
    participants = [participant(id_) for id_ in ids]
    return pb.WatchParticipantsResponse(
        resume_token=token,
        snapshot=pb.ParticipantSnapshot(participants=participants, **fields),
    )


def changes(*listed: tuple[int, str], token: str = "t2") -> pb.WatchParticipantsResponse:
    return pb.WatchParticipantsResponse(
        resume_token=token,
        changes=pb.ParticipantChanges(
            changes=[
                pb.ParticipantChange(kind=kind, participant=participant(id_))
                for kind, id_ in listed
            ]
        ),
    )


def fresh(token: str = "t3", **fields: Any) -> pb.WatchParticipantsResponse:
    checkpoint = pb.Checkpoint(freshness=pb.FRESHNESS_FRESH, **fields)
    return pb.WatchParticipantsResponse(resume_token=token, checkpoint=checkpoint)


def stale(reason: str, token: str = "t4") -> pb.WatchParticipantsResponse:
    checkpoint = pb.Checkpoint(freshness=pb.FRESHNESS_STALE, stale_reason=reason)
    return pb.WatchParticipantsResponse(resume_token=token, checkpoint=checkpoint)


def end() -> pb.WatchParticipantsResponse:
    return pb.WatchParticipantsResponse(
        resume_token="t9", end=pb.WatchEnd(reason=pb.WATCH_END_REASON_CONFERENCE_GONE)
    )


def status(
    code: int,
    reason: str = "",
    *,
    metadata: dict[str, str] | None = None,
    fields: Iterable[tuple[str, str]] = (),
    retry: timedelta | None = None,
    domain: str = "participant-gateway",
) -> status_pb2.Status:
    """A google.rpc.Status with the details that the gateway sends."""
    details: list[Any] = []
    if reason:
        details.append(error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata))
    if fields:
        bad = error_details_pb2.BadRequest()
        for field, description in fields:
            bad.field_violations.add(field=field, description=description)
        details.append(bad)
    if retry is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromTimedelta(retry)
        details.append(info)
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code, message="scripted", details=packed)
