"""A client of the conformance test: the Python client that OpenAPI Generator makes. Commands in, results out."""

import json
import sys

from openapi_client import ApiClient, Configuration
from openapi_client.api.participants_api import ParticipantsApi
from openapi_client.exceptions import ApiException
from openapi_client.models import AddParticipantRequest, Error
from urllib3.exceptions import HTTPError

ADD_FIELDS = ("phone_number", "name", "role", "muted", "request_id", "validate_only", "wait_for_answer")
LIST_FIELDS = ("statuses", "roles", "page_size")


def select(command, names):
    return {name: command[name] for name in names if command.get(name) is not None}


def unchecked(method):
    """The method without the client's own checks, so that the gateway checks the arguments."""
    return method.__func__.raw_function.__get__(method.__self__)


def participant_result(p):
    return {
        "id": p.id,
        "phone_number": p.phone_number,
        "name": p.name,
        "role": p.role,
        "status": p.status or "unspecified",
        "muted": p.muted,
    }


def error_result(body):
    result = {"code": body.status, "reason": ""}
    for detail in body.details:
        match detail.type.rpartition(".")[2]:
            case "ErrorInfo":
                result["reason"] = detail.reason
                if detail.metadata.dialled:
                    result["dialled"] = detail.metadata.dialled
            case "BadRequest":
                result["fields"] = [violation.var_field for violation in detail.field_violations]
            case "RetryInfo":
                result["retry_after_ms"] = round(float(detail.retry_delay.removesuffix("s")) * 1000)
    return result


class Program:
    def __init__(self):
        self.api = None

    def serve(self, command):
        try:
            return self.call(command)
        except ApiException as error:
            if isinstance(error.data, Error):
                return {"error": error_result(error.data.error)}
            return {"error": {"code": "UNAVAILABLE", "reason": ""}}
        except HTTPError:  # the connection failed
            return {"error": {"code": "UNAVAILABLE", "reason": ""}}

    def call(self, command):
        match command["call"]:
            case "connect":
                configuration = Configuration(host=command["url"], access_token=command.get("credential"))
                self.api = ParticipantsApi(ApiClient(configuration))
                return {"ok": True}
            case "add":
                request = AddParticipantRequest.model_construct(**select(command, ADD_FIELDS))
                return self.one(self.api.add_participant(command["conference"], request))
            case "list":
                return self.list(command)
            case "get" | "mute" | "unmute" | "hold" | "resume" | "disconnect" | "remove" as call:
                method = getattr(self.api, f"{call}_participant")
                return self.one(method(command["conference"], command["participant"]))
            case "mute_all" | "refresh" as call:
                return self.one(getattr(self.api, f"{call}_participants")(command["conference"]))
            case _:
                return {"unsupported": True}

    @staticmethod
    def one(found):
        return {"participant": participant_result(found)} if found else {"ok": True}

    def list(self, command):
        query = select(command, LIST_FIELDS)
        found, pages = [], 0
        while True:
            page = unchecked(self.api.list_participants)(command["conference"], **query)
            found += map(participant_result, page.participants)
            pages += 1
            if not page.next_page_token:
                return {"participants": found, "pages": pages, "total": page.total, "active": page.active}
            query["page_token"] = page.next_page_token


program = Program()
for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps({"id": command["id"], **program.serve(command)}), flush=True)
