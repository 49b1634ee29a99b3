"""The error of all calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN = "participant-gateway"
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class FieldViolation:
    """An invalid field of a request.

    Attributes:
        field: The path of the field, for example ``entries[3].phone_number``.
        description: What the field must be.
    """

    field: str
    description: str


class GatewayError(Exception):
    """A failed call.

    Attributes:
        code: The gRPC code.
        message: A text for people.
        reason: The stable reason, for programs. The gateway's reasons are in its docs/errors.md.
            This package adds SILENT, STREAM_ENDED, ROSTER_MISMATCH and CREDENTIAL_UNAVAILABLE.
            Empty if the error comes from neither, for example from a closed connection.
        metadata: More about the reason, for example ``upstream_request_id``.
        dialled: For an add: ``no`` if surely no phone rings because of the call, ``unknown`` if
            one may ring. None if the error does not say.
        field_violations: The invalid fields of an INVALID_ARGUMENT.
        retry_delay: How long to wait before the next try. None if the error does not say.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str = "",
        *,
        reason: str = "",
        details: Iterable[Any] = (),
    ) -> None:
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata: Mapping[str, str] = {}
        self.field_violations: tuple[FieldViolation, ...] = ()
        self.retry_delay: timedelta | None = None
        for detail in details:
            self._add(detail)
        super().__init__(code, message)

    def __str__(self) -> str:
        return ": ".join(text for text in (self.code.name, self.reason, self.message) if text)

    @property
    def dialled(self) -> str | None:
        """Whether a phone may ring because of an add: ``no``, ``unknown`` or None."""
        return self.metadata.get("dialled")

    @classmethod
    def from_rpc_error(cls, error: grpc.RpcError) -> GatewayError:
        """Returns the error of a call that was made with a plain grpcio stub, sync or asyncio."""
        details = b""
        metadata: Any = error.trailing_metadata() or ()  # The type differs with asyncio.
        for key, value in metadata:
            if key == "grpc-status-details-bin":
                details = value
        return cls(error.code(), error.details() or "", details=_decode(details))

    @classmethod
    def from_status(cls, status: status_pb2.Status) -> GatewayError:
        """Returns the error in a message, for example in the result of an entry of a batch."""
        code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
        return cls(code, status.message, details=status.details)

    def _add(self, detail: Any) -> None:
        """Takes over one google.protobuf.Any. One that cannot be read is left out."""
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        try:
            if detail.Unpack(info) and info.domain == _DOMAIN:
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.field_violations = tuple(
                    FieldViolation(v.field, v.description) for v in bad.field_violations
                )
            elif detail.Unpack(retry):
                self.retry_delay = max(timedelta(0), retry.retry_delay.ToTimedelta())
        except (DecodeError, OverflowError, ValueError):
            return


def _decode(details: Any) -> Iterable[Any]:
    try:
        return status_pb2.Status.FromString(details).details
    except DecodeError:
        return ()
