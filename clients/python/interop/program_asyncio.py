"""The program of the asyncio client. Watches and batches run in tasks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from audian_conference import AsyncClient, GatewayError, State
from interop import lines
from interop.lines import Command, emit


class Program:
    def __init__(self) -> None:
        self._client: AsyncClient | None = None
        self._credential: Any = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, State] = {}

    async def serve(self, command: Command) -> None:
        id_ = command["id"]
        try:
            line = await self._call(command)
        except GatewayError as error:
            lines.note_refusal(self._credential, error)
            line = {"error": lines.error_line(error)}
        if line:
            emit(id_, **line)

    async def close(self) -> None:
        for id_ in list(self._running):
            await self._stop(id_)
        if self._client:
            await self._client.close()

    async def _call(self, command: Command) -> dict[str, Any] | None:
        if simple := lines.simple_request(command):
            method, request = simple
            return lines.response_line(await getattr(self._client, method)(request))
        match command["call"]:
            case "connect":
                self._credential = lines.credential_of(command)
                self._client = AsyncClient(command["target"], credential=self._credential)
                return {"ok": True}
            case "add":
                response = await self._client.add_participant(lines.add_request(command))
                return {"participant": lines.participant_line(response.participant)}
            case "list":
                return lines.list_line(await self._pages(lines.list_request(command)))
            case "watch":
                self._start(command, self._watch(command, self._client, self._credential))
            case "batch":
                self._start(command, self._batch(command, self._client))
            case "stop":
                await self._stop(command["watch"])
                return {"ok": True}
            case _:
                return {"unsupported": True}
        return None

    async def _pages(self, request: Any) -> list[Any]:
        pages = [await self._client.list_participants(request)]
        while token := pages[-1].next_page_token:
            request.page_token = token
            pages.append(await self._client.list_participants(request))
        return pages

    def _start(self, command: Command, work: Any) -> None:
        self._running[command["id"]] = asyncio.create_task(self._print(command["id"], work))

    async def _stop(self, id_: str) -> None:
        self._running[id_].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running[id_]

    async def _print(self, id_: str, work: Any) -> None:
        try:
            await work
        except GatewayError as error:
            emit(id_, error=lines.error_line(error))
        except asyncio.CancelledError:
            emit(id_, done=True)
            raise
        else:
            emit(id_, done=True)

    async def _watch(self, command: Command, client: AsyncClient, credential: Any) -> None:
        resume_from = self._last.get(command.get("continue") or "")
        arguments = lines.watch_arguments(command, resume_from)
        async for state in client.watch(command["conference"], **arguments):
            self._last[command["id"]] = state
            lines.note_refusal(credential, state.error)
            emit(command["id"], **lines.state_line(state))

    async def _batch(self, command: Command, client: AsyncClient) -> None:
        async for message in await client.batch_add_participants(lines.batch_request(command)):
            if line := lines.batch_line(message):
                emit(command["id"], **line)


async def main() -> None:
    program = Program()
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            await program.serve(json.loads(line))
    await program.close()
