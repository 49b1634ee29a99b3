"""Calls of the gateway's REST API with the package requests."""

import contextlib
import json
from dataclasses import dataclass, field
from urllib.parse import quote

import requests
from urllib3.exceptions import ReadTimeoutError

# An add takes up to 75 s; the gateway itself ends every call before this.
CALL_SECONDS = 80


@dataclass
class GatewayError(Exception):
    """A failed call: the error body of docs/errors.md, or a failure of the connection."""

    code: str
    message: str
    reason: str = ""
    metadata: dict = field(default_factory=dict)
    fields: list = field(default_factory=list)
    retry_seconds: float | None = None

    @classmethod
    def from_body(cls, body):
        error = cls(body["status"], body["message"])
        for detail in body["details"]:
            match detail["@type"].rpartition(".")[2]:
                case "ErrorInfo":
                    error.reason, error.metadata = detail["reason"], detail["metadata"]
                case "BadRequest":
                    error.fields = [violation["field"] for violation in detail["field_violations"]]
                case "RetryInfo":
                    error.retry_seconds = float(detail["retry_delay"].removesuffix("s"))
        return error

    @classmethod
    def from_response(cls, response):
        try:
            return cls.from_body(response.json()["error"])
        except (ValueError, KeyError, TypeError):  # a proxy answered instead of the gateway
            return cls("UNAVAILABLE", f"HTTP status {response.status_code}")

    @classmethod
    def from_network(cls, error):
        # requests reports a time-out within a body as a ConnectionError.
        silent = isinstance(error, requests.Timeout) or any(isinstance(cause, ReadTimeoutError) for cause in error.args)
        return cls("UNAVAILABLE", str(error), reason="SILENT" if silent else "")


class Gateway:
    """One gateway, and the credentials that are used one after the other as they are refused."""

    def __init__(self, url, credentials=()):
        self.url = url
        self.credentials = list(credentials)

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.credentials[0]}"} if self.credentials else {}

    def refused(self):
        """Goes on to the next credential, if there is one."""
        if len(self.credentials) > 1:
            self.credentials.pop(0)

    def call(self, method, path, query=None, body=None):
        """Returns the decoded response; None if it has no body. Raises GatewayError."""
        try:
            response = requests.request(
                method, self.url + path, params=query, json=body, headers=self.headers, timeout=CALL_SECONDS
            )
        except requests.RequestException as error:
            raise GatewayError.from_network(error) from error
        if response.ok:
            return response.json() if response.content else None
        error = GatewayError.from_response(response)
        if error.code == "UNAUTHENTICATED":
            self.refused()
        raise error

    def stream(self, method, path, query=None, body=None, silence=None):
        """Returns a Stream of NDJSON messages. silence is the longest time in seconds without a byte."""
        try:
            return Stream(
                requests.request(
                    method, self.url + path, params=query, json=body, headers=self.headers, stream=True, timeout=silence
                )
            )
        except requests.RequestException as error:
            raise GatewayError.from_network(error) from error


class Stream:
    """The messages of an NDJSON response, on a connection of its own."""

    def __init__(self, response):
        self.response = response
        self.cancelled = False

    def __iter__(self):
        with self.response:
            try:
                if not self.response.ok:
                    raise GatewayError.from_response(self.response)
                for line in self.response.iter_lines():
                    message = json.loads(line)
                    if failure := message.get("error"):
                        raise GatewayError.from_body(failure)
                    yield message
            except (requests.RequestException, ValueError) as error:  # ValueError: a line that was cut
                if not self.cancelled:
                    raise GatewayError.from_network(error) from error

    def cancel(self):
        """Ends the iteration, from another thread."""
        self.cancelled = True
        with contextlib.suppress(RuntimeError, ValueError, OSError):  # it has ended by itself
            self.response.raw.shutdown()


def participants(conference):
    return f"/v2/conferences/{quote(conference, safe='')}/participants"


def participant(conference, participant_id):
    return f"{participants(conference)}/{quote(participant_id, safe='')}"
