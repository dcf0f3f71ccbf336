"""Sessions to order: agents that live through scripted markets and leave a log behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from opportunity.feeds.base import Closed, Corrected, Feed, Forming, pad
from opportunity.feeds.clock import Clock
from opportunity.live.agent import Agent
from opportunity.live.trader import PaperTrading
from opportunity.market.bars import Bars
from opportunity.market.observations import Funding, Headline, Heartbeat, Record, by_availability
from opportunity.market.resample import resample
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from opportunity.market.trust import Faults
from opportunity.trading.rules import TradeRules

QUARTER = 15 * MINUTE_MS
START = 1_700_000_000_000 // DAY_MS * DAY_MS
WARM = 6_000
NAMES = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT")
TITLES = ("Bitcoin surges after approval {}", "Ethereum plunges after hack {}")
FRAMES = ("15m", "1h", "4h")
EAGER = {
    "min_score": 0.5, "min_confidence": 0.01, "max_disagreement": 1.0, "min_trust": 0.1,
}  # fmt: skip
"""Rules under which a walk that means nothing is traded all the time."""

Step = Closed | Corrected | Callable[[], object]


class StepFeed(Feed):
    """Quarters of an hour of seeded walks; streams the steps that a test puts together.

    A step that can be called is called in between, and awaited if that gives something to await.
    """

    name = "steps"

    def __init__(self, n_symbols: int = 3, n_bars: int = WARM + 600, start: int = WARM) -> None:
        self.source, self.base = "simulated", "15m"
        self.symbols = NAMES[:n_symbols]
        self.start = start
        self.clock = Clock(self.opened(start))
        self.bars = [_walk(i, n_bars, s) for i, s in enumerate(self.symbols)]
        self.steps: list[Step] = []
        self.wrong: Faults | None = None
        self.records: list[Record] = []
        self.done = asyncio.Event()

    @staticmethod
    def opened(bar: int) -> int:
        return START + bar * QUARTER

    def batch(self, bar: int, rows: tuple[int, ...], late: bool = False, settled=None) -> Closed:
        values = np.array([self.bars[r].values[bar] for r in rows]).reshape(-1, 5)
        opened = self.opened(bar)
        return Closed(
            opened + QUARTER, np.array(rows, np.int64), np.full(len(rows), opened), values,
            np.full(len(rows), late), None if settled is None else np.array(settled),
        )

    def faults(self) -> Faults | None:
        return self.wrong

    async def open(self) -> int:
        return self.opened(self.start)

    async def stream(self) -> AsyncIterator[Closed | Corrected | Forming]:
        for step in self.steps:
            await asyncio.sleep(0)
            if isinstance(step, Closed | Corrected):
                yield step
            else:
                found = step()
                if asyncio.iscoroutine(found):
                    await found
        self.done.set()
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass

    async def observations(self, kinds, since: int, until: int) -> list[Record]:
        return [
            r for r in self.records if isinstance(r, kinds) and since <= r.available_at < until
        ]

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        bars = self.bars[self.symbols.index(symbol)]
        bars = bars[: int((bars.close_time <= end_ms).sum())]
        return resample(bars, timeframe)[-n_bars:].label(symbol=symbol)

    async def histories(self, timeframe: str, n_bars: int, end_ms: int):
        return pad([await self.history(s, timeframe, n_bars, end_ms) for s in self.symbols], n_bars)

    def correct(self, row: int, bar: int) -> Corrected:
        """Say from now on that a bar was wilder."""
        values = self.bars[row].values.copy()
        values[bar] *= [1.0, 1.05, 0.95, 1.01, 3.0]
        self.bars[row] = replace(self.bars[row], values=values)
        return Corrected(self.opened(bar), np.array([row]))


def _walk(seed: int, n: int, symbol: str) -> Bars:
    rng = np.random.default_rng(seed + 20)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, n)))
    opened = np.r_[100.0, close[:-1]] * (1 + rng.normal(0, 3e-4, n))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.002, n)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.002, n)))
    return Bars.from_arrays(
        START + np.arange(n) * QUARTER, opened, high, low, close, rng.lognormal(8, 1, n),
        timeframe="15m", symbol=symbol, source="simulated",
    )  # fmt: skip


def news(feed: StepFeed, first: int, last: int) -> list[Record]:
    """Return headlines, heartbeats and funding between two bars, some of them known late."""
    hours = range(feed.opened(first) // HOUR_MS * HOUR_MS, feed.opened(last), HOUR_MS)
    found: list[Record] = [Heartbeat(t, t, "desk", "headline") for t in hours]
    found += [
        Headline(t, t + 7 * MINUTE_MS, "desk", TITLES[t // HOUR_MS % 2].format(t), "Paper")
        for t in hours if t // HOUR_MS % 5 == 0
    ]
    found += [
        Funding(t, t + (3 if s else 0), "x", s, 2e-4 * np.sin(t / HOUR_MS + len(s) + i).item())
        for t in hours if t // HOUR_MS % 8 == 0 for i, s in enumerate(feed.symbols)
    ]
    return by_availability(found)


def no_faults(n: int) -> Faults:
    zero, no = np.zeros(n), np.zeros(n, np.bool_)
    return Faults(zero, zero.copy(), no, zero.copy(), zero.copy(), no.copy(), no.copy(), 0)


def agent_of(
    feed: Feed, folder: Path | None, frames=FRAMES, state=None, ledger=None, **rules: object
) -> Agent:
    """Return an agent that trades eagerly on paper and logs to `folder`."""
    paper = PaperTrading(rules=TradeRules(**(EAGER | rules)))
    return Agent(
        feed, timeframes=frames, trading=paper, session=folder, state=state, ledger=ledger
    )


async def live(agent: Agent, done: asyncio.Event) -> None:
    """Run an agent until its feed has given everything."""
    async with asyncio.timeout(120):
        await agent.start()
        ended = asyncio.ensure_future(done.wait())
        while not ended.done():
            await asyncio.wait([ended], timeout=0.05)
            assert agent.running, agent.last_error
        await agent.stop()
    agent.close()
    assert not agent.last_error
    assert not agent.session_error
