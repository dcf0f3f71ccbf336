"""A venue of made-up bars whose pages are like those of real ones, good and bad."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.records import Rows
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.timeframe import TIMEFRAMES, length_ms, open_ms

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 20_000 * DAY + 7 * HOUR + 30_500


def values_at(times, length):
    """Bars that say by themselves which time they are of."""
    base = 100.0 + (times // length) % 1_000
    return np.stack([base, base + 2, base - 2, base + 1, np.full(times.size, 3.0)], axis=1)


@dataclass
class PagedVenue:
    """Answers `bars`; `style` is how it pages, `holes` are spans in which nothing was traded."""

    cap: int = 1_000
    style: str = "from"  # from | window | end (the newest of the window) | newest | short
    listed: int = NOW - 400 * DAY
    gone: int | None = None
    holes: tuple[tuple[int, int], ...] = ()
    newest_first: bool = False
    overlap: int = 0
    keeps: dict[str, int] = field(default_factory=dict)  # timeframe -> how far back, ms
    refuses: bool = False  # what lies further back, instead of an empty answer
    timeframes: tuple[str, ...] = TIMEFRAMES
    name: str = "binance"
    stamp: str = "binance"
    stamp_name: str = "binance"
    spoil: Callable[[str, int, np.ndarray, np.ndarray], None] | None = None
    errors: list[Exception] = field(default_factory=list)
    week_from_thursday: bool = False
    now: int = NOW
    factor: float = 1.0
    asked: list[tuple[str, str, int, int]] = field(default_factory=list)

    def __post_init__(self):
        self.clock = Clock(self.now)

    def traded(self, timeframe, start, end):
        """Opening times of all bars that exist in [start, end), the open one too."""
        length = length_ms(timeframe)
        shift = 0
        if timeframe == "1w" and self.week_from_thursday:
            shift = -4 * DAY
        first = open_ms(max(start, self.listed - length + 1) + length - 1, timeframe) + shift
        times = np.arange(first, min(end, self.clock.now() + 1, self.gone or end), length)
        for a, b in self.holes:
            times = times[~((times >= a) & (times + length <= b))]
        return times[times >= start]

    async def bars(self, symbol, timeframe, since, limit):
        self.asked.append((symbol, timeframe, since, limit))
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        length, wanted, now = length_ms(timeframe), limit, self.clock.now()
        limit = min(limit, self.cap)
        oldest = now - self.keeps.get(timeframe, now)
        if self.refuses and since < oldest:
            raise VenueError("too long ago, 10000 points at most", "refused")
        since -= self.overlap * length
        if self.style == "newest":
            times = self.traded(timeframe, oldest, now + 1)[-self.cap :]
            times = times[times >= since][:limit]
        elif since < oldest:
            times = np.zeros(0, np.int64)
        elif self.style == "end":
            times = self.traded(timeframe, since, since + wanted * length)[-limit:]
        elif self.style == "window":
            times = self.traded(timeframe, since, since + limit * length)
        else:
            times = self.traded(timeframe, since, now + 1)[:limit]
        if self.style == "short":
            times = times[: max(1, times.size * 2 // 3)]
        values = values_at(times, length) * self.factor
        if self.newest_first:
            times, values = times[::-1], values[::-1]
        times, values = times.copy(), values.copy()
        if self.spoil is not None:
            self.spoil(timeframe, since, times, values)
        return Rows(times, values, self.clock.now())
