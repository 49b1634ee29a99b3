"""Ending a watch from outside, and what it leaves behind."""

import asyncio
import gc
import queue
import threading

import pytest

from audian_conference import AsyncClient, Client, GatewayError, Kind, pb
from tests.gateway import TIMEOUT, WAIT
from tests.messages import snapshot, status

pytestmark = pytest.mark.usefixtures("short_times")


@pytest.mark.parametrize("end", ["watch", "client"])
def test_close_in_another_thread_ends_the_iteration(gateway, end):
    gateway.play([snapshot("p1"), WAIT])
    client = Client(gateway.target)
    watch = client.watch("conf_1")
    states = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: [states.put(state) for state in watch])
    reader.start()
    assert states.get(timeout=TIMEOUT).kind is Kind.SNAPSHOT
    assert gateway.wait_until_waiting()
    (watch if end == "watch" else client).close()
    reader.join(TIMEOUT)
    assert not reader.is_alive()
    assert states.empty()
    assert gateway.wait_until_idle()
    client.close()


def test_close_ends_the_wait_before_the_next_call(gateway, monkeypatch):
    monkeypatch.setattr("audian_conference._rules._FIRST_DELAY", 3600)
    monkeypatch.setattr("audian_conference._rules._LONGEST_DELAY", 3600)
    gateway.play([status(14)])
    with Client(gateway.target) as client:
        watch = client.watch("conf_1")
        assert next(watch).kind is Kind.DISCONNECTED
        reader = threading.Thread(target=lambda: list(watch))
        reader.start()
        watch.close()
        reader.join(TIMEOUT)
        assert not reader.is_alive()
    assert len(gateway.calls) == 1


def test_dropped_watch_ends_its_call(gateway):
    gateway.play([snapshot("p1"), WAIT])
    with Client(gateway.target) as client:
        for _ in client.watch("conf_1"):
            assert gateway.wait_until_waiting()
            break
        gc.collect()
        assert gateway.wait_until_idle()


def test_message_ends_the_thread_of_its_timer(gateway):
    gateway.play([snapshot("p1"), WAIT])
    with Client(gateway.target) as client, client.watch("conf_1") as watch:
        next(watch)
        for timer in [t for t in threading.enumerate() if isinstance(t, threading.Timer)]:
            timer.join(TIMEOUT)
            assert not timer.is_alive()


def test_closed_client_makes_no_calls(gateway):
    client = Client(gateway.target)
    client.close()
    with pytest.raises(GatewayError):
        client.get_participant(pb.GetParticipantRequest())
    assert gateway.calls == []


def run(test):
    """Runs a coroutine, and checks that it leaves no task that goes on."""

    async def checked():
        await asyncio.wait_for(test, TIMEOUT)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:  # A task of gRPC that was cancelled ends in a later turn of the loop.
            _, left = await asyncio.wait(left, timeout=TIMEOUT)
        return left

    assert asyncio.run(checked()) == set()


async def read(watch, states):
    async for state in watch:
        await states.put(state)


def test_cancelled_task_ends_the_call(gateway):
    async def test():
        gateway.play([snapshot("p1"), WAIT])
        async with AsyncClient(gateway.target) as client:
            states = asyncio.Queue()
            task = asyncio.create_task(read(client.watch("conf_1"), states))
            assert (await states.get()).kind is Kind.SNAPSHOT
            assert await asyncio.to_thread(gateway.wait_until_waiting)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(gateway.wait_until_idle)

    run(test())


def test_dropped_async_watch_ends_its_call(gateway):
    async def test():
        gateway.play([snapshot("p1"), WAIT])
        async with AsyncClient(gateway.target) as client:
            async for _ in client.watch("conf_1"):
                assert await asyncio.to_thread(gateway.wait_until_waiting)
                break
            gc.collect()
            assert await asyncio.to_thread(gateway.wait_until_idle)

    run(test())


@pytest.mark.parametrize("end", ["watch", "client"])
def test_aclose_in_another_task_ends_the_iteration(gateway, end):
    async def test():
        gateway.play([snapshot("p1"), WAIT])
        async with AsyncClient(gateway.target) as client:
            watch = client.watch("conf_1")
            states = asyncio.Queue()
            task = asyncio.create_task(read(watch, states))
            assert (await states.get()).kind is Kind.SNAPSHOT
            assert await asyncio.to_thread(gateway.wait_until_waiting)
            await (watch.aclose() if end == "watch" else client.close())
            await task
            assert states.empty()
            assert await asyncio.to_thread(gateway.wait_until_idle)

    run(test())


def test_aclose_ends_the_wait_before_the_next_call(gateway, monkeypatch):
    monkeypatch.setattr("audian_conference._rules._FIRST_DELAY", 3600)
    monkeypatch.setattr("audian_conference._rules._LONGEST_DELAY", 3600)

    async def test():
        gateway.play([status(14)])
        async with AsyncClient(gateway.target) as client:
            async with client.watch("conf_1") as watch:
                assert (await anext(watch)).kind is Kind.DISCONNECTED
                task = asyncio.create_task(read(watch, asyncio.Queue()))
                await asyncio.sleep(0)
            await task

    run(test())
    assert len(gateway.calls) == 1


def test_async_credential_function(gateway):
    async def credential():
        await asyncio.sleep(0)
        return "key"

    async def test():
        gateway.play([pb.GetParticipantResponse()])
        async with AsyncClient(gateway.target, credential=credential) as client:
            await client.get_participant(pb.GetParticipantRequest())

    run(test())
    assert gateway.calls[0].authorization == "Bearer key"
