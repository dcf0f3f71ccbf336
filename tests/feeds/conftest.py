"""Feeds on a clock that waits for nobody: real time passes only when the feed sleeps."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.exchange.server import LocalExchange
from opportunity.feeds import Clock, ExchangeFeed, Feed, ReplayFeed, SimulatedFeed
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import DAY_MS, HOUR_MS

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC
SLOW, FAST = 60.0, 1_200.0
"""Speed of an exchange that a test waits for: a bar comes every 50 ms; slower, nothing moves."""

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


class Elsewhere:
    """A local exchange in a thread of its own, as far from the feed's loop as a real one."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._exchange = LocalExchange(COINS, speed=speed, start_ms=start_ms)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._exchange.start())
        self.url = self._exchange.url

    def stop(self) -> None:
        self._call(self._exchange.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, coroutine: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)


@pytest.fixture
def make_feed(store: BarStore) -> Iterator[Callable[..., Feed]]:
    """Build a feed of `FEEDS` by name on its own clock; `start` in hours after `START`.

    That of an exchange runs on wall time: as fast as bars can come without one being late.
    """
    exchanges: list[Elsewhere] = []

    def make(name: str, start: float = 15 * 24, speed: float | None = None) -> Feed:
        at = START + int(start * HOUR_MS)
        if name == "exchange":
            exchanges.append(Elsewhere(at, FAST if speed is None else np.clip(speed, SLOW, FAST)))
            patient = Tuning(grace_ms=2_000, hold_ms=12 * HOUR_MS)
            return ExchangeFeed("binance", COINS, url=exchanges[-1].url, tuning=patient)
        clock = clock_at(at, speed or 60.0)
        if name == "simulated":
            return SimulatedFeed(COINS, clock=clock)
        return ReplayFeed(store, COINS, start=at, clock=clock)

    yield make
    for exchange in exchanges:
        exchange.stop()
