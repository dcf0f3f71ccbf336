"""A journal over a database of its own: candidates to order, bars that are walks."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from builders import random_bars
from ideas import HOUR, IDEA, START, ideas, keep

from app.journal import JournalService
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.contracts import DETECTOR_NAMES
from opportunity.feeds.clock import wall_ms
from opportunity.market.bars import Bars
from opportunity.storage.candidates import Candidate
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

N_BARS = 3_000
NOW = START + (N_BARS - 100) * HOUR


class FakeAgent:
    """What a journal asks an agent."""

    trading, timeframes = None, ("15m", "1h", "4h")

    def __init__(self) -> None:
        self.time, self.relearned, self.serves = NOW, 0, SimpleNamespace(known=77)

    def calibration(self) -> Any:
        return self.serves

    def learn_again(self) -> None:
        self.relearned += 1
        self.serves = SimpleNamespace(known=self.time)

    async def ask(self, coroutine: Any) -> Any:
        return await coroutine


class WalkFeed:
    """Hourly walks by symbol, the first bar of which closes at `START`."""

    source = "simulated"

    def __init__(self, agent: FakeAgent, symbols: Sequence[str] = ("BTC/USDT", "ETH/USDT")) -> None:
        self._agent = agent
        self.bars = {}
        for seed, symbol in enumerate(symbols, 1):
            bars = random_bars(N_BARS, seed)
            time = START - HOUR + HOUR * np.arange(N_BARS, dtype=np.int64)
            self.bars[symbol] = Bars(time, bars.values, "1h", symbol, "simulated")

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        bars = self.bars[symbol]
        last = int(np.searchsorted(bars.close_time, min(end_ms, self._agent.time), side="right"))
        return bars[max(0, last - n_bars) : last]


class Room:
    """A journal and what it stands in."""

    def __init__(self, folder: Path, candidates: Sequence[Candidate] = ()) -> None:
        self.engine = open_database(f"sqlite:///{folder / 'journal.sqlite'}")
        self.memory = Memory(self.engine, wall_ms)
        self.agent = FakeAgent()
        self.feed = WalkFeed(self.agent)
        self.hub = Hub(asyncio.get_running_loop(), tick_s=0.0)
        self.events: list[Any] = []
        self.hub.subscribe(lambda _, events: self.events.extend(e for t, e in events))
        if candidates:
            keep(self.engine, candidates)
        self.service = self.made()

    def made(self) -> JournalService:
        """Make another service over the same memory, as a restart does."""
        return JournalService(Settings(seed=7), self.memory, self.agent, self.feed, self.hub)

    async def judged(self) -> None:
        """Judge all that is due, once."""
        service = self.service
        service.start()
        async with asyncio.timeout(20):
            while not service._journal.n_judged:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
            while service._alarms.trial is None and not self.agent.relearned:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.service.close()
        self.hub.close()
        self.memory.close()


def foretelling(
    n: int, feed: WalkFeed, edge: Callable[[int], float], seed: int = 1
) -> list[Candidate]:
    """Candidates whose net knows so much of the next day's move: `edge` of the hour, in [0, 1]."""
    rng = np.random.default_rng(seed)
    made = []
    for symbol, bars in feed.bars.items():
        move = bars.close[24:] - bars.close[:-24]
        move = move / move.std()
        for hour in range(n):
            knows = edge(hour)
            net = 0.25 * (knows * move[hour] + (1 - knows) * rng.standard_normal())
            net = float(np.clip(net, -0.9, 0.9)) or 0.01
            made.append(IDEA._replace(
                time=START + hour * HOUR, symbol=symbol, net=net, score=(1 + net) / 2,
                side=1 if net > 0 else -1, atr=12.0, success=float("nan"),
                contributions={name: net / len(DETECTOR_NAMES) for name in DETECTOR_NAMES},
            ))  # fmt: skip
    return made


__all__ = ["HOUR", "IDEA", "NOW", "START", "FakeAgent", "Room", "WalkFeed", "foretelling", "ideas"]
