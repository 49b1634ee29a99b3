"""A scripted gateway in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from types import SimpleNamespace
from typing import Any

import grpc
from google.rpc import status_pb2

from audian_conference import pb
from audian_conference.v2 import participant_service_pb2_grpc as stubs

WAIT = "wait"
"""A step of a script: the call stays open and silent until the client ends it."""

TIMEOUT = 10
"""The longest time in seconds that a test waits for a condition."""


class Gateway(stubs.ParticipantServiceServicer):
    """Plays one script for each call: messages, a google.rpc.Status that ends it, or WAIT.

    A script that ends without a status ends the call OK. The last script is repeated.
    """

    def __init__(self) -> None:
        self.scripts: list[list[Any]] = [[]]
        self.calls: list[SimpleNamespace] = []
        self._open = 0
        self._changed = threading.Condition()

    def play(self, *scripts: list[Any]) -> None:
        self.scripts = list(scripts)

    def wait_for(self, condition: Any) -> bool:
        """Waits until condition() is true, which may depend on calls and on open calls."""
        with self._changed:
            return self._changed.wait_for(condition, TIMEOUT)

    def wait_until_waiting(self) -> bool:
        return self.wait_for(lambda: self._open == 1)

    def wait_until_idle(self) -> bool:
        return self.wait_for(lambda: self._open == 0)

    def WatchParticipants(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield from self._stream(request, context)

    def BatchAddParticipants(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield from self._stream(request, context)

    def AddParticipant(self, request: Any, context: grpc.ServicerContext) -> Any:
        return next(self._stream(request, context))

    def ListParticipants(self, request: Any, context: grpc.ServicerContext) -> Any:
        return next(self._stream(request, context))

    def GetParticipant(self, request: Any, context: grpc.ServicerContext) -> Any:
        return next(self._stream(request, context))

    def _stream(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        metadata = dict(context.invocation_metadata())
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        with self._changed:
            self.calls.append(
                SimpleNamespace(
                    request=request,
                    peer=context.peer(),
                    authorization=metadata.get("authorization"),
                )
            )
            self._changed.notify_all()
        for step in script:
            if step == WAIT:
                self._wait(context)
            elif isinstance(step, status_pb2.Status):
                _abort(context, step)
            else:
                yield step

    def _wait(self, context: grpc.ServicerContext) -> None:
        ended = threading.Event()
        self._count(1)
        if context.add_callback(ended.set):
            ended.wait(TIMEOUT)
        self._count(-1)

    def _count(self, calls: int) -> None:
        with self._changed:
            self._open += calls
            self._changed.notify_all()


def _abort(context: grpc.ServicerContext, status: status_pb2.Status) -> None:
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
    context.abort(code, status.message)


def serve(gateway: Gateway) -> tuple[grpc.Server, str]:
    """Starts the gateway on loopback. Returns the server and its address."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    stubs.add_ParticipantServiceServicer_to_server(gateway, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def added(id_: str) -> pb.AddParticipantResponse:
    return pb.AddParticipantResponse(participant=pb.Participant(id=id_))
