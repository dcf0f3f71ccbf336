"""The stored bars of one stream, with what is known about its holes."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.errors import CoverageError
from opportunity.feeds.exchange.history.asked import Asked, asked_path, read_asked, write_asked
from opportunity.feeds.exchange.history.spans import Span, join, runs, without
from opportunity.market.bars import Bars
from opportunity.market.files import Coverage
from opportunity.market.store import BarStore
from opportunity.market.timeframe import HOUR_MS, Timeframe, length_ms

YOUNG_MS: Final = HOUR_MS
"""Bars that are missing at the end of an answer may still come: that end counts as asked for only
when it is older than this, or than three bars."""

NEAR_BARS: Final = 300
"""Holes nearer to each other than this are asked for in one go."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The bars of a span, the parts that nobody asked for, and the gaps asked for only once."""

    bars: Bars
    unknown: tuple[Span, ...]
    doubtful: tuple[Span, ...]


@dataclass(slots=True)
class Shelf:
    """Reads and writes one stream of a store; blocking, so call it from a thread.

    Parameters
    ----------
    store : BarStore
        Keeps the bars.
    symbol : str
        Of the stream.
    timeframe : Timeframe
        Of the stream.
    """

    store: BarStore
    symbol: str
    timeframe: Timeframe

    def held(self) -> Coverage:
        """Return what is stored; no bars where there is no file."""
        try:
            return self.store.coverage(self.symbol, self.timeframe)
        except CoverageError:
            return Coverage(0, 0, 0)

    def read(self, since: int | None, until: int | None) -> Bars:
        """Return the stored bars with opening time in [since, until)."""
        try:
            return self.store.read(self.symbol, self.timeframe, since, until)
        except CoverageError:
            none = np.zeros(0, np.int64), np.zeros((0, 5))
            return Bars(*none, self.timeframe, self.symbol, self.store.exchange)

    def look(self, since: int, until: int) -> "Look":
        """Return what is stored with opening time in [since, until), and what may be missing."""
        bars, known = self.read(since, until), self._known()
        length = length_ms(self.timeframe)
        held = runs(bars.time, length)
        unknown = without((since, until), [*known.once, *held])
        doubtful = [part for span in _inside(known.once, since, until)
                    for part in without(span, [*held, *known.twice])]
        near = NEAR_BARS * length
        return Look(bars, join(unknown, near), join(doubtful, near))

    def unknown(self, since: int, until: int) -> tuple[Span, ...]:
        """Return the spans that are neither stored nor were asked for; near ones are joined."""
        return self.look(since, until).unknown

    def doubtful(self, since: int, until: int) -> tuple[Span, ...]:
        """Return the gaps that were asked for only once; near ones are joined."""
        return self.look(since, until).doubtful

    def gaps(self, since: int, until: int) -> tuple[Span, ...]:
        """Return the spans inside in which bars are missing."""
        held = runs(self.read(since, until).time, length_ms(self.timeframe))
        return without((since, until), held)

    def keep(self, bars: Bars, span: Span, now: int, again: bool = False) -> int:
        """Store bars, and note that `span` was asked for; return how many are new or changed.

        Parameters
        ----------
        bars : Bars
            All that the venue has in `span`.
        span : tuple of int
            Opening times in [start, end), ms UTC.
        now : int
            When it was asked for, ms UTC of the exchange's clock.
        again : bool
            Whether this was the second time.
        """
        known, before = self._known(), self.held()
        fresh = self.fresh(bars)
        if len(fresh):
            self.store.write(fresh.label(symbol=self.symbol, timeframe=self.timeframe))
        length = length_ms(self.timeframe)
        last = int(bars.time[-1]) + length if len(bars) else span[0]
        settled = (span[0], max(last, min(span[1], now - max(YOUNG_MS, 3 * length))))
        after = self.held() if len(fresh) else before
        add = known.add_again if again else known.add
        write_asked(asked_path(self.store, self.symbol, self.timeframe), add(settled), after)
        return len(fresh)

    def fresh(self, bars: Bars) -> Bars:
        """Return those of the bars that are not stored with the same values."""
        if not len(bars):
            return bars
        old = self.read(int(bars.time[0]), int(bars.time[-1]) + 1)
        place = np.searchsorted(old.time, bars.time)
        place[place == len(old)] = 0
        same = np.zeros(len(bars), np.bool_)
        if len(old):
            same = (old.time[place] == bars.time) & (old.values[place] == bars.values).all(axis=1)
        return Bars(bars.time[~same], bars.values[~same], self.timeframe)

    def agrees(self, bars: Bars) -> bool:
        """Tell whether bars that are asked for again are the stored ones: at least one, all same.

        Prices within 1 in 10,000 count as the same: a venue may correct a bar.
        """
        if not len(bars):
            return False
        old = self.read(int(bars.time[0]), int(bars.time[-1]) + 1)
        _, mine, theirs = np.intersect1d(old.time, bars.time, return_indices=True)
        close = np.isclose(old.close[mine], bars.close[theirs], rtol=1e-4, atol=0.0)
        return bool(mine.size and close.all())

    def _known(self) -> Asked:
        path = asked_path(self.store, self.symbol, self.timeframe)
        return read_asked(path, self.held())


def _inside(spans: tuple[Span, ...], since: int, until: int) -> list[Span]:
    cut = [(max(a, since), min(b, until)) for a, b in spans]
    return [s for s in cut if s[0] < s[1]]
