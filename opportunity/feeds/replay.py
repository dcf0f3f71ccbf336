"""Recorded markets as a feed: stored bars come in the order of time, at any speed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import CoverageError
from opportunity.feeds.base import FORMING_S, Closed, Feed, Forming, check_request, pad
from opportunity.feeds.clock import Clock
from opportunity.feeds.record_folder import FolderRecords
from opportunity.feeds.span import common_timeframe, coverage_text, default_start, symbols_in
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Record
from opportunity.market.store import BarStore
from opportunity.market.timeframe import (
    TIMEFRAMES,
    TimeArray,
    Timeframe,
    length_ms,
    timeframe,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Tape:
    """Base bars of all symbols, sorted by time and row; batch k is [edges[k], edges[k + 1])."""

    rows: NDArray[np.int64]
    times: TimeArray
    values: FloatArray
    opens: TimeArray
    edges: NDArray[np.int64]
    newest: FloatArray  # (n_symbols, 2): closing time and price of the last bar before the start


class ReplayFeed(Feed):
    """Replays stored bars.

    Parameters
    ----------
    store : BarStore
        Where the bars are.
    symbols : iterable of str or None
        Which symbols; None: all that share the timeframe that most of the symbols have.
    speed : float
        Feed seconds a real second.
    start, end : int or None
        Span of the replay, milliseconds UTC. By default it starts where half of the symbols
        have 1,000 base bars behind them (a fifth into the bars when there are fewer) and ends
        with the last bar of any symbol.
    base : str or None
        Timeframe to replay; by default the finest that all symbols have over the span. A symbol
        that lists later or ends earlier than the span has no bars there.
    clock : Clock or None
        A clock to test with; it is set to the start when the stream begins.

    Raises
    ------
    CoverageError
        If the symbols have no timeframe in common over the span; the text lists what is there.

    Notes
    -----
    Forming bars carry the latest close only (open = high = low = close, volume 0): what happened
    inside a recorded bar is not known, and no path is invented.
    """

    name = "replay"
    starts_over = True

    def __init__(
        self,
        store: BarStore,
        symbols: Iterable[str] | None = None,
        speed: float = 60.0,
        start: int | None = None,
        end: int | None = None,
        base: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        if start is not None and end is not None and start >= end:
            raise ValueError(f"start must be before end, was {start} and {end}")
        self.store = store
        self.source = f"replay:{store.exchange}"
        self.records = FolderRecords(store.folder.parent)
        self.symbols = symbols_in(store, symbols)
        self._span = start, end
        wanted = TIMEFRAMES if base is None else (timeframe(base),)
        self.base: Timeframe = common_timeframe(store, self.symbols, wanted, start, end)
        self._length = length_ms(self.base)
        self.clock = clock or Clock(start or 0, speed)
        self._tape: _Tape | None = None
        self._start = start or 0
        self._pool = ThreadPoolExecutor(2, "replay")
        self._closed = False

    async def open(self) -> int:
        """Read the base bars of the span and return where the stream goes on."""
        self._tape = await self._in_thread(self._read)
        self.clock.start(self._start) if self.clock.running else None
        return self._start

    def _read(self) -> _Tape:
        start, end = self._span
        last_open = None if end is None else end - self._length + 1
        from_open = None if start is None else start - 3 * self._length  # what stands at the start
        parts = list(self._pool.map(
            lambda s: self.store.read(s, self.base, from_open, last_open), self.symbols
        ))
        if not any(len(p) for p in parts):
            raise CoverageError(coverage_text(self.store, self.symbols, start, end))
        self._start = default_start(parts, self._length) if start is None else start
        newest = np.full((len(parts), 2), np.nan)
        for row, part in enumerate(parts):
            known = int(np.searchsorted(part.time, self._start - self._length, "right"))
            if known:
                newest[row] = part.time[known - 1] + self._length, part.close[known - 1]
        rows = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
        times = np.concatenate([p.time for p in parts])
        order = np.lexsort((rows, times))
        order = order[times[order] + self._length > self._start]
        opens, first = np.unique(times[order], return_index=True)
        values = np.concatenate([p.values for p in parts])[order]
        return _Tape(rows[order], times[order], values, opens, np.append(first, order.size), newest)

    async def histories(
        self, timeframe: str, n_bars: int, end_ms: int
    ) -> tuple[TimeArray, FloatArray]:
        """Return the newest closed bars of every symbol; see `Feed.histories`.

        A symbol that has no bars of that timeframe has only padding.
        """
        name = check_request(timeframe, n_bars)

        def one(symbol: str) -> Bars:
            try:
                return self._load(symbol, name, n_bars, end_ms)
            except CoverageError:
                return Bars(np.empty(0, np.int64), np.empty((0, 5)))

        bars = await self._in_thread(lambda: list(self._pool.map(one, self.symbols)))
        return pad(bars, n_bars)

    async def observations(
        self, kinds: tuple[type[Record], ...], since: int, until: int
    ) -> list[Record]:
        """Return what the data folder holds besides bars, each from when it was known.

        Records of contracts count for their pair, whichever exchange they are of.
        """
        return await self._in_thread(
            lambda: self.records.between(kinds, since, until, self.symbols)
        )

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        """Return the newest closed bars of one symbol of the store."""
        name = check_request(timeframe, n_bars)
        return await self._in_thread(lambda: self._load(symbol, name, n_bars, end_ms))

    def _load(self, symbol: str, name: Timeframe, n_bars: int, end_ms: int) -> Bars:
        # a bar has closed by end_ms when it opened at or before end_ms - length
        bars = self.store.load(symbol, name, None, end_ms - length_ms(name) + 1, n_bars)
        return bars.label(source=self.source)

    async def stream(self) -> AsyncIterator[Closed | Forming]:
        """Iterate over the batches of the span, then end."""
        if self._tape is None:
            await self.open()
        tape = self._tape
        if tape is None:
            return
        self.clock.start(self._start)
        shown = self.clock.real()
        newest = tape.newest.copy()
        for k, opened in enumerate(tape.opens.tolist()):
            closes = opened + self._length
            if self.clock.now() >= closes:
                await asyncio.sleep(0)  # behind: let others run between two batches
            while not self._over() and self.clock.now() < closes:
                wait = max(0.0, shown + FORMING_S - self.clock.real())
                if not await self.clock.wait_until(closes, wait) and not self._over():
                    shown = self.clock.real()
                    forming = self._forming(newest)
                    if forming.rows.size:
                        yield forming
            if self._over():
                return
            part = slice(tape.edges[k], tape.edges[k + 1])
            rows, values = tape.rows[part], tape.values[part]
            newest[rows, 0], newest[rows, 1] = closes, values[:, 3]
            yield Closed(closes, rows, tape.times[part], values, np.zeros(rows.size, np.bool_))

    def _forming(self, newest: FloatArray) -> Forming:
        now = self.clock.now()
        rows = np.flatnonzero(newest[:, 0] > now - 2 * self._length)
        closes = newest[rows, 1]
        values = np.stack([closes, closes, closes, closes, np.zeros(rows.size)], axis=1)
        return Forming(now, rows, newest[rows, 0].astype(np.int64), values)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    def _over(self) -> bool:
        return self._closed  # a call, because it changes while the stream waits

    async def close(self) -> None:
        """End the stream at its next step and let the threads go."""
        self._closed = True
        self._pool.shutdown(wait=False)

