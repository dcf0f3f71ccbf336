"""Downloads streams of a venue into a store: resumable at any moment, gaps told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.history.archive import Asked, joined
from opportunity.feeds.exchange.history.origin import longest_within, same_market
from opportunity.feeds.exchange.history.paging import OffGridError, Page, Pager
from opportunity.feeds.exchange.history.reports import Stream, StreamReport
from opportunity.feeds.exchange.history.shelf import Shelf
from opportunity.feeds.exchange.history.sifting import GRACE_MS
from opportunity.feeds.exchange.history.spans import Span
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import length_ms, open_ms

logger = structlog.get_logger(__name__)

AT_ONCE: Final = 4
"""Streams that are downloaded side by side; the venue's gate spaces their requests."""

PAGES: Final = 5
"""Pages between two writes at least."""

SHARE: Final = 20
"""A write holds at least this part of what is stored, as it writes the whole file anew ..."""

AFTER_S: Final = 20.0
"""... or comes after so many seconds: that much work is lost when the process is killed."""

TRIES: Final = 6
"""Failures in a row, without a page in between, until a stream is given up."""

LONGEST_WAIT_S: Final = 300.0
"""A venue that asks to wait longer than this is left for another day."""


class Watcher(Protocol):
    """Is told how a download goes."""

    def moved(self, stream: Stream, share: float, n_bars: int) -> None:
        """Take how much of a stream is done, 0..1, and how many bars came with this page."""

    def waits(self, stream: Stream, seconds: float, why: str) -> None:
        """Take that the venue has to be left alone for a while."""

    def finished(self, report: StreamReport) -> None:
        """Take what came of a stream."""


@dataclass(slots=True)
class Download:
    """Brings streams of a venue into a store.

    Parameters
    ----------
    venue : Venue
        Opened.
    store : BarStore
        Of this venue. What is there already is not asked for again.
    streams : sequence of Stream
        What to download; of timeframes that the venue has.
    span : tuple of int
        Opening times [start, end) in ms UTC; what has not closed yet is left out.
    watcher : Watcher
        Is told how it goes.
    wall : callable
        Wall time in ms UTC.
    sleep : callable
        Coroutine function that waits seconds.
    """

    venue: Asked
    store: BarStore
    streams: Sequence[Stream]
    span: Span
    watcher: Watcher
    wall: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _stopped: str = ""
    _reports: dict[Stream, StreamReport] = field(default_factory=dict)

    async def run(self) -> list[StreamReport]:
        """Download everything and return a report for each stream, in their order.

        What is on its way when it is cancelled is written first.
        """
        waiting = iter(self.streams)

        async def work() -> None:
            for stream in waiting:  # shared by the workers: each takes the next one
                report = await self._stream(stream)
                self._reports[stream] = report
                self.watcher.finished(report)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(self.streams))):
                group.create_task(work(), name="download: work")
        return [self._reports[s] for s in self.streams]

    async def _stream(self, stream: Stream) -> StreamReport:
        name = stream.timeframe
        since = open_ms(self.span[0] + length_ms(name) - 1, name)
        newest = open_ms(self.venue.clock.now() - GRACE_MS, name)
        report = StreamReport(stream, (since, max(since, min(self.span[1], newest))))
        if self._stopped:
            report.error = self._stopped
            return report
        shelf = Shelf(self.store, stream.symbol, name)
        pager = Pager(self.venue, stream.symbol, name, strict_grid=True, tally=report.tally)
        try:
            if not await same_market(self.venue, shelf, pager):
                raise OpportunityError(
                    f"stored bars in {self.store.exchange} are of another made-up market: "
                    "give another --data"
                )
            try:
                await self._fill(shelf, pager, report)
            finally:
                await asyncio.to_thread(_measure, shelf, report)
        except OffGridError as error:
            return await self._instead(report, str(error))
        except (OpportunityError, OSError) as error:
            report.error = str(error)
        return report

    async def _instead(self, report: StreamReport, why: str) -> StreamReport:
        """Download the bars that a timeframe off our grid can be made of."""
        symbol, name = report.stream.symbol, report.stream.timeframe
        served = longest_within(self.venue, name, {name}, need=False)
        if served is None:
            report.error = why
            return report
        other = Stream(symbol, served)
        if other not in self.streams:
            report = await self._stream(other)
        report.note = f"{why}: {name} is made of {served}"
        return report

    async def _fill(self, shelf: Shelf, pager: Pager, report: StreamReport) -> None:
        walk = _Walk(self, shelf, pager, report)
        for again in (False, True):
            ask = shelf.doubtful if again else shelf.unknown
            parts = await asyncio.to_thread(ask, *report.span)
            walk.begin(parts, again)
            for part in parts:
                await walk.through(part)
        if report.tally.refused:
            logger.info(
                "rows refused",
                symbol=shelf.symbol,
                timeframe=shelf.timeframe,
                off_grid=report.tally.off_grid,
                invalid=report.tally.invalid,
            )

    async def pause(self, error: VenueError, n_failed: int, stream: Stream) -> None:
        """Wait as long as the venue wants, or raise the error if there is no use in it."""
        wait_s = min(2.0**n_failed, 30.0)
        if error.retry_at is not None:
            wait_s = max(0.5, (error.retry_at - self.wall()) / 1e3)
        if not (error.retryable or error.kind == "banned") or n_failed >= TRIES:
            raise error
        if wait_s > LONGEST_WAIT_S:
            self._stopped = f"{error}; run the same command again later to go on"
            raise error
        self.watcher.waits(stream, wait_s, str(error))
        await self.sleep(wait_s)


class _Walk:
    """One stream's way through the venue's pages: keeps what came, survives failures."""

    def __init__(
        self, download: Download, shelf: Shelf, pager: Pager, report: StreamReport
    ) -> None:
        self._download, self._shelf, self._pager, self._report = download, shelf, pager, report
        self._waiting: list[Bars] = []
        self._begun = 0
        self._again = False
        self._done, self._wanted = 0, 1
        self._clock = download.venue.clock
        self._written_at = self._clock.real()
        self._n_stored = self._reached = 0
        self._lock = Lock()

    def begin(self, parts: Sequence[Span], again: bool) -> None:
        """Prepare to walk through parts of the span."""
        self._again = again
        if not again:
            whole = self._report.span
            self._wanted = max(1, whole[1] - whole[0])
            self._done = self._wanted - sum(b - a for a, b in parts)
        self._n_stored = self._shelf.held().n_bars

    async def through(self, part: Span) -> None:
        """Ask for all of a part, trying again after failures from where it stopped."""
        at, n_failed = part[0], 0
        while at < part[1]:
            self._begun = self._reached = at
            try:
                async for page in self._pager.pages(at, part[1]):
                    at, n_failed = page.span[1], 0
                    await self._take(page)
                at = part[1]
            except VenueError as error:
                await asyncio.to_thread(self._write, at)
                n_failed += 1
                await self._download.pause(error, n_failed, self._report.stream)
            except asyncio.CancelledError:
                self._write(at)
                raise
            else:
                await asyncio.to_thread(self._write, self._reached)

    async def _take(self, page: Page) -> None:
        self._waiting.append(page.bars)
        self._reached = page.span[1]
        if not self._again:
            self._done += page.span[1] - page.span[0]
        share = min(1.0, self._done / self._wanted)
        self._download.watcher.moved(self._report.stream, share, len(page.bars))
        if self._due():
            await asyncio.to_thread(self._write, self._reached)

    def _due(self) -> bool:
        n_waiting = sum(len(b) for b in self._waiting)
        if self._clock.real() - self._written_at >= AFTER_S:
            return True
        return len(self._waiting) >= PAGES and n_waiting * SHARE >= self._n_stored

    def _write(self, reached: int) -> None:
        """Store what came since the last write; blocking."""
        with self._lock:  # a cancelled walk writes while its thread may still be at it
            if self._waiting:
                bars, self._waiting = joined(self._waiting), []
                self._report.n_new += self._shelf.keep(
                    bars, (self._begun, reached), self._clock.now(), self._again
                )
                self._n_stored = self._shelf.held().n_bars
            self._begun, self._written_at = reached, self._clock.real()


def _measure(shelf: Shelf, report: StreamReport) -> None:
    """Count what is stored of the span now, and what is missing in it; blocking."""
    since, until = report.span
    times = shelf.read(since, until).time
    report.n_bars = times.size
    if not times.size:
        return
    length = length_ms(shelf.timeframe)
    report.first, report.last = int(times[0]), int(times[-1])
    report.gaps = shelf.gaps(report.first, report.last + length)
    report.missing = sum((b - a) // length for a, b in report.gaps)
    report.confirmed = not shelf.doubtful(report.first, report.last + length)
