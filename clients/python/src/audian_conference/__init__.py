"""A client of the participant gateway: Client for threads, AsyncClient for asyncio."""

from audian_conference._aio import AsyncClient, AsyncStream, AsyncWatch
from audian_conference._client import Client, Stream, Watch
from audian_conference._errors import FieldViolation, GatewayError
from audian_conference._state import DISCONNECTED, Kind, State
from audian_conference.v2 import participant_service_pb2 as pb

__all__ = [
    "DISCONNECTED",
    "AsyncClient",
    "AsyncStream",
    "AsyncWatch",
    "Client",
    "FieldViolation",
    "GatewayError",
    "Kind",
    "State",
    "Stream",
    "Watch",
    "pb",
]
