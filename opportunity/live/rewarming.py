"""Warm the streams of some symbols anew when their history has changed, while all others go on."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.errors import CoverageError, OpportunityError
from opportunity.feeds.base import Closed, Feed, pad
from opportunity.live.day import Rows
from opportunity.live.streams import Streams
from opportunity.live.warming import WARM_BARS, instants
from opportunity.market.bars import Bars
from opportunity.market.figures import DayFigures
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms, open_ms, utc_text
from opportunity.market.trust import of_the_past

logger = structlog.get_logger(__name__)

RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 300.0
"""Waits after a history that could not be read, each twice the one before."""

SETTLE_S: Final = 2.5
"""Wall seconds from a close until an exchange's history tells of the bar: longer than the grace
of any feed, which leaves out what closed within it."""

MOST_TRIES: Final = 12
"""Half an hour of failures after which a symbol keeps its bars, e.g. one that was delisted."""

MOST_AT_ONCE: Final = 32
"""Symbols of one round: while it lasts, their bars are held back as well."""

MOST_HEARD: Final = 10_000
"""Batches that may come during a round; it begins again after more."""


@dataclass(slots=True)
class Told:
    """What a feed says of one symbol: the bars of each timeframe, and those for its figures."""

    frames: list[Bars]
    base: Bars
    drawdown: Bars | None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where symbols stand, ms UTC; arrays of shape (n_rows,).

    Parameters
    ----------
    ends : ndarray of int64
        No base bar that closes by then will stream any more; those that did not are history.
    complete : ndarray of int64
        Up to when longer bars were closed without their last constituents.
    newest : ndarray of int64
        Opening time of the newest base bar that streamed.
    """

    ends: TimeArray
    complete: TimeArray
    newest: TimeArray

    def take(self, kept: NDArray[np.bool_]) -> "Reach":
        """Return those of some rows."""
        return Reach(self.ends[kept], self.complete[kept], self.newest[kept])


class Rewarmer:
    """Takes symbols whose bars have changed, and exchanges their streams for ones warmed anew.

    The old streams are fed until the new ones are ready. Bars that come meanwhile are given to
    both, so the exchange, made under the lock, neither loses a bar nor is ever half done.

    Parameters
    ----------
    feed : Feed
        Asked for the history, on its own loop.
    streams, day : Streams, DayFigures
        Whose symbols are exchanged.
    lock : threading.Lock
        Held while streams change.
    done : callable
        Awaited with the rows after an exchange.
    """

    def __init__(
        self,
        feed: Feed,
        streams: Streams,
        day: DayFigures,
        lock: threading.Lock,
        done: Callable[[Rows], Awaitable[None]],
    ) -> None:
        self._feed, self._streams, self._day = feed, streams, day
        self._lock, self._done = lock, done
        self._asked: dict[int, int] = {}  # failures by row; those that failed come last
        self._busy: dict[int, int] = {}
        self._heard: list[Closed] | None = None
        self._wake = asyncio.Event()

    @property
    def pending(self) -> bool:
        """Whether some streams still hold bars that have changed."""
        return bool(self._asked or self._busy)

    def ask(self, rows: Rows) -> None:
        """Have symbols warmed anew soon; call on the loop of `run`."""
        self._asked.update(dict.fromkeys(rows.tolist(), 0))
        self._wake.set()

    def heard(self, event: Closed) -> None:
        """Take note of bars that the streams were given; call while the lock is held."""
        if self._heard is not None and len(self._heard) <= MOST_HEARD:
            self._heard.append(event)

    async def run(self) -> None:
        """Warm what was asked for, until cancelled."""
        while True:
            if not self._asked:
                await self._wake.wait()
            self._wake.clear()
            wait_s = RETRY_S
            while self._asked:
                failed = await self._round()
                if failed and len(self._asked) == failed:
                    logger.warning("streams not warmed again", symbols=failed)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._wake.wait()
                    self._wake.clear()
                    wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def _round(self) -> int:
        """Exchange some of the symbols that were asked for; return how many could not be."""
        self._busy = {row: self._asked.pop(row) for row in list(self._asked)[:MOST_AT_ONCE]}
        try:
            rows = np.array(sorted(self._busy), np.int64)
            reach = await asyncio.to_thread(self._begin, rows)
            await self._settle(int(reach.ends.max()))
            told = await self._ask(rows, reach)
            kept = np.isin(rows, list(told))
            rows = rows[kept]
            if rows.size:
                fresh = await asyncio.to_thread(
                    self._warm, rows, reach.take(kept), list(told.values())
                )
                if await asyncio.to_thread(self._exchange, rows, *fresh):
                    self._busy = {r: n for r, n in self._busy.items() if r not in told}
                    await self._done(rows)
            return self._put_off()
        finally:
            self._heard = None
            self._asked = self._busy | self._asked  # of a round that was cut short
            self._busy = {}

    def _put_off(self) -> int:
        """Ask again later for those that are left of a round; return how many."""
        left = {row: n + 1 for row, n in self._busy.items() if n + 1 < MOST_TRIES}
        for row in self._busy.keys() - left.keys():
            logger.error("corrected bars stay in a stream", symbol=self._streams.symbols[row])
        self._asked |= {row: n for row, n in left.items() if row not in self._asked}
        self._busy = {}
        return len(left)

    def _begin(self, rows: Rows) -> Reach:
        """Note from now on which bars come; return where the symbols stand."""
        base = self._streams.base
        with self._lock:
            self._heard = []
            complete = self._streams.complete[rows]
            streamed = self._streams.newest[rows] + length_ms(base)
            return Reach(
                np.array([
                    max(end, open_ms(until, base))
                    for end, until in zip(streamed.tolist(), complete.tolist(), strict=True)
                ]),
                complete,
                self._day.newest[rows],
            )  # fmt: skip

    async def _settle(self, end: int) -> None:
        """Wait until what closed by `end`, feed time, is history everywhere."""
        clock = self._feed.clock
        if clock.running:
            await clock.wait_until(end + int(SETTLE_S * 1000 * clock.speed), SETTLE_S)

    async def _ask(self, rows: Rows, reach: Reach) -> dict[int, Told]:
        """Return what the feed tells of each symbol; those that it does not tell are left out."""
        told = {}
        for i, row in enumerate(rows.tolist()):
            try:
                told[row] = await self._history(row, int(reach.ends[i]), int(reach.newest[i]))
            except (OpportunityError, OSError, ValueError) as error:
                logger.debug("history not read", row=row, error=str(error))
        return told

    async def _history(self, row: int, end: int, newest: int) -> Told:
        feed, streams = self._feed, self._streams
        symbol, base = streams.symbols[row], streams.base
        span = max(DAY_MS, end - min(open_ms(end, t) for t in streams.timeframes))
        bars = await feed.history(symbol, base, max(1, span // length_ms(base)), end)
        if newest and (not len(bars) or int(bars.time[-1]) < newest):
            raise CoverageError(f"history of {symbol} must reach {utc_text(newest)}, did not")
        frames = [await feed.history(symbol, t, WARM_BARS, end) for t in streams.timeframes]
        for timeframe, frame in zip(streams.timeframes, frames, strict=True):
            _require_whole(frame, timeframe, bars, end)
        ranks = streams.drawdowns
        closes = None
        if ranks.timeframe is not None:
            closes = await feed.history(symbol, ranks.timeframe, ranks.n_bars, end)
        return Told(frames, bars, closes)

    def _warm(
        self, rows: Rows, reach: Reach, told: list[Told]
    ) -> tuple[Streams, DayFigures]:
        """Return streams and figures of these symbols alone, warmed from what the feed told."""
        streams, ends = self._streams, reach.ends
        names = [streams.symbols[row] for row in rows.tolist()]
        known = streams.observers.view(names, self._lock)
        fresh = Streams(
            names, streams.timeframes, streams.base, streams.source, streams.detectors, known
        )
        fresh.tap = streams.tap
        faults = of_the_past(streams.faults)
        fresh.faults = faults and faults.take(names, streams.symbols)
        day = DayFigures(len(names), streams.base)
        for i, timeframe in enumerate(streams.timeframes):
            fresh.warm(timeframe, *pad([t.frames[i] for t in told], WARM_BARS))
        longest = max(1, *(len(t.base) for t in told))
        time, values = pad([t.base for t in told], longest)
        since = np.array([min(open_ms(e, t) for t in streams.timeframes) for e in ends.tolist()])
        for several, times, bars in instants(time, values, 0):
            day.feed(several, times, bars)
            begun = times >= since[several]
            if begun.any():
                fresh.prime([(several[begun], times[begun], bars[begun])])
        fresh.begin(ends)
        ranks = fresh.drawdowns
        if ranks.timeframe is not None:
            closes = [t.drawdown for t in told if t.drawdown is not None]
            ranks.feed(np.arange(len(names)), pad(closes, ranks.n_bars)[1][:, :, 3])
        fresh.flush(reach.complete)
        return fresh, day

    def _exchange(self, rows: Rows, fresh: Streams, day: DayFigures) -> bool:
        """Give the new streams what came meanwhile and put them in; False if it was too much."""
        with self._lock:
            heard = self._heard or []
            self._heard = None
            if len(heard) > MOST_HEARD:
                return False
            fresh.observers = self._streams.observers.view(fresh.symbols)  # the lock is ours
            for event in heard:
                _replay(event, rows, fresh, day)
            self._streams.adopt(rows, fresh)
            self._day.adopt(rows, day)
        fresh.close()
        return True


def _require_whole(frame: Bars, timeframe: Timeframe, base: Bars, end: int) -> None:
    """Raise if longer bars end just before the newest one that has closed by `end`.

    What has streamed a moment ago may not be in the answers of an exchange yet.
    """
    due = open_ms(end, timeframe) - length_ms(timeframe)
    made = (base.time >= due) & (base.time < due + length_ms(timeframe))
    if len(frame) and int(frame.time[-1]) < due and made.any():
        raise CoverageError(
            f"{timeframe} history of {base.symbol} must reach {utc_text(due)}, did not"
        )


def _replay(event: Closed, rows: Rows, streams: Streams, day: DayFigures) -> None:
    mine = np.isin(event.rows, rows)
    places = np.searchsorted(rows, event.rows[mine])
    times, values = event.times[mine], event.values[mine]
    day.feed(places, times, values)
    streams.update(places, times, values)
    if event.settled is not None:
        streams.flush(event.settled[rows])
    elif event.times.size:
        streams.flush(int(event.times.max()))
