"""All lines of a feed: bars, prints and books of its symbols, a connection for each 200."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import structlog

from opportunity.feeds.exchange.lines.books import MOST_STREAMED, BookSubject, BookTurns
from opportunity.feeds.exchange.lines.line import SILENCE_S, Line, LineSettings
from opportunity.feeds.exchange.lines.ports import Sink, StreamVenue
from opportunity.feeds.exchange.lines.prints import Prints
from opportunity.feeds.exchange.lines.session import End
from opportunity.feeds.exchange.lines.subjects import MOST_SYMBOLS, BarSubject, PrintSubject
from opportunity.feeds.exchange.lines.taps import TAPS
from opportunity.market.timeframe import Timeframe, length_ms

logger = structlog.get_logger(__name__)

State = Literal["connecting", "live", "recovering", "unsupported"]

FLUSH_S: Final = 0.25
"""Seconds of the feed that prints wait for each other, at least `LEAST_FLUSH_S` of real time."""

LEAST_FLUSH_S: Final = 0.02

QUIETEST_S: Final = 15.0
"""Wall seconds that a line may be silent beyond the length of a bar, whatever it is used to."""

LEAST_SILENCE_S: Final = 1.0
"""Silence that no venue is blamed for, wall seconds, however fast its time runs."""


def settings_for(base: Timeframe, speed: float) -> LineSettings:
    """Return how patient lines are with a venue whose time runs at some speed.

    A venue at speed 1 may be silent for 10 s, and a faster one for less; the longest silence is
    that of a market in which nothing happens but the close of each bar.
    """
    silence_s = max(LEAST_SILENCE_S, SILENCE_S / max(1.0, speed))
    longest_s = max(length_ms(base) / 1000.0 / speed + QUIETEST_S, silence_s)
    return LineSettings(silence_s=silence_s, longest_silence_s=min(longest_s, 900.0))


class Lines:
    """Streams what a feed is made of into a sink, until cancelled.

    Parameters
    ----------
    venue : StreamVenue
        Open already.
    symbols : tuple of str
        Of the feed, by row.
    base : Timeframe
        Timeframe of the bars.
    sink : Sink
        Takes what is heard.
    settings : LineSettings, optional
        How patient lines are; by default as the venue's speed wants it.
    kinds : sequence of str
        Which of ``bars``, ``prints`` and ``books``.

    Attributes
    ----------
    state : str
        Of the lines of bars: ``connecting``, ``live``, ``recovering``, or ``unsupported`` where
        the venue streams no bars. Prints and books do not count: no bar waits for them.
    n_reconnects : int
        Connections for bars beyond the first of each line, planned ones too.
    """

    def __init__(
        self,
        venue: StreamVenue,
        symbols: tuple[str, ...],
        base: Timeframe,
        sink: Sink,
        settings: LineSettings | None = None,
        kinds: Sequence[Literal["bars", "prints", "books"]] = ("bars", "prints", "books"),
    ) -> None:
        self._venue, self._symbols, self._base, self._sink = venue, symbols, base, sink
        self._settings = settings or settings_for(base, venue.clock.speed)
        self._kinds = kinds
        self._prints = Prints(symbols, venue.stamp, venue.clock.now, sink)
        self._turns: BookTurns | None = None
        self._bars = tuple(self._bar_lines()) if "bars" in kinds else ()
        self._others = (*self._print_lines(), *self._book_lines())
        self._over, self._done = asyncio.Event(), asyncio.Event()
        self._running = False

    @property
    def state(self) -> State:
        """How the lines of bars are."""
        states = {line.state for line in self._bars}
        if not states:
            return "unsupported"
        if states == {"live"}:
            return "live"
        return "recovering" if "recovering" in states else "connecting"

    @property
    def n_reconnects(self) -> int:
        """Connections for bars beyond the first of each line."""
        return sum(max(0, line.n_connects - 1) for line in self._bars)

    async def run(self) -> None:
        """Stream until cancelled or closed; never raises for what a venue does."""
        self._running = True
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(line.run(), name="exchange: line")
                    for line in (*self._bars, *self._others)
                ]
                tasks.append(group.create_task(self._flush(), name="exchange: prints"))
                if self._turns is not None:
                    tasks.append(group.create_task(self._turns.run(), name="exchange: books"))
                await self._over.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self._prints.flush()
            self._running = False
            self._done.set()

    async def close(self) -> None:
        """End `run`, and return when all connections are closed; may be called twice."""
        self._over.set()
        if self._running:
            await self._done.wait()

    # -- what the lines of bars tell ----------------------------------------------------------

    def connected(self, line: Line) -> None:
        """Pass on that bars stream from now on."""
        if line in self._bars:
            self._sink.connected(np.array(line.rows, np.int64))

    def lost(self, line: Line, end: End) -> None:
        """Pass on that bars stream no more."""
        logger.info("line down", venue=self._venue.name, symbols=len(line.rows), why=end.why)
        if line in self._bars:
            self._sink.lost(np.array(line.rows, np.int64), f"{end.why}: {end.text}")

    # -- which lines there are ------------------------------------------------------------------

    def _shards(self, size: int = MOST_SYMBOLS) -> Iterator[tuple[range, tuple[str, ...]]]:
        for first in range(0, len(self._symbols), size):
            rows = range(first, min(first + size, len(self._symbols)))
            yield rows, self._symbols[first : rows.stop]

    def _bar_lines(self) -> Iterator[Line]:
        if not self._venue.has("watchOHLCV"):
            return
        for rows, symbols in self._shards():
            bars = BarSubject(self._venue, self._symbols, rows, self._base, self._sink)
            yield Line(self._venue, bars, rows, symbols, self._settings, self)

    def _print_lines(self) -> Iterator[Line]:
        wanted = "watchTradesForSymbols" if self._venue.name in TAPS else "watchTrades"
        if "prints" not in self._kinds or not self._venue.has(wanted):
            return
        # nobody waits for prints: a market without any is the rule on a small venue
        quiet = 4 * self._settings.longest_silence_s
        settings = replace(self._settings, longest_silence_s=quiet)
        for rows, symbols in self._shards():
            prints = PrintSubject(self._venue, self._symbols, rows, self._prints)
            yield Line(self._venue, prints, rows, symbols, settings, self)

    def _book_lines(self) -> Iterator[Line]:
        if "books" not in self._kinds or not self._symbols:
            return
        few = len(self._symbols) <= MOST_STREAMED
        if few and self._venue.has("watchOrderBookForSymbols"):
            for rows, symbols in self._shards(MOST_STREAMED):
                books = BookSubject(self._venue, self._sink)
                yield Line(self._venue, books, rows, symbols, self._settings, self)
        elif self._venue.has("fetchOrderBook"):
            self._turns = BookTurns(self._venue, self._symbols, self._sink)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(max(LEAST_FLUSH_S, FLUSH_S / max(1.0, self._venue.clock.speed)))
            with suppress(ValueError):  # a sink that refuses a block must not stop the others
                self._prints.flush()
