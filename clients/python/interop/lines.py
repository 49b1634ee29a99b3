"""The JSON of commands and lines, for both programs."""

from __future__ import annotations

import json
import sys
import threading
from datetime import timedelta
from typing import Any

import grpc

from audian_conference import GatewayError, Kind, State, pb

Command = dict[str, Any]

_STATUS = "PARTICIPANT_STATUS_"
_ROLE = "PARTICIPANT_ROLE_"
_output = threading.Lock()

# The calls that name one participant, or the conference alone: their method, and their request.
CONTROLS = {
    "get": ("get_participant", pb.GetParticipantRequest),
    "mute": ("mute_participant", pb.MuteParticipantRequest),
    "unmute": ("unmute_participant", pb.UnmuteParticipantRequest),
    "hold": ("hold_participant", pb.HoldParticipantRequest),
    "resume": ("resume_participant", pb.ResumeParticipantRequest),
    "disconnect": ("disconnect_participant", pb.DisconnectParticipantRequest),
    "remove": ("remove_participant", pb.RemoveParticipantRequest),
    "mute_all": ("mute_all_participants", pb.MuteAllParticipantsRequest),
    "refresh": ("refresh_participants", pb.RefreshParticipantsRequest),
}


class Credentials:
    """A credential function that returns the next credential after a refused call."""

    def __init__(self, credentials: list[str]) -> None:
        self._credentials = credentials

    def __call__(self) -> str:
        return self._credentials[0]

    def refused(self) -> None:
        if len(self._credentials) > 1:
            self._credentials.pop(0)


def credential_of(command: Command) -> str | Credentials | None:
    if command.get("credentials"):
        return Credentials(command["credentials"])
    return command.get("credential")


def note_refusal(credential: str | Credentials | None, error: GatewayError | None) -> None:
    """Moves to the next credential if the error says that this one was refused."""
    refused = error is not None and error.code is grpc.StatusCode.UNAUTHENTICATED
    if refused and isinstance(credential, Credentials):
        credential.refused()


def emit(id_: str, **line: Any) -> None:
    with _output:
        print(json.dumps({"id": id_, **line}), flush=True)


def simple_request(command: Command) -> tuple[str, Any] | None:
    """The method of a control and its request; None for other calls."""
    if command["call"] not in CONTROLS:
        return None
    method, request_type = CONTROLS[command["call"]]
    fields = {"conference_id": command.get("conference")}
    if "participant_id" in request_type.DESCRIPTOR.fields_by_name:
        fields["participant_id"] = command.get("participant")
    return method, request_type(**fields)


def add_request(command: Command) -> pb.AddParticipantRequest:
    return pb.AddParticipantRequest(
        conference_id=command.get("conference"),
        phone_number=command.get("phone_number"),
        name=command.get("name"),
        role=_number(pb.ParticipantRole, _ROLE, command.get("role")),
        muted=command.get("muted"),
        request_id=command.get("request_id"),
        validate_only=command.get("validate_only"),
        wait_for_answer=command.get("wait_for_answer"),
    )


def list_request(command: Command) -> pb.ListParticipantsRequest:
    return pb.ListParticipantsRequest(
        conference_id=command.get("conference"),
        page_size=command.get("page_size"),
        **_filters(command),
    )


def batch_request(command: Command) -> pb.BatchAddParticipantsRequest:
    return pb.BatchAddParticipantsRequest(
        conference_id=command.get("conference"),
        request_id=command.get("request_id"),
        resume=command.get("resume"),
        entries=[
            pb.BatchEntry(
                phone_number=entry.get("phone_number"),
                name=entry.get("name"),
                role=_number(pb.ParticipantRole, _ROLE, entry.get("role")),
            )
            for entry in command.get("entries") or ()
        ],
    )


def watch_arguments(command: Command, resume_from: State | None) -> dict[str, Any]:
    arguments = _filters(command)
    arguments["participant_ids"] = command.get("participant_ids") or ()
    arguments["resume_from"] = resume_from
    if command.get("heartbeat_s"):
        arguments["heartbeat_interval"] = timedelta(seconds=command["heartbeat_s"])
    return arguments


def participant_line(p: pb.Participant) -> dict[str, Any]:
    return {
        "id": p.id,
        "phone_number": p.phone_number,
        "name": p.name,
        "role": p.raw_role or _word(pb.ParticipantRole, _ROLE, p.role),
        "status": p.raw_status or _word(pb.ParticipantStatus, _STATUS, p.status),
        "muted": p.muted,
    }


def response_line(response: Any) -> dict[str, Any]:
    """The line of a control: its participant, or ok if it has none."""
    has_field = "participant" in response.DESCRIPTOR.fields_by_name
    if has_field and response.HasField("participant"):
        return {"participant": participant_line(response.participant)}
    return {"ok": True}


def list_line(pages: list[pb.ListParticipantsResponse]) -> dict[str, Any]:
    return {
        "participants": [participant_line(p) for page in pages for p in page.participants],
        "pages": len(pages),
        "total": pages[-1].total,
        "active": pages[-1].active,
    }


def batch_line(message: pb.BatchAddParticipantsResponse) -> dict[str, Any] | None:
    """The line of a message of a batch. Progress has none."""
    match message.WhichOneof("event"):
        case "accepted":
            return {"event": "accepted", "count": message.accepted.count}
        case "result" if message.result.HasField("error"):
            error = GatewayError.from_status(message.result.error)
            return {"event": "result", "index": message.result.index, "error": error_line(error)}
        case "result":
            participant = participant_line(message.result.participant)
            return {"event": "result", "index": message.result.index, "participant": participant}
        case "summary":
            counts = message.summary
            return {
                "event": "summary",
                "added": counts.added,
                "failed": counts.failed,
                "unknown": counts.unknown,
            }
        case _:
            return None


def state_line(state: State) -> dict[str, Any]:
    line: dict[str, Any] = {
        "state": state.kind.value,
        "roster": {id_: _roster_word(p) for id_, p in state.roster.items()},
        "fresh": state.fresh,
        "stale_reason": state.stale_reason,
        "total": state.total,
        "active": state.active,
        "changes": [_change_line(change) for change in state.changes],
    }
    if state.kind is Kind.SNAPSHOT:
        line["reason"] = _word(pb.SnapshotReason, "SNAPSHOT_REASON_", state.snapshot_reason)
    if state.kind is Kind.END:
        line["reason"] = _word(pb.WatchEndReason, "WATCH_END_REASON_", state.end_reason)
    if state.error:
        line["error"] = error_line(state.error)
    return line


def error_line(error: GatewayError) -> dict[str, Any]:
    line: dict[str, Any] = {"code": error.code.name, "reason": error.reason}
    if error.dialled:
        line["dialled"] = error.dialled
    if error.field_violations:
        line["fields"] = [violation.field for violation in error.field_violations]
    if error.retry_delay is not None:
        line["retry_after_ms"] = error.retry_delay / timedelta(milliseconds=1)
    return line


def read_commands() -> Any:
    """Yields the commands on stdin."""
    for line in sys.stdin:
        if line.strip():
            yield json.loads(line)


def _filters(command: Command) -> dict[str, Any]:
    return {
        "statuses": [
            _number(pb.ParticipantStatus, _STATUS, w) for w in command.get("statuses") or ()
        ],
        "roles": [_number(pb.ParticipantRole, _ROLE, w) for w in command.get("roles") or ()],
    }


def _change_line(change: pb.ParticipantChange) -> dict[str, Any]:
    line = {
        "kind": _word(pb.ChangeKind, "CHANGE_KIND_", change.kind),
        "participant": change.participant.id,
        "status": participant_line(change.participant)["status"],
    }
    if change.HasField("previous_status"):
        word = _word(pb.ParticipantStatus, _STATUS, change.previous_status)
        line["previous_status"] = change.previous_raw_status or word
    return line


def _roster_word(p: pb.Participant) -> str:
    return participant_line(p)["status"] + ("+muted" if p.muted else "")


def _number(enum: Any, prefix: str, word: str | None) -> int:
    return enum.Value(prefix + word.upper()) if word else 0


def _word(enum: Any, prefix: str, number: int) -> str:
    try:
        return enum.Name(number).removeprefix(prefix).lower()
    except ValueError:
        return str(number)
