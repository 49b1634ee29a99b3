"""The asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio

from audian_conference import _connection, _rules
from audian_conference._connection import Link, Options, StreamCall
from audian_conference._errors import GatewayError
from audian_conference._rules import WatchRules
from audian_conference._state import State
from audian_conference.v2 import participant_service_pb2 as pb

Message = TypeVar("Message")


class AsyncStream(StreamCall[grpc.aio.Channel], Generic[Message]):
    """The messages of one streaming call. Its errors are GatewayError.

    ``cancel`` ends the call.
    """

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        try:
            message = await self._call.read()
        except grpc.RpcError as error:
            self.cancel()
            raise GatewayError.from_rpc_error(error) from error
        if message is grpc.aio.EOF:
            self.cancel()
            raise StopAsyncIteration
        return message


class AsyncWatch:
    """The states of a conference: an async iterator, and a context manager that closes it.

    Cancelling the task that waits for a state closes the watch. See ``AsyncClient.watch``.
    """

    def __init__(
        self,
        rules: WatchRules,
        open_stream: Callable[
            [pb.WatchParticipantsRequest], Awaitable[AsyncStream[pb.WatchParticipantsResponse]]
        ],
    ) -> None:
        self._rules = rules
        self._open_stream = open_stream
        self._stream: AsyncStream[pb.WatchParticipantsResponse] | None = None
        self._reading: asyncio.Future[pb.WatchParticipantsResponse] | None = None
        self._closed = asyncio.Event()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[State]:
        return self

    async def __anext__(self) -> State:
        while not self._closed.is_set():
            try:
                state = await self._advance()
            except asyncio.CancelledError:
                self._close()
                raise
            if state:
                return state
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the call and the iteration. Another task may wait for a state meanwhile."""
        self._close()
        if self._reading:
            await asyncio.wait({self._reading})

    def _close(self) -> None:
        self._closed.set()
        if self._reading:
            self._reading.cancel()
        if self._stream:
            self._stream.cancel()

    async def _advance(self) -> State | None:
        """Waits for the next message or error. Returns its state, if it has one."""
        try:
            state = self._rules.apply(await self._receive())
        except GatewayError as error:
            return self._break(error)
        if self._rules.ended:
            self._close()
        return state

    async def _receive(self) -> pb.WatchParticipantsResponse:
        stream = self._stream or await self._reopen()
        # The time runs only while this task waits for the network. The read is a task of its
        # own: when the call is cancelled, grpcio cancels the task that reads.
        self._reading = asyncio.ensure_future(anext(stream))
        await asyncio.wait({self._reading}, timeout=self._rules.silence)
        if not self._reading.done():
            self._reading.cancel()
            stream.replace_connection()
            raise _rules.silent(self._rules.silence)
        if self._reading.cancelled():
            raise _connection.closed()
        try:
            return self._reading.result()
        except StopAsyncIteration:
            raise _rules.stream_ended() from None

    async def _reopen(self) -> AsyncStream[pb.WatchParticipantsResponse]:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._closed.wait(), self._rules.delay)
        if self._closed.is_set():
            raise _connection.closed()
        self._stream = await self._open_stream(self._rules.request())
        if self._closed.is_set():  # aclose() may have run while the credential was awaited.
            self._stream.cancel()
        return self._stream

    def _break(self, error: GatewayError) -> State | None:
        if self._stream:
            self._stream.cancel()
            self._stream = None
        if self._closed.is_set():
            return None
        try:
            return self._rules.broken(error)
        except GatewayError:
            self._close()
            raise


class AsyncClient:
    """A client of the participant gateway for asyncio. Use it in one event loop.

    The connection is made at the first call, and again when it is lost.

    Args:
        target: The address, for example ``gateway:9090`` or ``dns:///gateway:9090``.
        credential: The API key or bearer token, or a function, async or not, that returns one.
            The function is called before each call. With a function, a watch goes on when its
            token expires.
        tls: False for plaintext, True for TLS with the system's certificate authorities, or
            the channel credentials of grpcio.
        options: Further channel arguments of grpcio. They replace this package's.
    """

    def __init__(
        self,
        target: str,
        *,
        credential: str | Callable[[], str | Awaitable[str]] | None = None,
        tls: bool | grpc.ChannelCredentials = False,
        options: Options = (),
    ) -> None:
        self._credential = credential
        self._watches: weakref.WeakSet[AsyncWatch] = weakref.WeakSet()
        self._closing: set[asyncio.Task[None]] = set()
        credentials = _connection.channel_credentials(tls)
        arguments = (*_connection.DEFAULT_OPTIONS, *options)

        def dial() -> grpc.aio.Channel:
            if credentials:
                return grpc.aio.secure_channel(target, credentials, arguments)
            return grpc.aio.insecure_channel(target, arguments)

        self._link: Link[grpc.aio.Channel] = Link(dial, self._discard)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection. Open calls end, and watches end without an error."""
        for watch in list(self._watches):
            await watch.aclose()
        self._link.close()
        await asyncio.gather(*self._closing)

    def watch(
        self,
        conference: str,
        *,
        statuses: Iterable[pb.ParticipantStatus] = (),
        roles: Iterable[pb.ParticipantRole] = (),
        participant_ids: Iterable[str] = (),
        heartbeat_interval: timedelta = _rules.DEFAULT_HEARTBEAT,
        resume_from: State | None = None,
    ) -> AsyncWatch:
        """Watches a conference.

        Arguments, states and errors are those of ``Client.watch``.
        """
        rules = WatchRules(
            conference,
            statuses=statuses,
            roles=roles,
            participant_ids=participant_ids,
            heartbeat_interval=heartbeat_interval,
            resume_from=resume_from,
            renewable=callable(self._credential),
        )
        watch = AsyncWatch(rules, lambda request: self._stream("WatchParticipants", request, None))
        self._watches.add(watch)
        return watch

    async def add_participant(
        self, request: pb.AddParticipantRequest, *, timeout: float | None = None
    ) -> pb.AddParticipantResponse:
        """Dials a number. After an error, see ``GatewayError.dialled`` before another add."""
        return await self._unary("AddParticipant", request, timeout)

    async def remove_participant(
        self, request: pb.RemoveParticipantRequest, *, timeout: float | None = None
    ) -> pb.RemoveParticipantResponse:
        """Ends a participant's call and removes them."""
        return await self._unary("RemoveParticipant", request, timeout)

    async def list_participants(
        self, request: pb.ListParticipantsRequest, *, timeout: float | None = None
    ) -> pb.ListParticipantsResponse:
        """Returns one page of the participants."""
        return await self._unary("ListParticipants", request, timeout)

    async def get_participant(
        self, request: pb.GetParticipantRequest, *, timeout: float | None = None
    ) -> pb.GetParticipantResponse:
        """Returns one participant."""
        return await self._unary("GetParticipant", request, timeout)

    async def mute_participant(
        self, request: pb.MuteParticipantRequest, *, timeout: float | None = None
    ) -> pb.MuteParticipantResponse:
        """Mutes a participant."""
        return await self._unary("MuteParticipant", request, timeout)

    async def unmute_participant(
        self, request: pb.UnmuteParticipantRequest, *, timeout: float | None = None
    ) -> pb.UnmuteParticipantResponse:
        """Ends the muting of a participant."""
        return await self._unary("UnmuteParticipant", request, timeout)

    async def hold_participant(
        self, request: pb.HoldParticipantRequest, *, timeout: float | None = None
    ) -> pb.HoldParticipantResponse:
        """Puts a participant on hold."""
        return await self._unary("HoldParticipant", request, timeout)

    async def resume_participant(
        self, request: pb.ResumeParticipantRequest, *, timeout: float | None = None
    ) -> pb.ResumeParticipantResponse:
        """Ends the hold of a participant."""
        return await self._unary("ResumeParticipant", request, timeout)

    async def disconnect_participant(
        self, request: pb.DisconnectParticipantRequest, *, timeout: float | None = None
    ) -> pb.DisconnectParticipantResponse:
        """Ends a participant's call."""
        return await self._unary("DisconnectParticipant", request, timeout)

    async def mute_all_participants(
        self, request: pb.MuteAllParticipantsRequest, *, timeout: float | None = None
    ) -> pb.MuteAllParticipantsResponse:
        """Asks the upstream to mute the participants of a conference."""
        return await self._unary("MuteAllParticipants", request, timeout)

    async def refresh_participants(
        self, request: pb.RefreshParticipantsRequest, *, timeout: float | None = None
    ) -> pb.RefreshParticipantsResponse:
        """Asks for the next list of a watched conference earlier."""
        return await self._unary("RefreshParticipants", request, timeout)

    async def batch_add_participants(
        self, request: pb.BatchAddParticipantsRequest, *, timeout: float | None = None
    ) -> AsyncStream[pb.BatchAddParticipantsResponse]:
        """Adds many participants. A stream without BatchSummary is incomplete: resume it."""
        return await self._stream("BatchAddParticipants", request, timeout)

    async def watch_conferences(
        self, request: pb.WatchConferencesRequest, *, timeout: float | None = None
    ) -> AsyncStream[pb.WatchConferencesResponse]:
        """Watches many conferences. This is the plain call: it does not resume by itself."""
        return await self._stream("WatchConferences", request, timeout)

    async def _metadata(self) -> list[tuple[str, str]]:
        credential = self._credential
        if callable(credential):
            try:
                returned = credential()
                credential = await returned if inspect.isawaitable(returned) else returned
            except GatewayError:
                raise
            except Exception as error:
                raise _connection.credential_failed(error) from error
        return _connection.bearer(credential)

    async def _unary(self, method: str, request: Any, timeout: float | None) -> Any:
        metadata = await self._metadata()
        connection = self._link.acquire()
        try:
            call = getattr(connection.stub, method)
            return await call(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise GatewayError.from_rpc_error(error) from error
        finally:
            self._link.release(connection)

    async def _stream(self, method: str, request: Any, timeout: float | None) -> AsyncStream[Any]:
        metadata = await self._metadata()
        connection = self._link.acquire()
        call = getattr(connection.stub, method)(request, timeout=timeout, metadata=metadata)
        return AsyncStream(self._link, connection, call)

    def _discard(self, channel: grpc.aio.Channel) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # The loop has ended. grpcio closes the channel with its last reference.
        task = loop.create_task(channel.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
