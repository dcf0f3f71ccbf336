"""The agent's loop: sans Param, sans page; one immutable config in, records out."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import structlog

from opportunity.bus.memory import Hub
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Closed, Corrected, Feed, Forming
from opportunity.live.config import AgentConfig, ScanStats
from opportunity.live.day import Rows
from opportunity.live.desk import Desk
from opportunity.live.gatherer import Gatherer
from opportunity.live.intake import Intake
from opportunity.live.judged import Judged
from opportunity.live.learner import Learner
from opportunity.live.notes import NoteKeeper
from opportunity.live.observers import Observers
from opportunity.live.opening import opened
from opportunity.live.preview import preview, trusted
from opportunity.live.rewarming import Rewarmer
from opportunity.live.running import newer, unfinished
from opportunity.live.signals import signals_of
from opportunity.live.state import StateKeeper, duplicate, load_state
from opportunity.live.streams import Streams
from opportunity.live.warming import WARM_BARS, catch_up, compare, feed_figures, warm
from opportunity.live.whole import whole
from opportunity.market.bars import Bar, FloatArray
from opportunity.market.figures import DayFigures
from opportunity.market.timeframe import TimeArray, Timeframe, divides, length_ms
from opportunity.market.trust import Faults, of_the_past
from opportunity.measured import MEASURED
from opportunity.scoring.calibration import Calibration
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import Evaluation, evaluate

logger = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

INLINE_ROWS: Final = 160
"""Streams above which a batch is worked off the loop: one batch holds the loop under 5 ms."""

MOST_MISSED: Final = 10_000
"""Missed base bars above which the streams start from history instead: that is quicker."""

REPORT_EVERY_S: Final = 0.1


class Core:
    """Feed in, snapshots and rankings out; runs on whichever loop calls `run`."""

    def __init__(
        self,
        feed: Feed,
        timeframes: tuple[Timeframe, ...],
        hub: Hub | None,
        state: Path | None,
        config: AgentConfig,
        gatherer: Gatherer | None = None,
        saved: Calibration | None = None,
        notes: NoteKeeper | None = None,
        desk: Desk | None = None,
    ) -> None:
        self._gatherer = Gatherer(feed) if gatherer is None else gatherer
        self._notes = NoteKeeper(feed) if notes is None else notes
        self._desk = Desk() if desk is None else desk
        self.feed, self.hub, self.state = feed, hub, state
        self.wanted = timeframes
        self.timeframes = timeframes
        self.config = config
        self.latest: MarketSnapshot | None = None
        self.evaluation: Evaluation | None = None
        self.reporter: Callable[[ScanStats], None] = lambda stats: None
        self.on_ready: Callable[..., None] = lambda error=None: None
        self.error = ""
        self._lock = threading.Lock()  # readers of unfinished bars live on other threads
        self._torn = False  # a batch is half worked in, for now or by an error for good
        self._keeper = StateKeeper(state, self._copied)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._saved = saved
        self._learner = Learner(feed, timeframes, WARM_BARS, saved)
        self._ranking = asyncio.Lock()  # one ranking after another: an older one never wins
        self.stopping = False
        self.patient = False  # whether a market that does not answer is asked again
        self._halt = asyncio.Event()  # ends a start that is under way
        self._started = False  # there are streams to let go of
        self._ranked: AgentConfig | None = None  # of the newest ranking that told all signals
        self._prices: dict[str, tuple[Any, ...]] = {}
        self._n_scans = 0
        self._reported = -1.0
        self._beat_at = 0.0  # when the heartbeat comes, on the loop's clock

    # -- called from other threads -----------------------------------------------------------

    def configure(self, config: AgentConfig) -> None:
        """Take a new config; the ranking follows at once."""
        self.config = config
        self._poke()

    def stop(self) -> None:
        """Ask the loop to end."""
        self.stopping = True
        self._learner.stop()
        self._poke()

    def _poke(self) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._wake.set)
            if self.stopping:
                self.loop.call_soon_threadsafe(self._halt.set)
            self.loop.call_soon_threadsafe(self._learner.turned.set)

    @property
    def time(self) -> int:
        """Feed time up to which bars are worked in, ms UTC; 0 before the warm-up is done."""
        return 0 if self.latest is None else self._streams.time

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        """Return the unfinished bar of a stream, the running base bar included.

        None where there is none yet, and for what is not watched.
        """
        watched = symbol in self.feed.symbols and timeframe in self.timeframes
        if self.latest is None or not watched:
            return None
        index = self.feed.symbols.index(symbol)
        with self._lock:
            closed = self._streams.forming(index, timeframe)
            newest = int(self._streams.newest[index])
        return unfinished(closed, self._prices.get(symbol), newest, timeframe)

    def preview(self, symbol: str, timeframe: Timeframe) -> Explanation | None:
        """Return what a stream would score if its unfinished bar closed now; None without one.

        Nothing that is stored, ranked or told changes by it.
        """
        bar = self.forming(symbol, timeframe)
        if bar is None:
            return None
        stream = self.feed.symbols.index(symbol), timeframe
        seen = preview(self._streams, self._lock, stream, bar, self.config.weights)
        return None if seen is None or self.latest is None else trusted(seen, self.latest)

    def calibration(self, weights: FloatArray) -> Calibration | None:
        """Return what gives success to scores of these weights: the stored one if it fits."""
        return self._learner.calibration(weights, self.time)

    def observers(self, symbols: Sequence[str]) -> Observers | None:
        """Return what is known of some watched symbols; None before the warm-up."""
        if self.latest is None:
            return None
        return self._streams.observers.view(symbols, self._lock)

    # -- the loop ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the feed, warm up, then react to each closed bar until stopped."""
        self._halt = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        if self.stopping:
            self._halt.set()
        try:
            await self._desk.hold()
            if not await opened(self._open, self._halt, self.patient):
                raise OpportunityError("agent must be ready to run, was stopped before")
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits the start
            self.on_ready(error)
            self._drop_streams()
            await self._desk.close()
            await self.feed.close()
            return
        self.on_ready()
        try:
            async with asyncio.TaskGroup() as group:
                others = [
                    group.create_task(self._pump(), name="agent: feed"),
                    group.create_task(self._keeper.run(), name="agent: state"),
                    group.create_task(self._intake.run(), name="agent: records"),
                    group.create_task(self._learner.run(self), name="agent: calibration"),
                    group.create_task(self._notes.run(), name="agent: notes"),
                    group.create_task(self._rewarmer.run(), name="agent: corrections"),
                ]
                if self._gatherer.sources is not None:
                    others.append(
                        group.create_task(self._gatherer.sources.run(), name="agent: sources")
                    )
                await self._beat()
                for task in others:
                    task.cancel()
        except* Exception as group:  # of whatever kind: people must see why there are no signals
            self.error = "; ".join(str(e) or repr(e) for e in group.exceptions)
            known = all(isinstance(e, (OpportunityError, OSError)) for e in group.exceptions)
            logger.error("agent stopped", error=self.error, exc_info=not known)
        finally:
            await self._close()

    def _drop_streams(self) -> None:
        """Let go of streams that a start was cut short with."""
        if self._started:
            self._streams.close()
            self._started = False

    async def _open(self) -> None:
        self._drop_streams()
        start = await self.feed.open()
        base = self.feed.base
        self.timeframes = tuple(t for t in self.wanted if divides(base, t))
        if not self.timeframes:
            raise ValueError(
                f"timeframes must hold a multiple of the feed's {base}, was {self.wanted}"
            )
        self._desk.open(self.feed, self.timeframes)
        self._streams = self._new_streams()
        self._started = True
        self._day = DayFigures(len(self.feed.symbols), base)
        self._learner = Learner(self.feed, self.timeframes, WARM_BARS, self._saved)
        restored = await asyncio.to_thread(load_state, self.state, self._streams)
        missed, changed = start - self._streams.time, np.empty(0, np.int64)
        fits = restored and 0 <= missed <= MOST_MISSED * length_ms(base)
        if fits:
            changed, n_compared = await compare(self.feed, self._streams)
            fits = 2 * changed.size <= n_compared
        if restored and not fits:  # of another run: back in time, far ahead, or another market
            restored, changed = False, changed[:0]
            self._streams.close()
            self._streams = self._new_streams()
        self._intake = Intake(self._gatherer, self._streams, self._lock, self._desk.heard)
        self._rewarmer = Rewarmer(
            self.feed, self._streams, self._day, self._lock, self._on_rewarmed
        )
        await self._intake.remember(start, self._streams.time if restored else start)
        self._streams.faults = of_the_past(self.feed.faults())
        if restored:
            await catch_up(self.feed, self._streams, start, self._advance)
        else:
            await warm(self.feed, self._streams, start, self._learner.offer)
        await feed_figures(self.feed, self._streams, self._day, start)
        if changed.size:
            self._rewarmer.ask(changed)
        await self._desk.begin(self.feed, self._streams, await self._rank(), start)
        logger.info("agent ready", symbols=len(self.feed.symbols), restored=restored)

    def _new_streams(self) -> Streams:
        f = self.feed
        return self._desk.watch(Streams(f.symbols, self.timeframes, f.base, f.source))

    def tell_again(self) -> None:
        """Tell every signal again: their success is known now."""
        self._ranked = None
        self._wake.set()

    async def _pump(self) -> None:
        async for event in self.feed.stream():
            await self._intake.observe(event.time)
            if isinstance(event, Closed):
                await whole(self._on_closed(event))
            elif isinstance(event, Corrected):
                self._rewarmer.ask(event.rows)
                await self._keeper.drop()
            else:
                self._spread(event)

    async def _on_closed(self, event: Closed) -> None:
        work = event, self.feed.faults()
        touched = await self._aside(event.rows.size, self._work, work)
        MEASURED.count("bars", event.rows.size)
        judged = await self._rank(touched) if touched.size else None
        await self._desk.take(event, self._streams.time, judged)
        self._spread(event)  # after the signals: the hub's next delivery is a tick away

    async def _on_rewarmed(self, rows: Rows) -> None:
        logger.info("streams warmed again", symbols=rows.size)
        await self._rank(rows)
        await self._keeper.save()  # what was kept before holds the bars as they were

    async def _aside(self, n_symbols: int, function: Callable[[T], R], argument: T) -> R:
        """Call a function on a thread where it would hold the loop: by its size, or by waiting."""
        if n_symbols * len(self.timeframes) > INLINE_ROWS or self._lock.locked():
            return await asyncio.to_thread(function, argument)
        return function(argument)

    def _work(self, given: tuple[Closed, Faults | None]) -> Rows:
        event, faults = given
        with self._lock:
            self._torn, self._streams.faults = True, faults
            self._day.feed(event.rows, event.times, event.values)
            touched = self._advance(event.rows, event.times, event.values, event.settled)
            self._rewarmer.heard(event)
            self._torn = False
            return touched

    def _advance(
        self, rows: Rows, times: TimeArray, values: FloatArray, settled: TimeArray | None = None
    ) -> Rows:
        touched = self._streams.update(rows, times, values)
        if settled is None and not times.size:
            return touched
        # A symbol whose last base bar is missing has its longer bars closed one bar later, or
        # once the feed says that none will come any more.
        late = self._streams.flush(int(times.max()) if settled is None else settled)
        return np.union1d(touched, late)

    async def _beat(self) -> None:
        assert self.loop is not None
        while not self.stopping:
            self._wake.clear()
            if self.config is self._ranked:
                wait_s = self.config.interval_ms / 1000
                self._beat_at = self.loop.time() + wait_s
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
            if not self.stopping and (self.config.enabled or self.config is not self._ranked):
                await self._rank()

    def _copied(self) -> dict[str, Any] | None:
        """Copy what a restart needs; None while it is half a batch or holds corrected bars."""
        with self._lock:
            if self._torn or self._rewarmer.pending:
                return None
            return {name: duplicate(array) for name, array in self._streams.save().items()}

    async def _close(self) -> None:
        if self.error:  # it may have come between two streams of one batch
            await self._gatherer.keep()
        else:
            await self._keeper.save()
            if self._rewarmer.pending:
                await self._keeper.drop()
            await self._intake.keep()
        await self._notes.keep()
        await self._desk.close()
        self._learner.stop()
        if self._gatherer.sources is not None:
            await self._gatherer.sources.close()
        self._streams.close()
        await self.feed.close()

    # -- publishing ----------------------------------------------------------------------------

    async def _rank(self, touched: Rows | None = None) -> Judged:
        """Rank all symbols; tell it, and the signals of `touched` (None: of all)."""
        async with self._ranking:
            asked = touched, self.feed.faults()
            return await self._aside(len(self.feed.symbols), self._scan, asked)

    def _scan(self, asked: tuple[Rows | None, Faults | None]) -> Judged:
        assert self.loop is not None
        (touched, faults), config, began = asked, self.config, self.loop.time()
        with self._lock:
            self._streams.faults = faults
            snapshot = self._streams.snapshot(self._day).fresh()
        known = self.calibration(config.weights)
        evaluation = evaluate(snapshot, config.weights, config.rules, calibration=known)
        self.latest, self.evaluation = snapshot, evaluation
        if touched is None:
            self._ranked = config
        if config.enabled or touched is None:  # off: scans on request and drafts see every bar
            self._publish(evaluation, config, touched, began)
        return Judged(evaluation, config, faults)

    def _publish(
        self, evaluation: Evaluation, config: AgentConfig, touched: Rows | None, began: float
    ) -> None:
        assert self.loop is not None
        if self.hub is not None:
            states: dict[tuple[str, str], Any] = {("scan", ""): evaluation}
            if config.enabled:
                rows = np.arange(len(self.feed.symbols)) if touched is None else touched
                signals = signals_of(evaluation, rows)
                states |= {("signal", symbol): signal for symbol, signal in signals.items()}
            self.hub.publish_all(states)
        self._n_scans += 1
        now = self.loop.time()
        MEASURED.took("scan", now - began)
        if now - self._reported >= REPORT_EVERY_S:
            self._reported = now
            left_ms = max(0.0, self._beat_at - now) * 1e3 if touched is not None else (
                config.interval_ms  # this was the beat
            )
            time = evaluation.snapshot.time
            beat = time + int(left_ms * self.feed.clock.speed)
            self.reporter(ScanStats(time, (now - began) * 1e3, beat, self._n_scans))

    def _spread(self, event: Closed | Forming) -> None:
        fresh = newer(event, self.feed.symbols, self._prices)
        self._prices.update(fresh)
        if self.hub is not None and fresh:
            self.hub.publish_many("price", fresh)
