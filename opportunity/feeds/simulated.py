"""The simulated market as a feed: any speed, any start, the same bars every time."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import numpy as np

from opportunity.feeds.base import FORMING_S, Closed, Feed, Forming, check_request
from opportunity.feeds.clock import Clock
from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.records import ContextRecords
from opportunity.feeds.simulation.tape import forming_bars
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Record
from opportunity.market.timeframe import HOUR_MS, MINUTE_MS, TimeArray, Timeframe

DEFAULT_START_MS: Final = 1_748_865_600_000
"""Monday 2025-06-02 12:00 UTC: enough history behind it for every timeframe."""

_AHEAD_S: Final = 2.0  # real seconds of bars that are drawn in one piece, ahead of their time
_MOST_HOURS: Final = 24
_MOST_BARS: Final = 240_000  # in one piece
_AGAIN_S: Final = 0.05
_INLINE: Final = 200  # symbols whose forming bars are drawn on the loop (about 2.5 us each)

Result = TypeVar("Result")


class SimulatedFeed(Feed):
    """Seeded bars, prints, book, headlines, funding and Fear & Greed of an invented market.

    Parameters
    ----------
    symbols : int or iterable of str
        How many coins (the largest first), or which.
    seed : int
        Another seed is another history.
    speed : float
        Feed seconds a real second.
    start_ms : int or None
        Instant from which the stream goes on, milliseconds UTC, from 2020-01-01 on; cut to the
        whole minute. None: a fixed one.
    clock : Clock or None
        A clock to share or to test with; `speed` and `start_ms` are then its own.

    Notes
    -----
    Bars are a pure function of (seed, symbol, time). Pieces are drawn ahead in a thread; on the
    loop remain a slice a minute and a fold of the forming bars four times a second. A consumer
    that is slower than the clock gets the same bars, later; no forming bars then.
    """

    name = "simulated"

    def __init__(
        self,
        symbols: int | Iterable[str] = 40,
        seed: int = 7,
        speed: float = 60.0,
        start_ms: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        start = DEFAULT_START_MS if start_ms is None else start_ms
        self.clock = clock or Clock(start, speed)
        self._start = self.clock.now() // MINUTE_MS * MINUTE_MS
        if self._start < MARKET_START + HOUR_MS:
            raise ValueError(f"start_ms must be >= {MARKET_START + HOUR_MS}, was {self._start}")
        self.market = SimulatedMarket(symbols, seed)
        self.context = Context(self.market)
        self._records = ContextRecords(self.context, self.market.symbols)
        self.source = "simulated"
        self.symbols = self.market.symbols
        self.base: Timeframe = "1m"
        self._rows = np.arange(len(self.symbols))
        self._coins = self.market.coins
        self._pool = ThreadPoolExecutor(2, "simulated-market")
        self._closed = False

    async def open(self) -> int:
        """Draw the weeks up to the start (compiling at first) and return the start."""
        await self._in_thread(self._prepare)
        return self._start

    def _prepare(self) -> None:
        self.market.reach(self._start, self._pool)
        for name in ("1m", "1h"):
            self.market.bars(self._rows[:1], name, self.market.grid(name, 2, self._start))
        self._fold(self._draw(self._start, 1)[0], self._start)

    async def histories(
        self, timeframe: str, n_bars: int, end_ms: int
    ) -> tuple[TimeArray, FloatArray]:
        """Return the newest closed bars of every symbol; see `Feed.histories`."""
        name = check_request(timeframe, n_bars)
        grid = self.market.grid(name, n_bars, end_ms)
        drawn = await self._in_thread(lambda: self.market.bars(self._rows, name, grid, self._pool))
        lacking = n_bars - grid.size
        time = np.zeros((len(self.symbols), n_bars), np.int64)
        time[:, lacking:] = grid
        if not lacking:
            return time, drawn
        values = np.full((len(self.symbols), n_bars, 5), np.nan)
        values[:, lacking:] = drawn
        return time, values

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        """Return the newest closed bars of one symbol of the simulated market."""
        name = check_request(timeframe, n_bars)
        grid = self.market.grid(name, n_bars, end_ms)
        row = np.array([self.market.row(symbol)])
        values = await self._in_thread(lambda: self.market.bars(row, name, grid, self._pool))
        return Bars(grid, values[0], name, symbol, self.source)

    async def observations(
        self, kinds: tuple[type[Record], ...], since: int, until: int
    ) -> list[Record]:
        """Return headlines, funding, Fear & Greed and prints of the simulated market."""
        return await self._in_thread(lambda: self._records.between(kinds, since, until))

    async def stream(self) -> AsyncIterator[Closed | Forming]:
        """Iterate over the minutes as they close, and the forming ones between."""
        self.clock.start()
        first = self._start
        shown = self.clock.real()
        ahead = self._ahead(first)
        try:
            while not self._over():
                piece = await ahead
                ahead = self._ahead(first + len(piece) * MINUTE_MS)
                for i, values in enumerate(piece):
                    opened = first + i * MINUTE_MS
                    closes = opened + MINUTE_MS
                    if self.clock.now() >= closes:
                        await asyncio.sleep(0)  # behind: let others run between two batches
                    while not self._over() and self.clock.now() < closes:
                        wait = max(0.0, shown + FORMING_S - self.clock.real())
                        if not await self.clock.wait_until(closes, wait) and not self._over():
                            shown = self.clock.real()
                            forming = await self._forming(values, opened)
                            if forming.rows.size:
                                yield forming
                            else:  # nothing printed yet in this minute: look again soon
                                shown -= FORMING_S - _AGAIN_S
                    if self._over():
                        return
                    yield self._batch(opened, values)
                first += len(piece) * MINUTE_MS
        finally:
            ahead.cancel()

    def _batch(self, opened: int, values: FloatArray) -> Closed:
        n = self._rows.size
        return Closed(
            time=opened + MINUTE_MS,
            rows=self._rows,
            times=np.full(n, opened),
            values=values,
            late=np.zeros(n, np.bool_),
        )

    async def _forming(self, values: FloatArray, opened: int) -> Forming:
        now = min(self.clock.now(), opened + MINUTE_MS - 1)
        if len(self.symbols) <= _INLINE:
            partial = self._fold(values, opened, now)
        else:
            partial = await self._in_thread(lambda: self._fold(values, opened, now))
        rows = np.flatnonzero(~np.isnan(partial[:, 3]))
        return Forming(now, rows, np.full(rows.size, opened), partial[rows])

    def _fold(self, values: FloatArray, opened: int, now: int | None = None) -> FloatArray:
        out = np.empty_like(values)
        minute = (opened - MARKET_START) // MINUTE_MS
        offset = float((opened if now is None else now) - opened)
        forming_bars(self._coins, minute, values, offset, out)
        return out

    def _ahead(self, first: int) -> "asyncio.Future[FloatArray]":
        hours = math.ceil(self.clock.speed * _AHEAD_S / 3600)
        hours = max(1, min(hours, _MOST_HOURS, _MOST_BARS // (60 * len(self.symbols))))
        whole = 60 - (first // MINUTE_MS) % 60  # up to the next full hour, then whole hours
        minutes = whole + 60 * (hours - 1)
        return asyncio.get_running_loop().run_in_executor(None, self._draw, first, minutes)

    def _draw(self, first: int, minutes: int) -> FloatArray:
        """Draw consecutive minutes of all coins, shape (n_minutes, n_coins, 5)."""
        grid = first + MINUTE_MS * np.arange(minutes, dtype=np.int64)
        drawn = self.market.bars(self._rows, "1m", grid, None if self._closed else self._pool)
        return np.ascontiguousarray(drawn.transpose(1, 0, 2))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    def _over(self) -> bool:
        return self._closed  # a call, because it changes while the stream waits

    async def close(self) -> None:
        """End the stream at its next step and let the threads go."""
        self._closed = True
        self._pool.shutdown(wait=False)
