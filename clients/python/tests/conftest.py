from datetime import timedelta

import pytest

from audian_conference import _rules
from tests.gateway import Gateway, serve


@pytest.fixture
def gateway():
    gateway = Gateway()
    server, gateway.target = serve(gateway)
    yield gateway
    server.stop(None).wait()


@pytest.fixture
def short_times(monkeypatch):
    """Makes back-off short, and heartbeats of less than 5 s possible."""
    monkeypatch.setattr(_rules, "_FIRST_DELAY", 0.001)
    monkeypatch.setattr(_rules, "_SHORTEST_HEARTBEAT", timedelta(0))
