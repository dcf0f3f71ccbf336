"""A live feed on a local exchange that misbehaves, with the streams that an agent would keep."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.exchange.market import DEFAULT_START_MS
from app.exchange.server import LocalExchange
from opportunity.feeds.base import Closed, Corrected
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.watch import Looks
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.live.rewarming import Rewarmer
from opportunity.live.streams import Streams
from opportunity.market.figures import DayFigures
from opportunity.market.timeframe import MINUTE_MS
from opportunity.market.trust import weigh
from tests.feeds.exchange.faulttruth import SYMBOLS, Run, Truth

SPEED: Final = 600.0
TIMEFRAMES: Final = ("1m", "5m", "15m")
WARM: Final = 300
LOOK_S: Final = 0.02
AUDITED: Final = 13
"""Bars after a fault in which every symbol has been audited."""

QUICK: Final = Tuning(
    patience=Patience(first_s=0.02, longest_s=0.2, wait_s=0.5, failures=5, open_s=0.3),
    lines=LineSettings(
        silence_s=0.5, longest_silence_s=0.8, recycle_s=3_600.0, first_s=0.02, longest_s=0.3
    ),
    looks=Looks(clock_s=10.0, markets_s=8.0, tickers_s=25.0),
)
"""Patience of a market whose minutes last a tenth of a second."""


class Heeding(Rewarmer):
    """Warms anew as an agent does, and remembers from which time on."""

    begun: dict[int, int]

    def _begin(self, rows: Any) -> Any:
        reach = super()._begin(rows)
        self.begun = dict(zip(rows.tolist(), reach.ends.tolist(), strict=True))
        return reach


@dataclass
class Bed:
    """One exchange and one feed, alive until `after` bars after the faults are over.

    `faults` are ordered when the first bar has come, `before` before the feed is opened. Prints
    and books stream as well if it is `whole`.
    """

    seed: int
    faults: tuple[dict[str, Any], ...] = ()
    before: tuple[dict[str, Any], ...] = ()
    speed: float = 300.0
    wall_s: float = 30.0
    tuning: Tuning = QUICK
    start_ms: int | None = None
    after: int = 5
    still_on: bool = False
    whole: bool = False

    async def run(self) -> Run:
        """Let the feed live and return what came of it."""
        exchange = LocalExchange(
            SYMBOLS, speed=self.speed, seed=self.seed + 1, start_ms=self.start_ms
        )
        async with exchange, self._feed(exchange) as feed:
            for payload in self.before:
                exchange.faults.order(payload)
            return await Life(self, exchange, feed).run()

    @asynccontextmanager
    async def _feed(self, exchange: LocalExchange) -> AsyncIterator[ExchangeFeed]:
        with tempfile.TemporaryDirectory() as folder:
            feed = ExchangeFeed(
                "binance", SYMBOLS, url=exchange.url, folder=Path(folder), tuning=self.tuning
            )
            try:
                yield feed
            finally:
                await feed.close()


class Life:
    """Reads a feed as an agent does: streams, warmed again where bars were corrected."""

    def __init__(self, bed: Bed, exchange: LocalExchange, feed: ExchangeFeed) -> None:
        self._bed, self._exchange, self._feed = bed, exchange, feed
        self._run = Run(order=[[] for _ in SYMBOLS])
        self._lock = threading.Lock()
        self._over_at: float | None = None
        self._last = 0

    async def run(self) -> Run:
        """Live until all bars are there and nothing is wrong any more, or time is up."""
        loop, run, feed = asyncio.get_running_loop(), self._run, self._feed
        began = loop.time()
        run.start = start = await feed.open()
        if not self._bed.whole:
            feed.lines._others = ()  # most faults have nothing to do with them
        self._streams = streams = Streams(feed.symbols, TIMEFRAMES, feed.base, feed.source)
        for timeframe in TIMEFRAMES:
            streams.warm(timeframe, *await feed.histories(timeframe, WARM, start))
        streams.prime(run_up(*await feed.histories(feed.base, 15, start), start))
        streams.begin(start)
        self._day = DayFigures(len(SYMBOLS), feed.base)
        self._rewarmer = Heeding(feed, streams, self._day, self._lock, self._rewarmed)
        others = [asyncio.ensure_future(f()) for f in (self._rewarmer.run, self._look)]
        stream = feed.stream()
        try:
            async with asyncio.timeout(self._bed.wall_s):
                async for event in stream:
                    await self._take(event)
                    for task in others:
                        if task.done():
                            task.result()
                    if self._done():
                        run.finished = True
                        break
        except TimeoutError:
            run.wrong.append(f"not done: {self._lacking()}")
        finally:
            await stream.aclose()
            for task in others:
                task.cancel()
            await asyncio.wait(others)
            streams.close()
        self._sum_up(loop.time() - began)
        return run

    def _sum_up(self, took_s: float) -> None:
        run, exchange = self._run, self._exchange
        run.notes += self._feed.notes()
        run.faults = run.faults or self._feed.faults()
        run.streams, run.took_s = self._streams, took_s
        run.injected = exchange.faults.injected
        run.calls = exchange.faults.calls
        run.calls_in_ban = exchange.faults.calls_in_ban
        run.reconnects = self._feed.lines.n_reconnects
        run.truth = Truth(exchange.core.view, exchange.now())

    async def _take(self, event: object) -> None:
        if isinstance(event, Corrected):
            self._run.corrected.update(event.rows.tolist())
            self._rewarmer.ask(event.rows)
        if isinstance(event, Closed):
            self._check(event)
            self._streams.faults = self._feed.faults()
            if self._lock.locked():
                await asyncio.to_thread(self._work, event)
            else:
                self._work(event)
            trust = weigh(self._streams._distrust())[1][:, 0]
            self._run.trust = np.minimum(self._run.trust, trust)

    def _check(self, event: Closed) -> None:
        run, now = self._run, self._exchange.now()
        for row, time, bar in zip(
            event.rows.tolist(), event.times.tolist(), event.values.tolist(), strict=True
        ):
            if (row, time) in run.bars:
                run.wrong.append(f"row {row}, {time}: given twice")
            if time + MINUTE_MS > now:
                run.wrong.append(f"row {row}, {time}: {time + MINUTE_MS - now} ms early")
            if event.settled is not None and event.settled[row] < time + MINUTE_MS:
                run.wrong.append(f"row {row}, {time}: given, not settled")
            run.bars[row, time] = tuple(bar)
            run.order[row].append(time)
        if self._over_at is None and self._feed.status().state == "live":
            self._order()
        run.settled = event.settled

    def _order(self) -> None:
        faults = self._exchange.faults
        self._over_at = now = faults.real()
        for payload in self._bed.faults:
            faults.order(payload)
            lasts = payload.get("for_s", 0.0) + payload.get("after_s", 0.0)
            self._over_at = max(self._over_at, now + lasts)
        left = int((self._over_at - now) * self._bed.speed * 1000)
        self._last = self._exchange.now() + left + self._bed.after * MINUTE_MS

    def _work(self, event: Closed) -> None:
        with self._lock:
            self._day.feed(event.rows, event.times, event.values)
            self._streams.update(event.rows, event.times, event.values)
            self._streams.flush(event.settled)
            self._rewarmer.heard(event)

    async def _rewarmed(self, rows: np.ndarray) -> None:
        self._run.rewarmed |= {row: self._rewarmer.begun[row] for row in rows.tolist()}

    async def _look(self) -> None:
        """Ask the feed how it is, again and again, also while no bar comes."""
        while True:
            await asyncio.sleep(LOOK_S)
            run, faults = self._run, self._feed.faults()
            for name in ("pending", "suspicious", "ended", "missing", "mismatch", "revised"):
                run.told |= {(row, name) for row in np.flatnonzero(getattr(faults, name)).tolist()}
            run.states.add(self._feed.status().state)
            run.notes += self._feed.notes()

    def _lacking(self) -> list[str]:
        """Return what is not as it should be in the end."""
        faults, status = self._feed.faults(), self._feed.status()
        wrong = {
            "faults last": self._over_at is None or self._exchange.faults.real() < self._over_at,
            status.text: status.state != "live",
            f"pending {faults.pending}": faults.pending.any(),
            "suspicious": faults.suspicious.any(),
            "ended": faults.ended.any() and not self._bed.still_on,
            "to be warmed": self._rewarmer.pending,
        }
        return [name for name, is_so in wrong.items() if is_so] + [
            f"row {row} has {len(times)} bars"
            for row, times in enumerate(self._run.order)
            if not faults.ended[row] and not (times and times[-1] >= self._last)
        ]

    def _done(self) -> bool:
        """Tell whether all is well again; what is wrong at that very moment is kept."""
        if self._over_at is None or self._exchange.now() < self._last:
            return False
        self._run.faults = self._feed.faults()
        return not self._lacking()


def prepare() -> None:
    """Load what takes seconds, which would hold up the first feeds."""
    import ccxt.pro  # noqa: F401 - the venue does it in a thread, where it slows all others

    market = SimulatedMarket(SYMBOLS, 1)
    streams = Streams(SYMBOLS, TIMEFRAMES, "1m", "simulated")
    time = DEFAULT_START_MS + MINUTE_MS * np.arange(WARM)
    rows = np.arange(len(SYMBOLS))
    values = market.bars(rows, "1m", time)
    for timeframe in TIMEFRAMES:
        streams.warm(timeframe, np.tile(time, (len(SYMBOLS), 1)), values)
    DayFigures(len(SYMBOLS), "1m").feed(rows, time[rows], values[:, 0])
    for k in range(20):
        streams.update(rows, np.full(rows.size, time[k]), values[:, k])
    weigh(streams._distrust())
    streams.close()


def run_up(
    time: np.ndarray, values: np.ndarray, start: int
) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the base bars of the longer bars that are open at `start`, by instant."""
    since = start - start % (15 * MINUTE_MS)
    for column in np.flatnonzero(time[0] >= since).tolist():
        yield np.arange(len(SYMBOLS)), time[:, column], values[:, column]
