"""The program of the synchronous client. Watches and batches run in threads."""

from __future__ import annotations

import threading
from typing import Any

from audian_conference import Client, GatewayError, State
from interop import lines
from interop.lines import Command, emit


class Background:
    """A watch or a batch, and the thread that prints it."""

    def __init__(self, cancel: Any, run: Any) -> None:
        self._cancel = cancel
        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        self._cancel()
        self._thread.join()


class Program:
    def __init__(self) -> None:
        self._client: Client | None = None
        self._credential: Any = None
        self._running: dict[str, Background] = {}
        self._last: dict[str, State] = {}

    def serve(self, command: Command) -> None:
        id_ = command["id"]
        try:
            line = self._call(command)
        except GatewayError as error:
            lines.note_refusal(self._credential, error)
            line = {"error": lines.error_line(error)}
        if line:
            emit(id_, **line)

    def close(self) -> None:
        for running in self._running.values():
            running.stop()
        if self._client:
            self._client.close()

    def _call(self, command: Command) -> dict[str, Any] | None:
        if simple := lines.simple_request(command):
            method, request = simple
            return lines.response_line(getattr(self._client, method)(request))
        match command["call"]:
            case "connect":
                self._credential = lines.credential_of(command)
                self._client = Client(command["target"], credential=self._credential)
                return {"ok": True}
            case "add":
                response = self._client.add_participant(lines.add_request(command))
                return {"participant": lines.participant_line(response.participant)}
            case "list":
                return lines.list_line(self._pages(lines.list_request(command)))
            case "watch":
                self._watch(command)
            case "batch":
                self._batch(command)
            case "stop":
                self._running[command["watch"]].stop()
                return {"ok": True}
            case _:
                return {"unsupported": True}
        return None

    def _pages(self, request: Any) -> list[Any]:
        pages = [self._client.list_participants(request)]
        while token := pages[-1].next_page_token:
            request.page_token = token
            pages.append(self._client.list_participants(request))
        return pages

    def _watch(self, command: Command) -> None:
        id_, credential = command["id"], self._credential
        resume_from = self._last.get(command.get("continue") or "")
        watch = self._client.watch(
            command["conference"], **lines.watch_arguments(command, resume_from)
        )

        def run() -> None:
            try:
                for state in watch:
                    self._last[id_] = state
                    lines.note_refusal(credential, state.error)
                    emit(id_, **lines.state_line(state))
                emit(id_, done=True)
            except GatewayError as error:
                emit(id_, error=lines.error_line(error))

        self._running[id_] = Background(watch.close, run)

    def _batch(self, command: Command) -> None:
        id_ = command["id"]
        stream = self._client.batch_add_participants(lines.batch_request(command))
        stopped = threading.Event()

        def cancel() -> None:
            stopped.set()
            stream.cancel()

        def run() -> None:
            try:
                for message in stream:
                    if line := lines.batch_line(message):
                        emit(id_, **line)
                emit(id_, done=True)
            except GatewayError as error:
                emit(
                    id_,
                    **({"done": True} if stopped.is_set() else {"error": lines.error_line(error)}),
                )

        self._running[id_] = Background(cancel, run)


def main() -> None:
    program = Program()
    for command in lines.read_commands():
        program.serve(command)
    program.close()
