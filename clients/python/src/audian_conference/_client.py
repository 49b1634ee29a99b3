"""The synchronous client."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc

from audian_conference import _connection, _rules
from audian_conference._connection import Link, Options, StreamCall
from audian_conference._errors import GatewayError
from audian_conference._rules import WatchRules
from audian_conference._state import State
from audian_conference.v2 import participant_service_pb2 as pb

Message = TypeVar("Message")


class Stream(StreamCall[grpc.Channel], Generic[Message]):
    """The messages of one streaming call. Its errors are GatewayError.

    ``cancel`` ends the call; it may be called in another thread.
    """

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        try:
            return next(self._call)
        except StopIteration:
            self.cancel()
            raise
        except grpc.RpcError as error:
            self.cancel()
            raise GatewayError.from_rpc_error(error) from error


class Watch:
    """The states of a conference: an iterator, and a context manager that closes it.

    See ``Client.watch``.
    """

    def __init__(
        self,
        rules: WatchRules,
        open_stream: Callable[[pb.WatchParticipantsRequest], Stream[pb.WatchParticipantsResponse]],
    ) -> None:
        self._rules = rules
        self._open_stream = open_stream
        self._stream: Stream[pb.WatchParticipantsResponse] | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[State]:
        return self

    def __next__(self) -> State:
        while not self._closed.is_set():
            if state := self._advance():
                return state
        raise StopIteration

    def close(self) -> None:
        """Ends the call and the iteration. It may be called in another thread."""
        self._closed.set()
        stream = self._stream  # Another thread may set it to None.
        if stream:
            stream.cancel()

    def _advance(self) -> State | None:
        """Waits for the next message or error. Returns its state, if it has one."""
        try:
            state = self._rules.apply(self._receive())
        except GatewayError as error:
            return self._break(error)
        if self._rules.ended:
            self.close()
        return state

    def _receive(self) -> pb.WatchParticipantsResponse:
        stream = self._stream or self._reopen()
        silence = threading.Event()

        def end_silent_call() -> None:
            silence.set()
            stream.cancel()

        # The timer runs only while this thread waits for the network.
        timer = threading.Timer(self._rules.silence, end_silent_call)
        timer.daemon = True
        timer.start()
        try:
            return next(stream)
        except StopIteration:
            raise _rules.stream_ended() from None
        except GatewayError:
            if not silence.is_set():
                raise
            stream.replace_connection()
            raise _rules.silent(self._rules.silence) from None
        finally:
            timer.cancel()

    def _reopen(self) -> Stream[pb.WatchParticipantsResponse]:
        if self._closed.wait(self._rules.delay):
            raise _connection.closed()
        self._stream = self._open_stream(self._rules.request())
        if self._closed.is_set():  # close() may have run before there was a stream to cancel.
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
            self.close()
            raise


class Client:
    """A client of the participant gateway. Threads may share it.

    The connection is made at the first call, and again when it is lost. After a fork, make a
    client in the child.

    Args:
        target: The address, for example ``gateway:9090`` or ``dns:///gateway:9090``.
        credential: The API key or bearer token, or a function that returns one. The function is
            called before each call. With a function, a watch goes on when its token expires.
        tls: False for plaintext, True for TLS with the system's certificate authorities, or
            the channel credentials of grpcio.
        options: Further channel arguments of grpcio. They replace this package's.
    """

    def __init__(
        self,
        target: str,
        *,
        credential: str | Callable[[], str] | None = None,
        tls: bool | grpc.ChannelCredentials = False,
        options: Options = (),
    ) -> None:
        self._credential = credential
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        credentials = _connection.channel_credentials(tls)
        arguments = (*_connection.DEFAULT_OPTIONS, *options)

        def dial() -> grpc.Channel:
            if credentials:
                return grpc.secure_channel(target, credentials, arguments)
            return grpc.insecure_channel(target, arguments)

        self._link: Link[grpc.Channel] = Link(dial, lambda channel: channel.close())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection. Open calls end, and watches end without an error."""
        for watch in list(self._watches):
            watch.close()
        self._link.close()

    def watch(
        self,
        conference: str,
        *,
        statuses: Iterable[pb.ParticipantStatus] = (),
        roles: Iterable[pb.ParticipantRole] = (),
        participant_ids: Iterable[str] = (),
        heartbeat_interval: timedelta = _rules.DEFAULT_HEARTBEAT,
        resume_from: State | None = None,
    ) -> Watch:
        """Watches a conference.

        The first state is a snapshot; with ``resume_from`` it is what changed since, or a
        FRESHNESS state if nothing did. When the stream breaks, the watch gives one DISCONNECTED
        state, waits (0.25 s, doubled up to 10 s, at least as long as the gateway asks for) and
        calls again from the last position. It replaces a connection that is silent for two
        heartbeats. Each message is read when the next state is asked for.

        Args:
            conference: The id of the conference.
            statuses: Only participants with one of these statuses. Default: all.
            roles: Only participants with one of these roles. Default: all.
            participant_ids: Only these participants, who need not exist yet. Default: all.
            heartbeat_interval: The longest time between two messages: 5 to 60 seconds.
            resume_from: An earlier state of this conference. Its roster and token are enough.

        Returns:
            An iterator that ends after the END state, or when it or the client is closed. It
            raises GatewayError for an error that another call cannot change: INVALID_ARGUMENT,
            NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION, UNIMPLEMENTED,
            OUT_OF_RANGE or ALREADY_EXISTS.
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
        watch = Watch(rules, lambda request: self._stream("WatchParticipants", request, None))
        self._watches.add(watch)
        return watch

    def add_participant(
        self, request: pb.AddParticipantRequest, *, timeout: float | None = None
    ) -> pb.AddParticipantResponse:
        """Dials a number. After an error, see ``GatewayError.dialled`` before another add."""
        return self._unary("AddParticipant", request, timeout)

    def remove_participant(
        self, request: pb.RemoveParticipantRequest, *, timeout: float | None = None
    ) -> pb.RemoveParticipantResponse:
        """Ends a participant's call and removes them."""
        return self._unary("RemoveParticipant", request, timeout)

    def list_participants(
        self, request: pb.ListParticipantsRequest, *, timeout: float | None = None
    ) -> pb.ListParticipantsResponse:
        """Returns one page of the participants."""
        return self._unary("ListParticipants", request, timeout)

    def get_participant(
        self, request: pb.GetParticipantRequest, *, timeout: float | None = None
    ) -> pb.GetParticipantResponse:
        """Returns one participant."""
        return self._unary("GetParticipant", request, timeout)

    def mute_participant(
        self, request: pb.MuteParticipantRequest, *, timeout: float | None = None
    ) -> pb.MuteParticipantResponse:
        """Mutes a participant."""
        return self._unary("MuteParticipant", request, timeout)

    def unmute_participant(
        self, request: pb.UnmuteParticipantRequest, *, timeout: float | None = None
    ) -> pb.UnmuteParticipantResponse:
        """Ends the muting of a participant."""
        return self._unary("UnmuteParticipant", request, timeout)

    def hold_participant(
        self, request: pb.HoldParticipantRequest, *, timeout: float | None = None
    ) -> pb.HoldParticipantResponse:
        """Puts a participant on hold."""
        return self._unary("HoldParticipant", request, timeout)

    def resume_participant(
        self, request: pb.ResumeParticipantRequest, *, timeout: float | None = None
    ) -> pb.ResumeParticipantResponse:
        """Ends the hold of a participant."""
        return self._unary("ResumeParticipant", request, timeout)

    def disconnect_participant(
        self, request: pb.DisconnectParticipantRequest, *, timeout: float | None = None
    ) -> pb.DisconnectParticipantResponse:
        """Ends a participant's call."""
        return self._unary("DisconnectParticipant", request, timeout)

    def mute_all_participants(
        self, request: pb.MuteAllParticipantsRequest, *, timeout: float | None = None
    ) -> pb.MuteAllParticipantsResponse:
        """Asks the upstream to mute the participants of a conference."""
        return self._unary("MuteAllParticipants", request, timeout)

    def refresh_participants(
        self, request: pb.RefreshParticipantsRequest, *, timeout: float | None = None
    ) -> pb.RefreshParticipantsResponse:
        """Asks for the next list of a watched conference earlier."""
        return self._unary("RefreshParticipants", request, timeout)

    def batch_add_participants(
        self, request: pb.BatchAddParticipantsRequest, *, timeout: float | None = None
    ) -> Stream[pb.BatchAddParticipantsResponse]:
        """Adds many participants. A stream without BatchSummary is incomplete: resume it."""
        return self._stream("BatchAddParticipants", request, timeout)

    def watch_conferences(
        self, request: pb.WatchConferencesRequest, *, timeout: float | None = None
    ) -> Stream[pb.WatchConferencesResponse]:
        """Watches many conferences. This is the plain call: it does not resume by itself."""
        return self._stream("WatchConferences", request, timeout)

    def _metadata(self) -> list[tuple[str, str]]:
        credential = self._credential
        if callable(credential):
            try:
                credential = credential()
            except GatewayError:
                raise
            except Exception as error:
                raise _connection.credential_failed(error) from error
        return _connection.bearer(credential)

    def _unary(self, method: str, request: Any, timeout: float | None) -> Any:
        metadata = self._metadata()
        connection = self._link.acquire()
        try:
            return getattr(connection.stub, method)(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise GatewayError.from_rpc_error(error) from error
        except ValueError:
            if self._link.closed:
                raise _connection.closed() from None
            raise
        finally:
            self._link.release(connection)

    def _stream(self, method: str, request: Any, timeout: float | None) -> Stream[Any]:
        metadata = self._metadata()
        connection = self._link.acquire()
        try:
            call = getattr(connection.stub, method)(request, timeout=timeout, metadata=metadata)
        except BaseException:
            self._link.release(connection)
            if self._link.closed:
                raise _connection.closed() from None
            raise
        return Stream(self._link, connection, call)
