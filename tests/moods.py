"""Records of a crowd made to order: Fear & Greed, funding, positions, around quiet bars."""

from collections.abc import Callable, Sequence

import numpy as np

from opportunity.market.bars import Bars
from opportunity.market.observations import FearGreed, Funding, LongShort, OpenInterest
from opportunity.market.timeframe import DAY_MS, HOUR_MS

DAY_0 = 18_600 * DAY_MS
COIN = "TEST/USDT"


def quiet_bars(n: int, first: int = DAY_0, slope: float = 0.0, seed: int | None = None) -> Bars:
    """Hourly bars around 1,024 with a slope a bar; with a seed, a walk on a dyadic grid."""
    steps = np.full(n, slope)
    if seed is not None:
        steps += np.rint(np.random.default_rng(seed).normal(0, 32, n)) / 16
    close = 1024 + np.cumsum(steps)
    opened = np.concatenate((close[:1] - steps[0], close[:-1]))
    values = np.stack([
        opened, np.maximum(opened, close) + 0.5, np.minimum(opened, close) - 0.5, close,
        np.full(n, 100.0),
    ], axis=1)
    return Bars(first + HOUR_MS * np.arange(n, dtype=np.int64), values, "1h", COIN, "test")


def moods(values: Sequence[float], first: int) -> list[FearGreed]:
    """A value a day from `first` on, each known when its day is over."""
    return [
        FearGreed(first + i * DAY_MS, first + (i + 1) * DAY_MS, "test", int(v))
        for i, v in enumerate(values)
    ]


def settlements(rates: Sequence[float], last: int) -> list[Funding]:
    """Rates every eight hours, the last of them at `last`."""
    times = last - 8 * HOUR_MS * np.arange(len(rates) - 1, -1, -1)
    return [Funding(t, t, "test", COIN, r) for t, r in zip(times.tolist(), rates, strict=True)]


def hourly_interest(of: Callable[[int], float], first: int, n: int) -> list[OpenInterest]:
    """Open interest `of(hour)` each hour, hour 0 at `first`."""
    times = [first + i * HOUR_MS for i in range(n)]
    return [OpenInterest(t, t, "test", COIN, of(i)) for i, t in enumerate(times)]


def hourly_ratios(of: Callable[[int], float], first: int, n: int) -> list[LongShort]:
    """Long/short ratios `of(hour)` each hour, hour 0 at `first`."""
    times = [first + i * HOUR_MS for i in range(n)]
    return [LongShort(t, t, "test", COIN, of(i)) for i, t in enumerate(times)]
