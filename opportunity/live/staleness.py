"""Whether what is traded on is fresh and can be kept: the state of the breaker of stale data.

Sans I/O: whoever asks says what time it is. A feed whose time is not wall time cannot be late.
"""

from typing import Final, NamedTuple

from opportunity.trading.records import CLOSED, HALF_OPEN, OPEN

STEADY: Final = 3
"""Batches in time, one after the other, after which data that was stale counts as fresh again."""


class Freshness(NamedTuple):
    """State of the breaker, CLOSED, OPEN or HALF_OPEN, and why; empty where nothing is wrong."""

    state: int
    text: str


FRESH: Final = Freshness(CLOSED, "")


class Staleness:
    """Watches how old batches are when they come, and whether accounts can be stored.

    Parameters
    ----------
    base_ms : int
        Length of the feed's bars, ms.
    on_wall_time : bool
        Whether the feed's time is wall time.
    """

    def __init__(self, base_ms: int, on_wall_time: bool) -> None:
        self._base_ms, self._on_wall_time = base_ms, on_wall_time
        self._newest = 0  # close of the newest batch that was not late, ms UTC
        self._steady = STEADY  # batches in time since the last that was not
        self.storage = ""
        """Why accounts cannot be stored; empty while they can."""

    def heard(self, closed: int, now: int, bars: int) -> Freshness:
        """Take a batch.

        Parameters
        ----------
        closed : int
            When its bars closed, ms UTC of the feed.
        now : int
            Feed time now.
        bars : int
            Base bars without news after which data is stale; 0: never.
        """
        self._newest = max(self._newest, closed)
        if self._old(now, bars):
            self._steady = 0
        else:
            self._steady += 1
        return self.now(now, bars)

    def now(self, now: int, bars: int) -> Freshness:
        """Return the state at a feed time, ms UTC; `bars` as in `heard`."""
        if self.storage:
            return Freshness(OPEN, f"storage: {self.storage}")
        if not bars or not self._on_wall_time:
            return FRESH
        if self._old(now, bars):
            self._steady = 0
            age_s = (now - self._newest) / 1000
            return Freshness(OPEN, f"newest bar is {age_s:.0f} s old")
        if self._steady < STEADY:
            return Freshness(HALF_OPEN, "data was stale a moment ago")
        return FRESH

    def _old(self, now: int, bars: int) -> bool:
        late = now - self._newest > bars * self._base_ms
        return bool(bars) and self._on_wall_time and self._newest > 0 and late
