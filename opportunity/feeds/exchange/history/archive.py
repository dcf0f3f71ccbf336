"""Bars of the past: from the store where they are complete, else asked of the venue and kept."""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np
import structlog

from opportunity.errors import BarError
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.history.origin import longest_within, same_market
from opportunity.feeds.exchange.history.paging import LOOKS, PAGE, Answering, OffGridError, Pager
from opportunity.feeds.exchange.history.shelf import Shelf
from opportunity.feeds.exchange.history.sifting import GRACE_MS, Tally
from opportunity.feeds.exchange.history.spans import Span
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.market.store import BarStore
from opportunity.market.timeframe import Timeframe, length_ms, open_ms
from opportunity.market.timeframe import timeframe as check_timeframe

logger = structlog.get_logger(__name__)

AT_ONCE: Final = 4
"""Streams that are loaded side by side."""

ROUNDS: Final = 4
"""How often a load reaches further back because bars are missing in between."""

KEEP_EVERY: Final = 10
"""Pages between two writes of a long load."""


MOST_REVISED: Final = 500
"""Revisions of a symbol that are told apart."""


class Asked(Answering, Protocol):
    """What an archive needs of a venue."""

    stamp: str
    clock: Clock


class Archive:
    """History of the markets of one venue.

    Parameters
    ----------
    venue : Venue
        Opened.
    store : BarStore or None
        Keeps what was asked for; None asks anew each time.
    grace_ms : int
        How long after its close a bar must have been asked for to be final, feed time.

    Attributes
    ----------
    tally : Tally
        Pages asked for, rows left out and why.
    errors : dict
        By symbol and timeframe: why `loads` gave no bars of it.
    """

    def __init__(self, venue: Asked, store: BarStore | None, grace_ms: int = GRACE_MS) -> None:
        self.tally = Tally()
        self.errors: dict[tuple[str, str], str] = {}
        self._venue, self._store, self._grace = venue, store, grace_ms
        self._off: set[Timeframe] = set()
        self._locks: dict[tuple[str, Timeframe], asyncio.Lock] = {}
        self._trusted: dict[tuple[str, Timeframe], bool] = {}
        self._revised: dict[str, list[int]] = {}
        self._renewed: dict[tuple[str, Timeframe], int] = {}
        self._most, self._looks = PAGE, LOOKS

    async def load(
        self, symbol: str, timeframe: str, n_bars: int, end: int, now: int | None = None
    ) -> Bars:
        """Return the newest bars that have closed.

        Parameters
        ----------
        symbol, timeframe : str
            Of the stream. What the venue lacks, or gives off our grid, is made of shorter bars.
        n_bars : int
            At most so many; fewer where the venue has no more.
        end : int
            Bars that have closed by then, ms UTC.
        now : int, optional
            Time of the exchange's clock; by default read from it. Bars that closed less than a
            grace before it are left out.

        Raises
        ------
        VenueError
            If the venue does not answer.
        ValueError
            If the timeframe can be had from no bars of the venue.
        """
        name = check_timeframe(timeframe)
        now = self._venue.clock.now() if now is None else now
        until = open_ms(min(end, now - self._grace), name)
        length = length_ms(name)
        reach = n_bars
        bars = await self._span(symbol, name, (until - reach * length, until))
        for _ in range(ROUNDS - 1):
            short = n_bars - len(bars)
            if short <= 0 or _ends_at_its_head(bars, until, length):
                break
            reach += short + max(short // 2, 2)
            more = await self._span(symbol, name, (until - reach * length, until))
            if len(more) == len(bars):
                break
            bars = more
        return bars[max(0, len(bars) - n_bars) :]

    async def loads(
        self,
        symbols: Iterable[str],
        timeframe: str,
        n_bars: int,
        end: int,
        now: int | None = None,
    ) -> list[Bars]:
        """Return `load` for many symbols, a few at a time, in their order.

        A symbol that the venue refuses gets no bars and an entry in `errors`; a venue that does
        not answer at all raises.
        """
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(symbol: str) -> Bars:
            async with slots:
                return await self._load_or_none(symbol, timeframe, n_bars, end, now)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(s), name="archive: load") for s in symbols]
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    def revise(self, symbol: str, since: int) -> None:
        """Ask anew for the bars of a symbol that hold or follow `since`, ms UTC: they changed.

        Each timeframe is asked for with its next load, and the stored bars are replaced.
        """
        told = self._revised.setdefault(symbol, [])
        told.append(since)
        if len(told) > MOST_REVISED:  # begin anew: everything since the first is asked for again
            self._revised[symbol] = [min(told)]
            self._renewed = {k: n for k, n in self._renewed.items() if k[0] != symbol}

    async def _load_or_none(
        self, symbol: str, timeframe: str, n_bars: int, end: int, now: int | None
    ) -> Bars:
        self.errors.pop((symbol, timeframe), None)
        try:
            return await self.load(symbol, timeframe, n_bars, end, now)
        except VenueError as error:
            if error.kind not in ("refused", "unsupported", "garbled"):
                raise
            logger.warning("history not had", symbol=symbol, timeframe=timeframe, error=str(error))
            self.errors[symbol, timeframe] = str(error)
            return self._label(_no_bars(check_timeframe(timeframe)), symbol)

    async def _span(self, symbol: str, name: Timeframe, span: Span) -> Bars:
        served = longest_within(self._venue, name, self._off)
        try:
            if served == name:
                return self._label(await self._served(symbol, name, span), symbol)
        except OffGridError as error:
            logger.info("timeframe made of shorter bars", timeframe=name, why=str(error))
            self._off.add(name)
            served = longest_within(self._venue, name, self._off)
        return self._label(await self._made(symbol, name, served, span), symbol)

    async def _made(self, symbol: str, name: Timeframe, served: Timeframe, span: Span) -> Bars:
        """Make bars of shorter ones; a first bar without its beginning is left out."""
        base = await self._served(symbol, served, span)
        whole = resample(base, name, now=span[1]).between(*span)
        cut = len(whole) and int(base.time[0]) > int(whole.time[0])
        return whole[1:] if cut else whole

    async def _served(self, symbol: str, name: Timeframe, span: Span) -> Bars:
        strict = longest_within(self._venue, name, {*self._off, name}, need=False) is not None
        pager = Pager(
            self._venue, symbol, name, self._grace, strict, most=self._most, looks=self._looks
        )
        try:
            async with self._locks.setdefault((symbol, name), asyncio.Lock()):
                shelf = await self._shelf(symbol, name, pager)
                if shelf is None:
                    return await _fetch(pager, span)
                return await self._stored(shelf, pager, span)
        finally:
            self._count(pager.tally)
            self._most, self._looks = min(self._most, pager.most), min(self._looks, pager.looks)

    async def _stored(self, shelf: Shelf, pager: Pager, span: Span) -> Bars:
        await self._renew(shelf, pager, span)
        seen = await asyncio.to_thread(shelf.look, *span)
        if seen.unknown:
            for part in seen.unknown:
                await self._keep(shelf, pager, part, again=False)
            seen = await asyncio.to_thread(shelf.look, *span)
        first = int(seen.bars.time[0]) if len(seen.bars) else span[0]
        gaps = [part for part in seen.doubtful if part[1] > first]  # before it there is no more
        if gaps:
            for part in gaps:
                await self._keep(shelf, pager, part, again=True)
            seen = await asyncio.to_thread(shelf.look, *span)
        return seen.bars

    async def _renew(self, shelf: Shelf, pager: Pager, span: Span) -> None:
        """Ask again for bars of which was said that they changed, if the span reaches them."""
        key = shelf.symbol, shelf.timeframe
        told = self._revised.get(shelf.symbol, [])
        n_told = len(told)  # more may be told while these are asked for
        fresh = told[self._renewed.get(key, 0) :]
        if not fresh or span[1] <= min(fresh):
            return
        held = await asyncio.to_thread(shelf.held)
        end = max(span[1], held.last + length_ms(shelf.timeframe))
        await self._keep(shelf, pager, (open_ms(min(fresh), shelf.timeframe), end), again=False)
        if self._revised[shelf.symbol] is told:
            self._renewed[key] = n_told

    async def _keep(self, shelf: Shelf, pager: Pager, part: Span, again: bool) -> None:
        waiting: list[Bars] = []
        at, reached = part[0], part[0]
        n_pages = 0
        async for page in pager.pages(*part):
            waiting.append(page.bars)
            reached, n_pages = page.span[1], n_pages + 1
            if n_pages % KEEP_EVERY == 0:
                await asyncio.to_thread(
                    shelf.keep, joined(waiting), (at, reached), self._venue.clock.now(), again
                )
                waiting, at = [], reached
        if waiting:
            await asyncio.to_thread(
                shelf.keep, joined(waiting), (at, reached), self._venue.clock.now(), again
            )

    async def _shelf(self, symbol: str, name: Timeframe, pager: Pager) -> Shelf | None:
        """Return the stored stream if it can be trusted; one that is damaged is left alone."""
        if self._store is None or not self._trusted.get((symbol, name), True):
            return None
        shelf = Shelf(self._store, symbol, name)
        if (symbol, name) in self._trusted:
            return shelf
        try:
            trusted = await same_market(self._venue, shelf, pager)
        except BarError as error:
            logger.warning("stored bars not readable", symbol=symbol, error=str(error))
            trusted = False
        if not trusted:
            logger.warning(
                "stored bars not used", symbol=symbol, timeframe=name, folder=self._store.exchange
            )
        self._trusted[symbol, name] = trusted
        return shelf if trusted else None

    def _label(self, bars: Bars, symbol: str) -> Bars:
        return bars.label(symbol=symbol, source=self._venue.stamp)

    def _count(self, other: Tally) -> None:
        for name in ("pages", "still_open", "off_grid", "invalid"):
            setattr(self.tally, name, getattr(self.tally, name) + getattr(other, name))


async def _fetch(pager: Pager, span: Span) -> Bars:
    parts = [page.bars async for page in pager.pages(*span)]
    return joined(parts) if parts else _no_bars(pager.timeframe)


def joined(parts: list[Bars]) -> Bars:
    """Join bars of pages that follow each other."""
    return Bars(
        np.concatenate([p.time for p in parts]),
        np.concatenate([p.values for p in parts]),
        parts[0].timeframe,
    )


def _ends_at_its_head(bars: Bars, until: int, length: int) -> bool:
    """Tell whether nothing is missing but what is older: then there is no more to be had."""
    return len(bars) > 0 and len(bars) == (until - int(bars.time[0])) // length


def _no_bars(name: Timeframe) -> Bars:
    return Bars(np.zeros(0, np.int64), np.zeros((0, 5)), name)
