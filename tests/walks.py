"""Bars and sources for tests of what stands around the backtest: small, seeded, compiled once."""

from collections.abc import Iterable

import numpy as np

from opportunity.market.bars import Bars
from opportunity.market.observations import Record
from opportunity.market.timeframe import HOUR_MS, length_ms, open_ms

START = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""

FIRST, LAST = START - 200 * 24 * HOUR_MS, START + 60 * 24 * HOUR_MS
"""What `FakeBars` has."""


def walk_bars(
    symbol: str = "BTC/USDT", timeframe: str = "1h", start: int = FIRST, end: int = LAST,
    source: str = "fake", seed: int = 5,
) -> Bars:
    """Return a random walk whose bars do not depend on the span that is cut out of it."""
    length = length_ms(timeframe)
    time = np.arange(open_ms(FIRST + length - 1, timeframe), LAST, length, dtype=np.int64)
    rng = np.random.default_rng([seed, length, *symbol.encode()])
    close = 100 * np.exp(np.cumsum(rng.normal(0.0, 0.01, time.size)))
    open_ = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(open_, close) * (1 + rng.uniform(0, 0.004, time.size))
    low = np.minimum(open_, close) * (1 - rng.uniform(0, 0.004, time.size))
    bars = Bars.from_arrays(
        time, open_, high, low, close, rng.uniform(1e5, 2e5, time.size),
        timeframe=timeframe, symbol=symbol, source=source,
    )
    return bars.between(start, end - length + 1)


class FakeBars:
    """A `BarSource` of random walks, as far as `FIRST` to `LAST`."""

    def __init__(self, source: str = "fake") -> None:
        self.source = source
        self.asked: list[tuple[str, str, int, int]] = []

    def load(self, symbol: str, timeframe: str, start: int, end: int) -> Bars:
        self.asked.append((symbol, timeframe, start, end))
        return walk_bars(symbol, timeframe, max(start, FIRST), min(end, LAST), self.source)

    def records(self, bars: Iterable[Bars]) -> list[Record]:
        return []

    def span(self, symbol: str, timeframe: str) -> tuple[int, int]:
        return FIRST, LAST
