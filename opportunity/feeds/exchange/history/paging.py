"""Walks through a span of a venue's bars page by page, whatever a page is like.

Venues cap pages at 300, 720 or 1000 rows, answer an empty page where a symbol was not listed yet,
give only the newest rows however old the `since`, or answer a `since` that is too old for them with
nothing or with a refusal. Each step goes forward or ends the walk.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from opportunity.feeds.exchange.history.sifting import GRACE_MS, Sifted, Tally, sift
from opportunity.feeds.exchange.history.spans import Span
from opportunity.feeds.exchange.records import Rows
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, length_ms, open_ms

PAGE: Final = 1_000
"""Rows that are asked for; most venues give no more."""

MORE: Final = 10
"""Rows that are asked for beyond the need: some venues begin a page before the `since`."""

SMALL: Final = 100
"""Rows that are asked for where a venue gives the end of a larger page instead of its beginning."""

HIDDEN: Final = 20
"""Bars that are missing at the head of a page from which on that is looked into."""

LOOKS: Final = 5
"""How often: a market with many holes is not asked twice for all of them."""

STEP: Final = 300
"""Bars that an empty page proves to be missing: the smallest cap of a page that is known."""


class Answering(Protocol):
    """What is asked of a venue."""

    name: str
    timeframes: tuple[Timeframe, ...]

    async def bars(self, symbol: str, timeframe: Timeframe, since: int, limit: int) -> Rows:
        """Return a page of rows."""
        ...


class OffGridError(Exception):
    """Raised when a venue's bars of a timeframe open elsewhere than ours, e.g. weeks."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Bars of a part of the walk: all that the venue has in `span`, opening times in ms UTC."""

    bars: Bars
    span: Span


@dataclass(slots=True)
class Pager:
    """Pages of one stream.

    Parameters
    ----------
    venue : object
        Has `bars(symbol, timeframe, since, limit)`.
    symbol, timeframe : str
        Of the stream.
    grace_ms : int
        How long after its close a bar must have been asked for.
    strict_grid : bool
        Whether to raise `OffGridError` where two answers in a row have no row on our grid.
    tally : Tally
        Counts pages and what was left out.
    most : int
        Rows that are asked for at once; fewer where a venue turns out to hide the first of more.
    looks : int
        How often that is still looked into.
    """

    venue: Answering
    symbol: str
    timeframe: Timeframe
    grace_ms: int = GRACE_MS
    strict_grid: bool = False
    tally: Tally = field(default_factory=Tally)
    most: int = PAGE
    looks: int = LOOKS
    _contradicted: int = 0
    _asked_at: int = 0
    _looked: tuple[int, int | None] = (-1, None)
    _until: int = 0

    async def pages(self, since: int, until: int) -> AsyncIterator[Page]:
        """Iterate over pages that together cover [since, until), in order.

        Parameters
        ----------
        since, until : int
            Opening times on the grid, ms UTC. What was not closed when it was asked for is left
            out: the walk ends before it.

        Raises
        ------
        VenueError
            If the venue does not answer.
        OffGridError
            See `strict_grid`.
        """
        at, self._until = since, until
        while at < until:
            found = await self._ask(at, until)
            until = min(until, self._final())
            if at >= until:
                return
            if found.reached is not None:
                self._contradicted = 0
                reached = min(found.reached, until)
                yield Page(found.bars, (at, reached))
            else:
                reached = await self._past_nothing(at, until)
                yield Page(found.bars[:0], (at, reached))
            at = reached

    async def _ask(self, at: int, until: int) -> Sifted:
        found = await self._page(at, until)
        if await self._hides(found, at):
            self.most = SMALL
            found = await self._page(at, until)
        return found

    async def _hides(self, found: Sifted, at: int) -> bool:
        """Tell whether there are bars before those that came: some venues give the newest ones.

        A hole, or a symbol that was not listed yet, looks the same: it is looked into some times.
        """
        length = length_ms(self.timeframe)
        first = int(found.bars.time[0]) if len(found.bars) else at
        if self.looks <= 0 or first - at < HIDDEN * length or len(found.bars) < SMALL // 2:
            return False
        self.looks -= 1
        since = max(at, first - SMALL * length)
        rows = await self._rows(self.timeframe, since, SMALL)
        return bool(((rows.times >= since) & (rows.times < first)).any())

    async def _page(self, at: int, until: int) -> Sifted:
        length = length_ms(self.timeframe)
        limit = min(self.most, -(-(until - at) // length) + MORE)
        for again in (False, True):
            rows = await self._rows(self.timeframe, at, limit)
            found = sift(rows, self.timeframe, (at, until), self.grace_ms, self.tally)
            if not (found.all_off and self.strict_grid):
                break
            if again:
                raise OffGridError(
                    f"{self.timeframe} bars of {self.venue.name} open elsewhere than ours"
                )
        return found

    async def _rows(self, timeframe: Timeframe, since: int, limit: int) -> Rows:
        self.tally.pages += 1
        try:
            rows = await self.venue.bars(self.symbol, timeframe, since, limit)
        except VenueError as error:
            rows = await self._refused(error, timeframe, since)
        if timeframe == self.timeframe:
            self._asked_at = rows.asked_at
        return rows

    async def _refused(self, error: VenueError, timeframe: Timeframe, since: int) -> Rows:
        """Return no rows if it was the `since` that was refused for its age; else raise."""
        length = length_ms(timeframe)
        newest = open_ms(self._until, timeframe) - length
        if error.kind != "refused" or newest - since < STEP * length:
            raise error
        self.tally.pages += 1
        try:
            rows = await self.venue.bars(self.symbol, timeframe, newest, MORE)
        except VenueError as again:
            raise (error if again.kind == "refused" else again) from None
        return Rows(rows.times[:0], rows.values[:0], rows.asked_at)

    def _final(self) -> int:
        """Return before which opening time bars were final when the last page was asked for."""
        return open_ms(self._asked_at - self.grace_ms, self.timeframe)

    async def _past_nothing(self, at: int, until: int) -> int:
        """Return where to go on after an empty page at `at`; always later."""
        step = min(STEP, self.most) * length_ms(self.timeframe)
        near = at + step
        if near >= until:
            return until
        coarse = self._coarse()
        if coarse is None:
            return near
        opened = open_ms(at, coarse)
        if opened != self._looked[0]:
            self._looked = opened, await self._first_coarse(coarse, opened, until)
        there = self._looked[1]
        if there is None:
            return until
        if there >= near:
            return there
        # Longer bars say that something is there. After as many empty pages as a longer bar needs,
        # the venue does not keep these bars so long: look from where on it does.
        self._contradicted += 1
        if self._contradicted <= 1 + length_ms(coarse) // step:
            return near
        self._contradicted = 0
        return max(near, await self._first_answer(near, until))

    def _coarse(self) -> Timeframe | None:
        """Return longer bars of which one page looks far ahead."""
        length = length_ms(self.timeframe)
        longer: tuple[Timeframe, ...] = ("1d", "4h", "1h")
        usable = [t for t in longer if t in self.venue.timeframes and length_ms(t) >= 4 * length]
        return usable[0] if usable else None

    async def _first_coarse(self, coarse: Timeframe, at: int, until: int) -> int | None:
        """Return the first opening time of longer bars from `at` on; None without any."""
        length = length_ms(coarse)
        while at < until:
            rows = await self._rows(coarse, at, SMALL)
            ahead = rows.times[(rows.times >= at) & (rows.times < until)]
            ahead = ahead[(ahead - open_ms(0, coarse)) % length == 0]
            if ahead.size:
                return int(ahead.min())
            at += SMALL * length
        return None

    async def _first_answer(self, low: int, until: int) -> int:
        """Search the place from which on the venue answers; `until` if it does nowhere.

        Halving is right where everything before that place is empty, as with a venue that keeps
        only its newest minutes.
        """
        length = length_ms(self.timeframe)
        high = until - length
        first = await self._first_from(high, until)
        if first is None:
            return until
        while high - low > STEP // 10 * length:
            middle = low + (high - low) // length // 2 * length
            seen = await self._first_from(middle, until)
            if seen is None:
                low = middle
            else:
                high, first = middle, min(first, seen)
        return first

    async def _first_from(self, at: int, until: int) -> int | None:
        limit = min(self.most, (until - at) // length_ms(self.timeframe) + MORE)
        rows = await self._rows(self.timeframe, at, limit)
        return _earliest(sift(rows, self.timeframe, (at, until), self.grace_ms, Tally()))


def _earliest(found: Sifted) -> int | None:
    return int(found.bars.time[0]) if len(found.bars) else None
