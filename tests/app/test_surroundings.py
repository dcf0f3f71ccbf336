"""What surrounds the market: read once for all, moods from the store, told when they are not."""

import asyncio
from types import SimpleNamespace

import pytest

from app import surroundings
from app.surroundings import MOODS_MS, Around
from opportunity.detectors import DETECTORS
from opportunity.live.observers import Observers
from opportunity.market.observations import FearGreed
from opportunity.market.timeframe import DAY_MS
from opportunity.storage.failures import DatabaseError

NOW = 400 * DAY_MS


class Store:
    """Moods of every day; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked, self.broken = 0, False

    def known(self, kind, since, until, symbol=None):
        self.asked += 1
        if self.broken:
            raise DatabaseError("disk is full")
        days = range(since // DAY_MS, until // DAY_MS)
        return [FearGreed(d * DAY_MS, (d + 1) * DAY_MS, "test", d % 100) for d in days]


class Agent:
    symbols = ("BTC/USDT",)
    feed = SimpleNamespace(source="simulated")
    warm = True

    def observers(self, symbols):
        return Observers([d() for d in DETECTORS], tuple(symbols)) if self.warm else None


async def test_nothing_before_the_warm_up() -> None:
    agent, store = Agent(), Store()
    agent.warm = False
    assert await Around(agent, store, lambda: NOW).read() is None
    assert store.asked == 0


async def test_pages_that_ask_together_share_one_reading(monkeypatch) -> None:
    store = Store()
    around = Around(Agent(), store, lambda: NOW)
    one, other = await asyncio.gather(around.read(), around.read())
    assert one is other
    assert store.asked == 1
    assert (one.source, one.time, one.symbols) == ("simulated", NOW, ("BTC/USDT",))
    assert len(one.moods) == MOODS_MS // DAY_MS
    assert await around.read() is one
    monkeypatch.setattr(surroundings, "LEAST_S", 0.0)
    assert await around.read() is not one


async def test_moods_that_cannot_be_read_take_nothing_else_away() -> None:
    store = Store()
    store.broken = True
    found = await Around(Agent(), store, lambda: NOW).read()
    assert found.moods == ()
    assert found.problem == "disk is full"


async def test_a_failure_is_not_kept(monkeypatch) -> None:
    around = Around(Agent(), Store(), lambda: NOW)
    whole = surroundings.surroundings_of
    monkeypatch.setattr(surroundings, "surroundings_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await around.read()
    monkeypatch.setattr(surroundings, "surroundings_of", whole)
    assert (await around.read()).symbols == ("BTC/USDT",)
