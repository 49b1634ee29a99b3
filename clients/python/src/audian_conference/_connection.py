"""The connection of a client: its channel arguments, its metadata and its replacement."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import grpc

from audian_conference._errors import GatewayError
from audian_conference.v2.participant_service_pb2_grpc import ParticipantServiceStub

Options = Sequence[tuple[str, Any]]
Channel = TypeVar("Channel")

SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [
                {"service": "audian.conference.v2.ParticipantService", "method": method}
                for method in ("ListParticipants", "RemoveParticipant")
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "3s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}
"""The gateway's published service config, with load balancing."""

DEFAULT_OPTIONS: Options = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # A ping every 10 s while calls are open. The gateway allows one every 5 s.
    ("grpc.keepalive_time_ms", 10_000),
    # How long to wait for the answer. grpcio uses the second one, whose default is 60 s.
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    # Pings go on although a watch sends nothing after its request.
    ("grpc.http2.max_pings_without_data", 0),
    # Otherwise grpcio also pings after data, to measure the bandwidth, with the same time-out: a
    # network that stops for 5 s would then break the connection at once.
    ("grpc.http2.bdp_probe", 0),
    # A lost connection comes back soon after the network does. The default waits up to 120 s.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # The longest time for one attempt to connect.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # Without this, all channels of a process share one connection to an address, so that a new
    # channel would use the same silent connection.
    ("grpc.use_local_subchannel_pool", 1),
    # The snapshot of a very large conference.
    ("grpc.max_receive_message_length", 64 << 20),
)


class Connection(Generic[Channel]):
    """A channel, and the number of its open calls."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.stub = ParticipantServiceStub(channel)
        self.calls = 0


class Link(Generic[Channel]):
    """The connection of new calls, which can be replaced.

    Calls that have begun stay on the old connection, which is closed when the last of them has
    ended: one silent stream does not prove that the others are silent.
    """

    def __init__(self, dial: Callable[[], Channel], discard: Callable[[Channel], None]) -> None:
        self._dial = dial
        self._discard = discard
        # Reentrant, because the garbage collector may release a call while the lock is held.
        self._lock = threading.RLock()
        self._current: Connection[Channel] | None = None
        self._open: set[Connection[Channel]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the client was closed."""
        return self._closed

    def acquire(self) -> Connection[Channel]:
        """Returns the connection for a new call. The caller releases it once."""
        with self._lock:
            if self._closed:
                raise closed()
            if self._current is None:
                self._current = Connection(self._dial())
                self._open.add(self._current)
            self._current.calls += 1
            return self._current

    def release(self, connection: Connection[Channel]) -> None:
        """Ends one call of the connection."""
        with self._lock:
            connection.calls -= 1
        self._discard_unused(connection)

    def replace(self, connection: Connection[Channel]) -> None:
        """Makes later calls use another connection than this one."""
        with self._lock:
            if self._current is connection:
                self._current = None
        self._discard_unused(connection)

    def close(self) -> None:
        """Closes all connections. Their calls end."""
        with self._lock:
            self._closed = True
            self._current = None
            connections, self._open = self._open, set()
        for connection in connections:
            self._discard(connection.channel)

    def _discard_unused(self, connection: Connection[Channel]) -> None:
        with self._lock:
            used = connection.calls > 0 or connection is self._current
            if used or connection not in self._open:
                return
            self._open.remove(connection)
        self._discard(connection.channel)


class StreamCall(Generic[Channel]):
    """A streaming call. It ends at the latest when this object is dropped."""

    def __init__(self, link: Link[Channel], connection: Connection[Channel], call: Any) -> None:
        self._link = link
        self._connection = connection
        self._call = call
        self._end = weakref.finalize(self, _end_call, link, connection, call)
        self._end.atexit = False

    def cancel(self) -> None:
        """Ends the call."""
        self._end()

    def replace_connection(self) -> None:
        """Makes later calls of the client use a new connection."""
        self._link.replace(self._connection)


def _end_call(link: Link[Channel], connection: Connection[Channel], call: Any) -> None:
    call.cancel()  # It does nothing if the call has ended.
    link.release(connection)


def closed() -> GatewayError:
    """Returns the error of a call that closing has ended."""
    return GatewayError(grpc.StatusCode.CANCELLED, "the client or the watch is closed")


def bearer(credential: str | None) -> list[tuple[str, str]]:
    """Returns the metadata of a call.

    Raises:
        GatewayError: Metadata cannot carry the credential. grpcio's own error would contain it.
    """
    if not credential:
        return []
    if not (credential.isascii() and credential.isprintable()):
        raise GatewayError(
            grpc.StatusCode.INVALID_ARGUMENT, "the credential has characters that are not printable"
        )
    return [("authorization", f"Bearer {credential}")]


def credential_failed(error: Exception) -> GatewayError:
    """Returns the error of a call whose credential function failed. A watch tries again."""
    return GatewayError(
        grpc.StatusCode.UNAVAILABLE,
        f"the credential function failed: {type(error).__name__}",
        reason="CREDENTIAL_UNAVAILABLE",
    )


def channel_credentials(tls: bool | grpc.ChannelCredentials) -> grpc.ChannelCredentials | None:
    """Returns the credentials of an encrypted channel, or None for plaintext."""
    if isinstance(tls, grpc.ChannelCredentials):
        return tls
    return grpc.ssl_channel_credentials() if tls else None
