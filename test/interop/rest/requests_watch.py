"""A watch that survives lost and silent connections, with the package requests."""

import random
import threading
from dataclasses import dataclass, field

from requests_gateway import GatewayError, participants

FINAL = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "OUT_OF_RANGE",
    "ALREADY_EXISTS",
}
FRESH = (True, "")
DISCONNECTED = (False, "DISCONNECTED")


@dataclass
class State:
    """What is known about a conference at one time."""

    kind: str
    roster: dict = field(default_factory=dict)
    freshness: tuple = FRESH  # whether it is fresh, and the stale reason
    token: str = ""
    total: int | None = None
    active: int | None = None
    changes: list = field(default_factory=list)
    reason: str = ""
    error: GatewayError | None = None


class Watch:
    """The states of a conference, from the first snapshot or from an earlier state on."""

    def __init__(self, gateway, conference, filters=None, heartbeat=15, resume_from=None):
        self.gateway = gateway
        self.path = participants(conference) + ":watch"
        self.filters = filters or {}
        self.heartbeat = heartbeat
        start = resume_from or State("")
        self.roster, self.token, self.shown = dict(start.roster), start.token, start.freshness
        self.known = FRESH  # as the gateway last reported it
        self.total = self.active = None
        self.stream = None
        self.cancelled = threading.Event()

    def cancel(self):
        """Ends the iteration, from another thread."""
        self.cancelled.set()
        if self.stream:
            self.stream.cancel()

    def __iter__(self):
        connected, backoff = True, 0.25
        while not self.cancelled.is_set():
            called = False  # whether this call got a message
            try:
                for message in self.messages():
                    called = connected = True
                    if state := self.apply(message):
                        yield state
                        if state.kind == "end":
                            return
                raise GatewayError("UNAVAILABLE", "the stream ended before its last message")
            except GatewayError as error:
                if self.cancelled.is_set():
                    return
                if error.code in FINAL and not (called and self.renewed(error)):
                    raise
                if connected:
                    yield self.state("disconnected", DISCONNECTED, error=error)
                connected, backoff = False, 0.25 if called else backoff
                self.cancelled.wait(max(error.retry_seconds or 0, backoff) * random.uniform(1, 1.25))
                backoff = min(2 * backoff, 10)

    def renewed(self, error):
        """Returns whether there is a new credential after one has expired."""
        if error.code != "UNAUTHENTICATED" or len(self.gateway.credentials) < 2:
            return False
        self.gateway.refused()
        return True

    def messages(self):
        query = {**self.filters, "heartbeat_interval": f"{self.heartbeat}s"}
        if self.token:
            query["resume_token"] = self.token
        self.stream = self.gateway.stream("GET", self.path, query, silence=2 * self.heartbeat)
        if self.cancelled.is_set():
            self.stream.cancel()
        return self.stream

    def apply(self, message):
        """Applies a message, and returns the state after it, or None if it says nothing new."""
        state = None
        for event in APPLY.keys() & message.keys():
            state = APPLY[event](self, message)
        self.token = message["resume_token"]
        if state:
            state.token = self.token
        return state

    def snapshot(self, message):
        snapshot = message["snapshot"]
        self.roster = {p["id"]: p for p in snapshot["participants"]}
        self.count(snapshot)
        return self.state("snapshot", self.known, reason=snapshot["reason"])

    def changes(self, message):
        changes = message["changes"]["changes"]
        for change in changes:
            if change["kind"] in ("removed", "left_filter"):
                self.roster.pop(change["participant"]["id"], None)
            else:
                self.roster[change["participant"]["id"]] = change["participant"]
        return self.state("changes", self.known, changes=changes)

    def checkpoint(self, message):
        checkpoint = message["checkpoint"]
        self.count(checkpoint)
        self.check_count(checkpoint)
        self.known = checkpoint["freshness"] == "fresh", checkpoint["stale_reason"]
        return self.state("freshness", self.known) if self.known != self.shown else None

    def end(self, message):
        return self.state("end", self.known, reason=message["end"]["reason"])

    def count(self, event):
        if event["total"] is not None:
            self.total, self.active = event["total"], event["active"]

    def check_count(self, checkpoint):
        expected = checkpoint["participant_count"]
        if expected is not None and expected != len(self.roster):
            self.token = ""
            raise GatewayError("DATA_LOSS", f"{expected} participants expected", reason="ROSTER_MISMATCH")

    def state(self, kind, freshness, **more):
        self.shown = freshness
        return State(kind, dict(self.roster), freshness, self.token, self.total, self.active, **more)


APPLY = {
    "snapshot": Watch.snapshot,
    "changes": Watch.changes,
    "checkpoint": Watch.checkpoint,
    "end": Watch.end,
}
