"""Feeds on a clock that waits for nobody: real time passes only when the feed sleeps."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from opportunity.feeds import Clock, Feed, ReplayFeed, SimulatedFeed
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import DAY_MS, HOUR_MS

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC
COINS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "DOGE/USDT")


class Watch:
    """Real time of a test."""

    def __init__(self) -> None:
        self.time = 1000.0

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


def clock_at(start_ms: int, speed: float = 60.0) -> Clock:
    watch = Watch()
    return Clock(start_ms, speed, watch.monotonic, watch.sleep)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    """Forty days of hours: one coin lists ten days in, one has a gap, one ends early."""
    folder: Path = tmp_path_factory.mktemp("store")
    made = BarStore(folder, exchange="testing")
    market = SimulatedMarket(COINS)
    time = market.grid("1h", 40 * 24, START + 40 * DAY_MS)
    for row, symbol in enumerate(COINS):
        values = market.bars(np.array([row]), "1h", time)[0]
        keep = np.ones(time.size, bool)
        if symbol == "ETH/USDT":
            keep[500:507] = False
        if symbol == "SOL/USDT":
            keep[: 10 * 24] = False
        if symbol == "DOGE/USDT":
            keep[-48:] = False
        made.write(Bars(time[keep], values[keep], "1h", symbol, "testing"))
    return made


@pytest.fixture
def make_feed(store: BarStore) -> Callable[..., Feed]:
    """Build a feed of `FEEDS` by name on its own clock; `start` in hours after `START`."""

    def make(name: str, start: float = 15 * 24, speed: float = 60.0) -> Feed:
        at = START + int(start * HOUR_MS)
        if name == "simulated":
            return SimulatedFeed(COINS, clock=clock_at(at, speed))
        return ReplayFeed(store, COINS, start=at, clock=clock_at(at, speed))

    return make
