from types import SimpleNamespace

import numpy as np
import pytest

from opportunity.feeds.base import Closed
from opportunity.feeds.exchange.health import Health
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.notes import BarNote

NOW = 1_700_000_000_000


class Machine:
    def __init__(self, why="", until=None, line="live", speed=1.0):
        self.time = NOW
        self.gate = SimpleNamespace(paused_until=until, why=why)
        self.venue = SimpleNamespace(name="binance", gate=self.gate, speed=speed, skew_ms=120)
        self.lines = SimpleNamespace(state=line, n_reconnects=3)
        self.health = Health(self.venue, lambda: self.time)
        if line:
            self.health.follow(self.lines)


@pytest.mark.parametrize(
    ("machine", "state"),
    [
        (Machine(), "live"),
        (Machine(line="unsupported"), "polling"),
        (Machine(line="connecting"), "connecting"),
        (Machine(line="recovering"), "recovering"),
        (Machine("banned", NOW + 1), "banned"),
        (Machine("limited", NOW + 1), "limited"),
        (Machine("failing", NOW + 1), "down"),
        (Machine("banned", NOW), "live"),
    ],
)
def test_status_names_the_worst(machine, state):
    status = machine.health.status()
    assert status.state == state
    assert status.text.startswith(("binance", "the stream of binance"))
    assert (status.retry_at is None) == (state not in ("banned", "limited", "down"))


def test_an_exchange_that_is_not_open_is_connecting_or_says_why_not():
    machine = Machine(line="")
    assert machine.health.status().state == "connecting"
    assert machine.health.status().n_reconnects == 0
    machine.health.failed(VenueError("binance cannot be reached", "unreachable"))
    status = machine.health.status()
    assert (status.state, status.text) == ("down", "binance cannot be reached")
    machine.gate.paused_until, machine.gate.why = NOW + 1, "banned"
    assert machine.health.status().state == "banned"
    machine.gate.paused_until = None
    machine.lines.state = "live"
    machine.health.follow(machine.lines)
    assert machine.health.status().state == "live"


def test_end_of_a_pause_is_told_to_the_second_lest_it_flickers():
    machine = Machine("banned", NOW + 1_001)
    assert machine.health.status().retry_at == NOW + 2_000
    machine.gate.paused_until -= 1
    assert machine.health.status().retry_at == NOW + 1_000


def test_since_changes_with_the_state_only():
    machine = Machine()
    assert machine.health.status().since == NOW
    machine.time += 1000
    assert machine.health.status().since == NOW
    machine.lines.state = "recovering"
    assert machine.health.status().since == NOW + 1000


def test_counts_and_delay_come_from_what_went_out():
    machine = Machine()
    kinds = ("corrected", 1), ("corrected", 0), ("refused", 0), ("refused", 0), ("rest", 0)
    machine.health.count(
        BarNote(kind, "BTC/USDT", "1m", NOW, NOW, revision=n) for kind, n in kinds
    )
    for delay, late in ((300, False), (500, False), (9_000, True)):
        rows = np.arange(1)
        batch = Closed(NOW, rows, rows, np.ones((1, 5)), np.array([late]))
        machine.health.released(batch, NOW + delay)
    status = machine.health.status()
    assert (status.n_corrections, status.n_refused, status.n_reconnects) == (1, 2, 3)
    assert status.delay_ms == 400


@pytest.mark.parametrize(("speed", "skew"), [(1.0, 120), (60.0, 0)])
def test_skew_means_something_at_real_speed_only(speed, skew):
    assert Machine(speed=speed).health.skew_ms == skew
