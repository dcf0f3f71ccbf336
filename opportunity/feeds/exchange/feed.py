"""Any exchange that ccxt speaks to, as a feed: final bars only, holes repaired, faults named."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.feeds.base import (
    FORMING_S,
    Closed,
    Corrected,
    Event,
    Feed,
    check_request,
    pad,
    require_known,
)
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.finality.recent import REACH
from opportunity.feeds.exchange.health import Health
from opportunity.feeds.exchange.history.archive import Archive
from opportunity.feeds.exchange.lines.lines import Lines
from opportunity.feeds.exchange.lines.tape import Tape
from opportunity.feeds.exchange.records import Frame
from opportunity.feeds.exchange.repair import Repair
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.exchange.universe import chosen, largest
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.feeds.exchange.watch import Watch
from opportunity.feeds.status import FeedStatus
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.notes import BarNote
from opportunity.market.observations import OrderBook, Record, Trades
from opportunity.market.store import BarStore
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms, open_ms, timeframe
from opportunity.market.trust import Faults

logger = structlog.get_logger(__name__)

UNKNOWN_SOURCE: Final = "simulated"
"""Source of an exchange at a local address before it was asked: never that of a real one."""

KNOWN_BARS: Final = 120
"""Bars before the start that the first streamed ones are held against."""


class ExchangeFeed(Feed):
    """Live bars, prints, books and funding of a spot exchange; no key is needed.

    Parameters
    ----------
    exchange : str
        Its name in ccxt, e.g. ``binance``, ``kraken``, ``okx``, ``coinbase``.
    symbols : int or iterable of str
        How many (those with the largest turnover of 24 hours), or which.
    base : str
        Timeframe that is streamed; longer ones are made of it.
    quote : str
        Quote currency of the largest; empty takes the venue's usual one.
    folder : Path or None
        Where bars of the past and bans are kept; None keeps nothing.
    url : str
        Address of a local exchange that speaks Binance's format; empty for the real one.
    wall : callable
        Wall time in ms UTC.
    tuning : Tuning or None
        How patient it is.
    before : sequence of str
        Symbols of the last run, which are kept where only a number is asked for; see `largest`.
    held : sequence of str
        Symbols that are watched besides, as long as the venue trades them.

    Notes
    -----
    The feed's time is the exchange's clock. `symbols` and `source` are known once it is open. A
    bar is given when the stream said that it is closed, or when a valid row of it was asked for
    over REST after its close and a grace; never because a later one has begun. Each symbol's bars
    come in order and without a hole that the venue has not confirmed.
    """

    name = "exchange"
    lasting = False
    on_wall_time = True

    def __init__(
        self,
        exchange: str = "binance",
        symbols: int | Iterable[str] = 40,
        base: str = "1m",
        quote: str = "",
        folder: Path | None = None,
        url: str = "",
        wall: Callable[[], int] = wall_ms,
        tuning: Tuning | None = None,
        before: Sequence[str] = (),
        held: Sequence[str] = (),
    ) -> None:
        self._before, self._held = tuple(before), tuple(held)
        self._wanted = symbols if isinstance(symbols, int) else tuple(symbols)
        if isinstance(self._wanted, int) and self._wanted < 1:
            raise ValueError(f"symbols must be >= 1, was {self._wanted}")
        self._quote = quote
        self._folder = folder
        self.base: Timeframe = timeframe(base)
        self._length = length_ms(self.base)
        self._tuning = tuning or Tuning()
        self.venue = Venue(
            exchange, url=url, folder=folder, wall_ms=wall, patience=self._tuning.patience
        )
        self.clock = self.venue.clock
        self.source = UNKNOWN_SOURCE if url else exchange  # until it says what it is
        self.symbols = ()
        self.health = Health(self.venue, wall)
        self._start = 0
        self._leaving: deque[Closed] = deque()
        self._wake = asyncio.Event()
        self._closed = False

    # -- life ------------------------------------------------------------------------------

    async def open(self) -> int:
        """Load the markets, read the exchange's clock and return where the stream goes on.

        After a failure it may be called again.

        Raises
        ------
        VenueError
            If the exchange cannot be reached or has asked to wait.
        ValueError
            If a symbol, the quote or the timeframe is not there.
        """
        self._closed = False
        try:
            self._start = await self._open()
        except VenueError as error:
            self.health.failed(error)
            raise
        self.health.follow(self.lines)
        return self._start

    async def _open(self) -> int:
        venue = self.venue
        await venue.open()
        self.source = venue.stamp
        if self.base not in venue.timeframes:
            raise ValueError(
                f"base must be one of {', '.join(venue.timeframes)} on {venue.name}, "
                f"was {self.base}"
            )
        self.symbols = await self._universe()
        store = None if self._folder is None else BarStore(self._folder / "bars", venue.stamp_name)
        grace, hold = self._tuning.waits(venue.speed, self._length, venue.tells_closed)
        self.archive = Archive(venue, store, grace)
        start = open_ms(self.clock.now() - grace, self.base)
        self.assembler = Assembler(self.symbols, self.base, start, grace, hold)
        self.tape = Tape(self.symbols, venue.stamp, self.clock.now)
        await self.tape.load(venue)
        self.lines = Lines(venue, self.symbols, self.base, self, self._tuning.lines)
        times, values = await self.histories(self.base, KNOWN_BARS, start)
        for row in range(len(self.symbols)):
            self.assembler.history(row, times[row][times[row] > 0], values[row][times[row] > 0])
        self._repair = Repair(venue, self.assembler, self.symbols, self.base, self._wake)
        self._watch = Watch(venue, self.assembler, self.symbols, self._tuning.looks)
        return start

    async def _universe(self) -> tuple[str, ...]:
        markets = self.venue.markets
        if isinstance(self._wanted, int):
            turnover = await self._turnover()
            names = largest(markets, turnover, self._wanted, self._quote, self._before)
        else:
            names = chosen(self.venue.name, markets, self._wanted)
        traded = (s for s in self._held if s in markets and markets[s].active)
        return tuple(dict.fromkeys((*names, *traded)))

    async def _turnover(self) -> dict[str, float]:
        venue = self.venue
        tickers = await venue.tickers() if venue.has("fetchTickers") else {}
        return {s: t.quote_volume for s, t in tickers.items() if t.quote_volume > 0}

    async def largest(self, n: int, quote: str = "") -> dict[str, float]:
        """Return what a start would watch now, with the turnover of 24 hours (0: not known).

        Raises
        ------
        VenueError
            If the exchange cannot be reached or has asked to wait.
        ValueError
            If no traded market has that quote.
        """
        turnover = await self._turnover()
        names = largest(self.venue.markets, turnover, n, quote or self._quote, self.symbols)
        return {name: turnover.get(name, 0.0) for name in names}

    def chosen(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """Return symbols in our spelling; ValueError when one is not traded on the venue."""
        return chosen(self.venue.name, self.venue.markets, symbols)

    async def close(self) -> None:
        """End the stream and all connections."""
        self._closed = True
        self._wake.set()
        if self._start:
            await self.lines.close()  # before the venue: they would only dial again
        await self.venue.close()

    # -- what the lines give (on the loop of the feed) ------------------------------------------

    def frame(self, frame: Frame) -> None:
        """Take an update of a bar."""
        self.assembler.frame(frame)
        if frame.closed:
            self._wake.set()

    def connected(self, rows: NDArray[np.int64]) -> None:
        """Have the bars since the last final one asked for: a line was opened."""
        self.assembler.connected(rows, self.clock.now())
        self._wake.set()

    def lost(self, rows: NDArray[np.int64], why: str) -> None:
        """Note that a line went down."""
        logger.info("line lost", exchange=self.venue.name, symbols=int(rows.size), why=why)

    def prints(self, trades: Trades) -> None:
        """Take prints."""
        self.tape.add(trades)

    def book(self, book: OrderBook) -> None:
        """Take an order book."""
        self.tape.add(book)

    # -- what the agent asks ----------------------------------------------------------------------

    async def stream(self) -> AsyncIterator[Event]:
        """Iterate over closed, forming and corrected bars until the feed is closed."""
        work = asyncio.ensure_future(self._work())
        shown = self.clock.real()
        try:
            while not self._over():
                self._wake.clear()
                now = self.clock.now()
                self._leaving.extend(self.assembler.take(now))
                while self._leaving:  # what a reader leaves behind is for the next one
                    batch = self._leaving.popleft()
                    self.health.released(batch, now)
                    yield batch
                rows = self.assembler.corrected()
                if rows.size:
                    self._revise(rows)
                    yield Corrected(now, rows)
                if self.clock.real() - shown >= FORMING_S:
                    shown = self.clock.real()
                    forming = self.assembler.forming(self.clock.now())
                    if forming is not None and forming.rows.size:
                        yield forming
                if work.done():
                    work.result()  # a mistake of ours: what a venue does is dealt with inside
                    return
                await self._rest(work, shown)
        finally:
            work.cancel()
            await asyncio.wait([work])

    def _revise(self, rows: NDArray[np.int64]) -> None:
        """Have history asked for anew where it may hold what is not true any more."""
        reach = REACH * self._length  # none further behind is ever corrected
        for row in rows.tolist():
            self.archive.revise(self.symbols[row], int(self.assembler.released[row]) - reach)

    async def _rest(self, work: "asyncio.Future[None]", shown: float) -> None:
        """Wait for news, for the next instant that matters, or for the next look at open bars."""
        now = self.clock.now()
        due = (self.assembler.next_at(now) - now) / 1000 / self.clock.speed
        wait_s = max(0.002, min(due, shown + FORMING_S - self.clock.real()))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):  # wait_for may swallow a cancellation (3.11)
                await self._wake.wait()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.lines.run(), name="exchange: lines")
            group.create_task(self._repair.run(), name="exchange: repair")
            group.create_task(self._watch.run(), name="exchange: watch")
            group.create_task(self.tape.poll(self.venue), name="exchange: funding")

    async def histories(
        self, timeframe: str, n_bars: int, end_ms: int
    ) -> tuple[TimeArray, FloatArray]:
        """Return the newest closed bars of every symbol; see `Feed.histories`."""
        name = check_request(timeframe, n_bars)
        bars = await self.archive.loads(self.symbols, name, int(n_bars), int(end_ms))
        return pad(bars, n_bars)

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        """Return the newest closed bars of any market of the venue."""
        name = check_request(timeframe, n_bars)
        require_known(symbol, tuple(self.venue.markets))
        bars = await self.archive.load(symbol, name, int(n_bars), int(end_ms))
        return bars.label(source=self.source)

    async def observations(
        self, kinds: tuple[type[Record], ...], since: int, until: int
    ) -> list[Record]:
        """Return prints, books and funding that were heard in a span."""
        return self.tape.between(kinds, since, until)

    def faults(self) -> Faults | None:
        """Return what is wrong with each symbol's data now; None before the feed is open."""
        if not self._start:
            return None
        return replace(self.assembler.faults(self.clock.now()), skew_ms=self.health.skew_ms)

    def status(self) -> FeedStatus:
        """Return how the line to the exchange is, also before it is open."""
        return self.health.status()

    def notes(self) -> list[BarNote]:
        """Return corrections, repairs and refusals since the last call."""
        if not self._start:
            return []
        notes = self.assembler.notes()
        self.health.count(notes)
        return notes

    def _over(self) -> bool:
        return self._closed  # a call, because it changes while the stream waits
