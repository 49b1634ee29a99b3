"""Both clients, with the same tests: the asyncio client runs in a loop of its own."""

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from audian_conference import AsyncClient, Client, GatewayError, Kind, pb
from audian_conference._connection import SERVICE_CONFIG
from tests.gateway import WAIT, added
from tests.messages import changes, end, fresh, snapshot, status

pytestmark = pytest.mark.usefixtures("short_times")

CONFERENCE = "conf_1"
SHORT = timedelta(milliseconds=100)


class Sync:
    """Runs the synchronous client."""

    def watch(self, gateway, *, credential=None, until=Kind.END, pause=0, **options):
        states = []
        with Client(gateway.target, credential=credential) as client:
            for state in client.watch(CONFERENCE, **options):
                states.append(state)
                time.sleep(pause)
                if state.kind is until:
                    break
        return states

    def call(self, gateway, method, request, credential=None):
        with Client(gateway.target, credential=credential) as client:
            return getattr(client, method)(request)

    def batch(self, gateway, request):
        with Client(gateway.target) as client:
            return list(client.batch_add_participants(request))


class Asyncio:
    """Runs the asyncio client."""

    def watch(self, gateway, *, credential=None, until=Kind.END, pause=0, **options):
        async def run():
            states = []
            async with AsyncClient(gateway.target, credential=credential) as client:
                async for state in client.watch(CONFERENCE, **options):
                    states.append(state)
                    await asyncio.sleep(pause)
                    if state.kind is until:
                        break
            return states

        return asyncio.run(run())

    def call(self, gateway, method, request, credential=None):
        async def run():
            async with AsyncClient(gateway.target, credential=credential) as client:
                return await getattr(client, method)(request)

        return asyncio.run(run())

    def batch(self, gateway, request):
        async def run():
            async with AsyncClient(gateway.target) as client:
                return [m async for m in await client.batch_add_participants(request)]

        return asyncio.run(run())


@pytest.fixture(params=[Sync, Asyncio])
def runner(request):
    return request.param()


def kinds(states):
    return [state.kind for state in states]


def test_watch_gives_states_until_the_end(gateway, runner):
    gateway.play([snapshot("p1"), changes((pb.CHANGE_KIND_ADDED, "p2")), fresh(), end()])
    states = runner.watch(gateway)
    assert kinds(states) == [Kind.SNAPSHOT, Kind.CHANGES, Kind.END]
    assert set(states[-1].roster) == {"p1", "p2"}
    (call,) = gateway.calls
    assert call.request.heartbeat_interval.seconds == 15
    assert call.authorization is None


def test_watch_resumes_after_a_break(gateway, runner):
    gateway.play(
        [snapshot("p1", token="t1"), status(14, "DRAINING")],
        [status(14)],
        [changes((pb.CHANGE_KIND_REMOVED, "p1")), end()],
    )
    states = runner.watch(gateway)
    assert kinds(states) == [Kind.SNAPSHOT, Kind.DISCONNECTED, Kind.CHANGES, Kind.END]
    assert states[1].error.reason == "DRAINING"
    assert [call.request.resume_token for call in gateway.calls] == ["", "t1", "t1"]


def test_stream_that_ends_without_end_is_called_again(gateway, runner):
    gateway.play([snapshot("p1")], [end()])
    states = runner.watch(gateway)
    assert kinds(states) == [Kind.SNAPSHOT, Kind.DISCONNECTED, Kind.END]
    assert states[1].error.reason == "STREAM_ENDED"


def test_another_size_of_the_roster_begins_anew(gateway, runner):
    gateway.play([snapshot("p1"), fresh(participant_count=2), WAIT], [snapshot("p1", "p2"), end()])
    states = runner.watch(gateway)
    assert kinds(states) == [Kind.SNAPSHOT, Kind.DISCONNECTED, Kind.SNAPSHOT, Kind.END]
    assert states[1].error.reason == "ROSTER_MISMATCH"
    assert [call.request.resume_token for call in gateway.calls] == ["", ""]


@pytest.mark.parametrize("first", [[snapshot("p1"), WAIT], [WAIT]])
def test_silence_is_a_break_with_a_new_connection(gateway, runner, first):
    gateway.play(first, [end()])
    states = runner.watch(gateway, heartbeat_interval=SHORT)
    assert kinds(states)[-2:] == [Kind.DISCONNECTED, Kind.END]
    assert states[-2].error.reason == "SILENT"
    before, after = gateway.calls
    assert before.peer != after.peer


def test_slow_loop_is_no_silence(gateway, runner):
    gateway.play([snapshot("p1"), changes((pb.CHANGE_KIND_ADDED, "p2")), end()])
    pause = 3 * SHORT.total_seconds()
    states = runner.watch(gateway, heartbeat_interval=SHORT, pause=pause)
    assert kinds(states) == [Kind.SNAPSHOT, Kind.CHANGES, Kind.END]


def test_break_without_silence_keeps_the_connection(gateway, runner):
    gateway.play([snapshot("p1")], [end()])
    runner.watch(gateway)
    before, after = gateway.calls
    assert before.peer == after.peer


def test_final_error_is_raised(gateway, runner):
    gateway.play([status(5, "CONFERENCE_NOT_FOUND")])
    with pytest.raises(GatewayError) as raised:
        runner.watch(gateway)
    assert raised.value.code is grpc.StatusCode.NOT_FOUND
    assert raised.value.reason == "CONFERENCE_NOT_FOUND"
    assert len(gateway.calls) == 1


def test_watch_resumes_from_an_earlier_state(gateway, runner):
    gateway.play([snapshot("p1", token="t1"), WAIT])
    (state,) = runner.watch(gateway, until=Kind.SNAPSHOT)
    gateway.play([changes((pb.CHANGE_KIND_ADDED, "p2")), end()])
    states = runner.watch(gateway, resume_from=state)
    assert set(states[0].roster) == {"p1", "p2"}
    assert gateway.calls[-1].request.resume_token == "t1"


def test_leaving_the_loop_ends_the_call(gateway, runner):
    gateway.play([snapshot("p1"), WAIT])
    assert kinds(runner.watch(gateway, until=Kind.SNAPSHOT)) == [Kind.SNAPSHOT]
    assert gateway.wait_until_idle()


def test_expired_credential_is_renewed(gateway, runner):
    gateway.play([snapshot("p1"), status(16, "CREDENTIAL_EXPIRED")], [fresh(), end()])
    keys = iter(["old", "new"])
    states = runner.watch(gateway, credential=lambda: next(keys))
    assert kinds(states) == [Kind.SNAPSHOT, Kind.DISCONNECTED, Kind.FRESHNESS, Kind.END]
    assert [call.authorization for call in gateway.calls] == ["Bearer old", "Bearer new"]


def test_fixed_credential_that_expires_is_final(gateway, runner):
    gateway.play([snapshot("p1"), status(16, "CREDENTIAL_EXPIRED")])
    with pytest.raises(GatewayError) as raised:
        runner.watch(gateway, credential="old")
    assert raised.value.reason == "CREDENTIAL_EXPIRED"


def test_watch_tries_again_when_the_credential_function_fails(gateway, runner):
    gateway.play([end()])
    results = [OSError("secret"), "key"]

    def credential():
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    states = runner.watch(gateway, credential=credential)
    assert kinds(states) == [Kind.DISCONNECTED, Kind.END]
    assert states[0].error.reason == "CREDENTIAL_UNAVAILABLE"
    assert "secret" not in str(states[0].error)


def test_unary_call_returns_its_response(gateway, runner):
    gateway.play([added("p1")])
    request = pb.AddParticipantRequest(conference_id=CONFERENCE, phone_number="+12025550101")
    response = runner.call(gateway, "add_participant", request, credential="key")
    assert response.participant.id == "p1"
    assert gateway.calls[0].request == request
    assert gateway.calls[0].authorization == "Bearer key"


def test_unary_call_raises_the_typed_error(gateway, runner):
    gateway.play([status(14, "UPSTREAM_UNREACHABLE", metadata={"dialled": "no"})])
    with pytest.raises(GatewayError) as raised:
        runner.call(gateway, "add_participant", pb.AddParticipantRequest())
    assert (raised.value.reason, raised.value.dialled) == ("UPSTREAM_UNREACHABLE", "no")


def test_list_is_repeated_as_the_service_config_says(gateway, runner):
    gateway.play([status(14)], [pb.ListParticipantsResponse(total=3)])
    response = runner.call(gateway, "list_participants", pb.ListParticipantsRequest())
    assert response.total == 3
    assert len(gateway.calls) == 2


@pytest.mark.parametrize(
    "method", [m.name for m in pb.DESCRIPTOR.services_by_name["ParticipantService"].methods]
)
@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_client_has_every_method_of_the_service(client, method):
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")
    assert hasattr(client, {"watch_participants": "watch"}.get(name, name))


def test_batch_gives_messages_and_the_typed_error(gateway, runner):
    accepted = pb.BatchAddParticipantsResponse(accepted=pb.BatchAccepted(count=1))
    gateway.play([accepted])
    assert runner.batch(gateway, pb.BatchAddParticipantsRequest()) == [accepted]
    gateway.play([status(9, "BATCH_UNKNOWN")])
    with pytest.raises(GatewayError) as raised:
        runner.batch(gateway, pb.BatchAddParticipantsRequest())
    assert raised.value.reason == "BATCH_UNKNOWN"


def test_service_config_is_the_published_one():
    file = Path(__file__).parents[3] / "internal" / "schema" / "service_config.json"
    published = json.loads(file.read_text())
    assert {**published, "loadBalancingConfig": [{"round_robin": {}}]} == SERVICE_CONFIG
