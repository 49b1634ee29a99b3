"""The client of the conformance test that uses the package requests: commands in, results out."""

import json
import sys
import threading

from requests_gateway import Gateway, GatewayError, participant, participants
from requests_watch import Watch

CONTROLS = {"mute", "unmute", "hold", "resume", "disconnect"}
ADD_FIELDS = ("phone_number", "name", "role", "muted", "request_id", "validate_only", "wait_for_answer")
BATCH_FIELDS = ("entries", "request_id", "resume")
FILTERS = ("statuses", "roles", "participant_ids")
printing = threading.Lock()


def show(command, **result):
    with printing:
        print(json.dumps({"id": command["id"], **result}), flush=True)


def select(command, names):
    return {name: command[name] for name in names if command.get(name) is not None}


def error_json(error):
    result = {"code": error.code, "reason": error.reason}
    if dialled := error.metadata.get("dialled"):
        result["dialled"] = dialled
    if error.fields:
        result["fields"] = error.fields
    if error.retry_seconds is not None:
        result["retry_after_ms"] = round(error.retry_seconds * 1000)
    return result


def participant_json(p):
    return {**select(p, ("id", "phone_number", "name", "role", "muted")), "status": status(p)}


def status(p):
    return p["status"] or "unspecified"


def state_json(state):
    fresh, stale_reason = state.freshness
    roster = {key: status(p) + ("+muted" if p["muted"] else "") for key, p in state.roster.items()}
    result = {"state": state.kind, "roster": roster, "fresh": fresh, "stale_reason": stale_reason}
    if state.total is not None:
        result |= {"total": state.total, "active": state.active}
    if state.reason:
        result["reason"] = state.reason
    if state.error:
        result["error"] = error_json(state.error)
    if state.changes:
        result["changes"] = [change_json(change) for change in state.changes]
    return result


def change_json(change):
    p = change["participant"]
    return {
        "kind": change["kind"],
        "participant": p["id"],
        "status": status(p),
        "previous_status": change["previous_status"],
    }


class Program:
    def __init__(self):
        self.gateway = None
        self.running = {}  # the watches and batches by their ids, each with its thread
        self.states = {}  # the last states of the watches

    def serve(self, command):
        call = command["call"]
        handler = self.control if call in CONTROLS else getattr(self, "call_" + call, None)
        if not handler:
            show(command, unsupported=True)
            return
        try:
            handler(command)
        except GatewayError as error:
            show(command, error=error_json(error))

    def call_connect(self, command):
        credential = command.get("credential")
        self.gateway = Gateway(command["url"], command.get("credentials") or ([credential] if credential else []))
        show(command, ok=True)

    def call_add(self, command):
        self.one(command, "POST", participants(command["conference"]), select(command, ADD_FIELDS))

    def call_get(self, command):
        self.one(command, "GET", participant(command["conference"], command["participant"]))

    def control(self, command):
        self.one(command, "POST", f"{participant(command['conference'], command['participant'])}/{command['call']}")

    def call_remove(self, command):
        self.one(command, "DELETE", participant(command["conference"], command["participant"]))

    def call_mute_all(self, command):
        self.one(command, "POST", participants(command["conference"]).removesuffix("/participants") + "/mute-all")

    def call_refresh(self, command):
        self.one(command, "POST", participants(command["conference"]) + ":refresh")

    def one(self, command, method, path, body=None):
        found = self.gateway.call(method, path, body=body)
        show(command, **({"participant": participant_json(found)} if found else {"ok": True}))

    def call_list(self, command):
        query = select(command, ("statuses", "roles", "page_size"))
        found, pages = [], 0
        while True:
            page = self.gateway.call("GET", participants(command["conference"]), query)
            found += page["participants"]
            pages += 1
            if not page["next_page_token"]:
                break
            query["page_token"] = page["next_page_token"]
        people = [participant_json(p) for p in found]
        show(command, participants=people, pages=pages, total=page["total"], active=page["active"])

    def call_watch(self, command):
        watch = Watch(
            self.gateway,
            command["conference"],
            select(command, FILTERS),
            command.get("heartbeat_s") or 15,
            self.states.get(command.get("continue")),
        )
        self.start(command, watch, self.print_states)

    def call_batch(self, command):
        path = participants(command["conference"]) + ":batchAdd"
        batch = self.gateway.stream("POST", path, body=select(command, BATCH_FIELDS), silence=15)
        self.start(command, batch, self.print_batch)

    def start(self, command, stream, target):
        def run():
            try:
                target(command, stream)
                show(command, done=True)
            except GatewayError as error:
                show(command, error=error_json(error))

        thread = threading.Thread(target=run, daemon=True)
        self.running[command["id"]] = stream, thread
        thread.start()

    def print_states(self, command, watch):
        for state in watch:
            self.states[command["id"]] = state
            show(command, **state_json(state))

    @staticmethod
    def print_batch(command, batch):
        for message in batch:
            if accepted := message.get("accepted"):
                show(command, event="accepted", count=accepted["count"])
            elif result := message.get("result"):
                show(command, event="result", index=result["index"], **outcome_json(result))
            elif summary := message.get("summary"):
                show(command, event="summary", **select(summary, ("added", "failed", "unknown")))

    def call_stop(self, command):
        self.cancel(command["watch"])
        show(command, ok=True)

    def cancel(self, name):
        stream, thread = self.running.pop(name, (None, None))
        if stream:
            stream.cancel()
            thread.join()

    def close(self):
        for name in list(self.running):
            self.cancel(name)


def outcome_json(result):
    if error := result.get("error"):
        return {"error": error_json(GatewayError.from_body(error))}
    return {"participant": participant_json(result["participant"])}


program = Program()
for line in sys.stdin:
    program.serve(json.loads(line))
program.close()
