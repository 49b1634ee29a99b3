from datetime import timedelta

import grpc
import pytest

from audian_conference import DISCONNECTED, GatewayError, Kind, State, pb
from audian_conference._rules import WatchRules, stream_ended
from tests.messages import changes, end, fresh, snapshot, stale, status

UNAVAILABLE = GatewayError(grpc.StatusCode.UNAVAILABLE)
UNAUTHENTICATED = GatewayError(grpc.StatusCode.UNAUTHENTICATED)


def rules(**options) -> WatchRules:
    arguments = {
        "statuses": (),
        "roles": (),
        "participant_ids": (),
        "heartbeat_interval": timedelta(seconds=15),
        "resume_from": None,
        "renewable": False,
    }
    return WatchRules("conf_1", **{**arguments, **options})


@pytest.fixture
def watch() -> WatchRules:
    watch = rules()
    watch.request()
    return watch


def test_request_has_all_options():
    request = rules(
        statuses=[pb.PARTICIPANT_STATUS_HELD],
        roles=[pb.PARTICIPANT_ROLE_LISTENER],
        participant_ids=["p1"],
        resume_from=State(Kind.SNAPSHOT, token="t"),
    ).request()
    assert request == pb.WatchParticipantsRequest(
        conference_id="conf_1",
        resume_token="t",
        statuses=[pb.PARTICIPANT_STATUS_HELD],
        roles=[pb.PARTICIPANT_ROLE_LISTENER],
        participant_ids=["p1"],
        heartbeat_interval=timedelta(seconds=15),
    )


@pytest.mark.parametrize(
    ("heartbeat", "silence"), [(15, 30), (60, 120), (5, 10), (1, 10), (-1, 10)]
)
def test_silence_is_two_heartbeats(heartbeat, silence):
    assert rules(heartbeat_interval=timedelta(seconds=heartbeat)).silence == silence


def test_changes_set_and_delete_and_leave_earlier_states_alone(watch):
    first = watch.apply(snapshot("p1", "p2", "p3", total=5, active=0))
    second = watch.apply(
        changes(
            (pb.CHANGE_KIND_REMOVED, "p1"),
            (pb.CHANGE_KIND_LEFT_FILTER, "p2"),
            (pb.CHANGE_KIND_UPDATED, "p3"),
            (pb.CHANGE_KIND_ADDED, "p4"),
            (pb.CHANGE_KIND_REMOVED, "nobody"),
        )
    )
    assert (first.kind, set(first.roster)) == (Kind.SNAPSHOT, {"p1", "p2", "p3"})
    assert first.snapshot_reason == pb.SNAPSHOT_REASON_INITIAL
    assert (first.total, first.active, first.token, first.fresh) == (5, 0, "t1", True)
    assert (second.kind, set(second.roster)) == (Kind.CHANGES, {"p3", "p4"})
    assert len(second.changes) == 5
    assert second.token == "t2"
    assert watch.request().resume_token == "t2"


def test_roster_cannot_be_changed(watch):
    with pytest.raises(TypeError):
        watch.apply(snapshot("p1")).roster["p2"] = None


def test_heartbeat_without_news_gives_no_state_but_moves_the_token(watch):
    watch.apply(snapshot("p1"))
    assert watch.apply(fresh("t5", participant_count=1, total=3)) is None
    assert watch.request().resume_token == "t5"
    assert watch.apply(changes((pb.CHANGE_KIND_ADDED, "p2"))).total == 3


def test_freshness_is_given_when_it_changes(watch):
    watch.apply(snapshot("p1"))
    state = watch.apply(stale("UPSTREAM_TIMEOUT"))
    assert (state.kind, state.fresh, state.stale_reason) == (
        Kind.FRESHNESS,
        False,
        "UPSTREAM_TIMEOUT",
    )
    assert watch.apply(stale("UPSTREAM_TIMEOUT")) is None
    assert watch.apply(stale("POLL_DELAYED")).stale_reason == "POLL_DELAYED"
    assert watch.apply(fresh()).fresh


def test_first_message_may_be_a_checkpoint(watch):
    state = watch.apply(stale("UPSTREAM_TIMEOUT", token=""))
    assert (state.kind, dict(state.roster), state.total) == (Kind.FRESHNESS, {}, None)
    assert watch.request().resume_token == ""


def test_state_after_a_break_is_fresh_unless_the_gateway_was_stale(watch):
    watch.apply(snapshot("p1"))
    assert watch.broken(UNAVAILABLE).stale_reason == DISCONNECTED
    assert watch.apply(fresh()).kind is Kind.FRESHNESS
    watch.apply(stale("UPSTREAM_TIMEOUT"))
    watch.broken(UNAVAILABLE)
    state = watch.apply(changes((pb.CHANGE_KIND_ADDED, "p2")))
    assert (state.fresh, state.stale_reason) == (False, "UPSTREAM_TIMEOUT")


def test_resume_keeps_roster_and_freshness():
    earlier = rules()
    earlier.apply(snapshot("p1"))
    state = earlier.apply(stale("UPSTREAM_TIMEOUT"))
    later = rules(resume_from=state).apply(changes((pb.CHANGE_KIND_ADDED, "p2")))
    assert set(later.roster) == {"p1", "p2"}
    assert later.stale_reason == "UPSTREAM_TIMEOUT"


def test_resume_from_a_disconnected_state_is_not_stale(watch):
    watch.apply(snapshot("p1"))
    state = watch.broken(UNAVAILABLE)
    again = rules(resume_from=state)
    assert again.request().resume_token == "t1"
    assert again.apply(changes((pb.CHANGE_KIND_ADDED, "p2"))).fresh


def test_break_gives_one_state(watch):
    watch.apply(snapshot("p1", total=1))
    state = watch.broken(UNAVAILABLE)
    assert (state.kind, state.fresh, state.stale_reason) == (
        Kind.DISCONNECTED,
        False,
        DISCONNECTED,
    )
    assert (set(state.roster), state.total, state.token) == ({"p1"}, 1, "t1")
    assert state.error is UNAVAILABLE
    assert watch.broken(UNAVAILABLE) is None
    watch.apply(fresh())
    assert watch.broken(UNAVAILABLE) is not None


def test_first_break_has_an_empty_roster(watch):
    state = watch.broken(UNAVAILABLE)
    assert (state.kind, dict(state.roster)) == (Kind.DISCONNECTED, {})


def test_another_size_of_the_roster_begins_anew(watch):
    watch.apply(snapshot("p1"))
    with pytest.raises(GatewayError) as raised:
        watch.apply(fresh(participant_count=2))
    assert raised.value.reason == "ROSTER_MISMATCH"
    assert watch.broken(raised.value).kind is Kind.DISCONNECTED
    assert watch.request().resume_token == ""


def test_back_off_doubles_to_ten_seconds_and_starts_again_after_a_message(watch, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    delays = []
    for _ in range(8):
        watch.broken(UNAVAILABLE)
        delays.append(watch.delay)
    assert delays == [0.25, 0.5, 1, 2, 4, 8, 10, 10]
    watch.apply(fresh())
    watch.broken(UNAVAILABLE)
    assert watch.delay == 0.25


@pytest.mark.parametrize(("retry", "delay"), [(3, 3.75), (0.1, 0.3125)])
def test_delay_is_the_longer_one_with_jitter(watch, monkeypatch, retry, delay):
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    watch.broken(GatewayError.from_status(status(14, "DRAINING", retry=timedelta(seconds=retry))))
    assert watch.delay == delay


@pytest.mark.parametrize("code", [3, 5, 7, 16, 9, 12, 11, 6])
def test_final_errors_are_raised(watch, code):
    watch.apply(snapshot("p1"))
    error = GatewayError.from_status(status(code))
    with pytest.raises(GatewayError) as raised:
        watch.broken(error)
    assert raised.value is error


@pytest.mark.parametrize("code", [14, 8, 13, 2, 10, 4, 15, 1])
def test_other_errors_are_breaks(watch, code):
    assert watch.broken(GatewayError.from_status(status(code))).kind is Kind.DISCONNECTED


def test_stream_that_ends_without_end_is_a_break(watch):
    assert watch.broken(stream_ended()).error.reason == "STREAM_ENDED"


def test_expired_credential_is_renewed_once():
    watch = rules(renewable=True)
    watch.request()
    watch.apply(snapshot("p1"))
    assert watch.broken(UNAUTHENTICATED).error is UNAUTHENTICATED
    watch.request()
    with pytest.raises(GatewayError):
        watch.broken(UNAUTHENTICATED)


def test_end_is_the_last_state(watch):
    watch.apply(snapshot("p1"))
    state = watch.apply(end())
    assert (state.kind, state.end_reason) == (Kind.END, pb.WATCH_END_REASON_CONFERENCE_GONE)
    assert watch.ended


def test_values_of_a_newer_gateway_do_not_fail(watch):
    message = snapshot("p1", reason=77)
    message.snapshot.participants[0].status = 99
    state = watch.apply(message)
    assert (state.snapshot_reason, state.roster["p1"].status) == (77, 99)
    assert set(watch.apply(changes((55, "p2"))).roster) == {"p1", "p2"}
    assert watch.apply(pb.WatchParticipantsResponse(resume_token="t8")) is None
    assert watch.request().resume_token == "t8"
