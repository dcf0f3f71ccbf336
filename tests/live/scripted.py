"""A feed that a test drives: hourly bars of a seeded walk, no clock to wait for."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from opportunity.feeds.base import Closed, Feed, Forming, pad, require_known
from opportunity.feeds.clock import Clock
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.market.timeframe import DAY_MS, HOUR_MS

START = 1_700_000_000_000 // DAY_MS * DAY_MS


class ScriptedFeed(Feed):
    """Streams what is put into `events`; None ends the stream."""

    name = "scripted"

    def __init__(self, n_symbols: int = 2, n_bars: int = 6_000, start: int = 5_500) -> None:
        self.source, self.base = "simulated", "1h"
        self.symbols = tuple(f"S{i}/USDT" for i in range(n_symbols))
        self.clock = Clock(START + start * HOUR_MS)
        self.start = start
        self.events: asyncio.Queue[Closed | Forming | Exception | None] = asyncio.Queue()
        self.closed = 0
        self.streams = 0
        self.bars = [_walk(i, n_bars, s) for i, s in enumerate(self.symbols)]

    def put(self, bar: int, rows: list[int] | None = None) -> None:
        """Close bar number `bar` of the named rows (default: all)."""
        self.events.put_nowait(self.batch(bar, rows))

    def batch(self, bar: int, rows: list[int] | None = None) -> Closed:
        rows = list(range(len(self.symbols))) if rows is None else rows
        values = np.stack([self.bars[r].values[bar] for r in rows])
        opened = START + bar * HOUR_MS
        return Closed(
            opened + HOUR_MS, np.array(rows), np.full(len(rows), opened), values,
            np.zeros(len(rows), np.bool_),
        )

    async def open(self) -> int:
        return START + self.start * HOUR_MS

    async def stream(self) -> AsyncIterator[Closed | Forming]:
        self.streams += 1
        while True:
            event = await self.events.get()
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            yield event

    async def close(self) -> None:
        self.closed += 1

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        require_known(symbol, self.symbols)
        return self._newest(self.symbols.index(symbol), timeframe, n_bars, end_ms)

    async def histories(self, timeframe: str, n_bars: int, end_ms: int):
        several = [
            self._newest(i, timeframe, n_bars, end_ms) for i in range(len(self.symbols))
        ]
        return pad(several, n_bars)

    def _newest(self, row: int, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        bars = self.bars[row]
        bars = bars[: int((bars.close_time <= end_ms).sum())]
        return resample(bars, timeframe)[-n_bars:]


def _walk(seed: int, n: int, symbol: str) -> Bars:
    rng = np.random.default_rng(seed + 10)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.008, n)))
    open_ = np.r_[100.0, close[:-1]]
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.004, n)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.004, n)))
    time = START + np.arange(n) * HOUR_MS
    return Bars.from_arrays(
        time, open_, high, low, close, rng.lognormal(8, 1, n),
        timeframe="1h", symbol=symbol, source="simulated",
    )
