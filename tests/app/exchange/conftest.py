from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from app.exchange.core import Core
from app.exchange.market import SimulatedSource
from app.exchange.server import LocalExchange
from opportunity.feeds.clock import Clock
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore

START = 1_748_865_600_000


@pytest.fixture(scope="session")
def market() -> SimulatedMarket:
    """BTC, ETH and SOL; drawn once, because it is a pure function of the seed."""
    return SimulatedMarket(3, 7)


@pytest.fixture
async def exchange(market: SimulatedMarket) -> AsyncIterator[LocalExchange]:
    """Three symbols, twenty minutes a second."""
    async with LocalExchange(market, speed=1200.0) as running:
        yield running


@pytest.fixture
async def calm(market: SimulatedMarket) -> AsyncIterator[LocalExchange]:
    """Three symbols, a minute each two seconds."""
    async with LocalExchange(market, speed=30.0) as running:
        yield running


@pytest.fixture
def real() -> list[float]:
    """Real seconds of `core`; a test sets them."""
    return [0.0]


@pytest.fixture
def core(real: list[float], market: SimulatedMarket) -> Core:
    """An exchange of three symbols without a network; a second of it is a real second."""
    clock = Clock(START, 1.0, monotonic=lambda: real[0])
    clock.start()
    return Core(SimulatedSource(market), clock)


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    """A day and a half of minutes of two simulated coins, with a hole of ten in the second."""
    market = SimulatedMarket(("BTC/USDT", "ETH/USDT"), 3)
    made = BarStore(tmp_path, "binance")
    time = START + 60_000 * np.arange(2_160, dtype=np.int64)
    for row, symbol in enumerate(market.symbols):
        values = market.bars(np.array([row]), "1m", time)[0]
        kept = np.ones(time.size, bool)
        if row:
            kept[1_500:1_510] = False
        made.write(Bars(time[kept], values[kept], "1m", symbol))
    return made
