"""The agent calibrates itself, from what scores were worth in the newest bars.

At the start these are the bars that the streams are warmed with; every week of feed time, and when
the journal says that what is stated does not hold, history is read anew up to now.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import structlog

from opportunity.detectors import DETECTORS
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.live.observers import Observers
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe
from opportunity.scoring.calibration import Calibration, calibrated
from opportunity.scoring.calls import Calls, pooled
from opportunity.scoring.ensemble import collect
from opportunity.scoring.past import Past, keep

logger = structlog.get_logger(__name__)

N_SYMBOLS: Final = 24
"""Symbols that are learned from, spread evenly over the universe. They move together, so more of
them tell little more, and the longer a call into NumPy, the longer the agent's loop may wait."""

AFTER_S: Final = 3.0
"""Wait before anything is learned: until then the first page has the processor."""

REFIT_MS: Final = 7 * DAY_MS
"""Feed time after which what was learned is learned anew, with the bars since."""

LOOK_S: Final = 60.0
"""Wall time after which is looked whether it is time for that."""


class Scoring(Protocol):
    """What is learned for: the agent's `Core`."""

    @property
    def config(self) -> Any:
        """The present `AgentConfig`; only its weights and `relearn` matter here."""

    @property
    def time(self) -> int:
        """Feed time up to which bars are worked in, ms UTC."""

    def observers(self, symbols: Sequence[str]) -> Observers | None:
        """Return what is known of some symbols besides bars."""

    def tell_again(self) -> None:
        """Hear that scores have another success now."""


class Learner:
    """Looks at history, and fits a calibration to any weights from what it saw.

    The work is done on a thread; the agent's loop only asks for bars that were not offered.

    Parameters
    ----------
    feed : Feed
        Asked for bars that were not offered.
    timeframes : sequence of Timeframe
        Those that are scored.
    n_bars : int
        History of a stream.
    saved : Calibration, optional
        Wins over what is learned wherever it fits, until it is asked to learn again.
    """

    def __init__(
        self, feed: Feed, timeframes: Sequence[Timeframe], n_bars: int,
        saved: Calibration | None = None,
    ) -> None:
        self.turned = asyncio.Event()
        """Set when weights may have changed."""
        self.saved = saved
        self.learned: Calibration | None = None
        self._feed, self._timeframes, self._n_bars = feed, tuple(timeframes), n_bars
        n = len(feed.symbols)
        self._rows = np.unique(np.linspace(0, n - 1, min(n, N_SYMBOLS)).round().astype(np.int64))
        self.symbols = tuple(feed.symbols[row] for row in self._rows)
        self._offered: dict[Timeframe, list[Bars]] = {}
        self._past: dict[Timeframe, list[Past]] | None = None
        self._looked = 0  # feed time up to which history was seen
        self._answered = 0  # times it was asked to learn again, and has
        self._stopped = False

    def calibration(self, weights: FloatArray, now: int) -> Calibration | None:
        """Return what fits scores of these weights at a feed time; if nothing does, the newest."""
        known = [c for c in (self.saved, self.learned) if c is not None]
        ordered = known[::-1] if self._answered else known
        fits = (c for c in ordered if not c.problem(weights, self._feed.source, now or None))
        return next(fits, known[-1] if known else None)

    def due(self, scoring: Scoring) -> bool:
        """Tell whether history is to be read anew: it was asked for, or what serves is old."""
        if scoring.config.relearn > self._answered:
            return True
        serves = self.calibration(scoring.config.weights, scoring.time)
        mine = self.learned is not None and serves is self.learned
        return mine and scoring.time - self._looked >= REFIT_MS

    async def run(self, scoring: Scoring) -> None:
        """Learn what is not known, and anew what is old or off, until cancelled.

        It looks whenever weights have changed or it was asked to learn again, and from time to
        time.
        """
        await asyncio.sleep(AFTER_S)
        while True:
            self.turned.clear()
            weights = scoring.config.weights
            found, again = self.calibration(weights, scoring.time), self.due(scoring)
            if again or found is None or found.problem(weights, self._feed.source, scoring.time):
                try:
                    await self._learn(scoring, again)
                except (OpportunityError, ValueError, OSError) as error:
                    logger.error("not calibrated", error=str(error))
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.turned.wait()
            except TimeoutError:
                continue

    async def _learn(self, scoring: Scoring, again: bool) -> None:
        """Learn on a thread; again: from history up to now, which replaces what was seen."""
        now, asked = scoring.time, scoring.config.relearn
        before = self._past, self._offered
        if again:
            self._past, self._offered = None, {}
        fresh = self._past is None
        await self.ask(now)
        observers = scoring.observers(self.symbols)
        learned = await asyncio.to_thread(self.learn, scoring.config.weights, observers)
        if again and learned is not None and not learned.calibrators:
            self._past, self._offered = before  # the market did not answer: better an old one
            self._looked, self._answered = now, asked  # tried again as late as any other
        elif learned is not None:
            self.learned, self._answered = learned, asked
            self._looked = now if fresh else self._looked
            scoring.tell_again()

    def offer(self, timeframe: Timeframe, times: TimeArray, values: FloatArray) -> None:
        """Take the history that the streams are warmed with; arrays as of `Feed.histories`."""
        several = []
        for row, symbol in zip(self._rows.tolist(), self.symbols, strict=True):
            there = ~np.isnan(values[row, :, 3])
            several.append(
                Bars(times[row][there], values[row][there], timeframe, symbol, self._feed.source)
            )
        self._offered[timeframe] = several

    async def ask(self, end_ms: int) -> None:
        """Ask the feed for the timeframes that were not offered."""
        for timeframe in self._timeframes:
            if self._past is None and timeframe not in self._offered:
                several = []
                for symbol in self.symbols:
                    try:
                        bars = await self._feed.history(symbol, timeframe, self._n_bars, end_ms)
                    except (OpportunityError, ValueError, OSError):
                        continue  # the others do without it
                    several.append(bars.label(timeframe=timeframe, symbol=symbol))
                self._offered[timeframe] = several

    def stop(self) -> None:
        """Make `learn` return soon; it runs on a thread that cannot be cancelled."""
        self._stopped = True

    def learn(self, weights: FloatArray, observers: Observers | None) -> Calibration | None:
        """Fit a calibration to scores of these weights; None when stopped meanwhile.

        Parameters
        ----------
        weights : ndarray of shape (n_detectors,)
        observers : Observers or None
            What was known besides bars, of `symbols`.

        Notes
        -----
        The first call scores the history, half a second for 24 symbols x 6 timeframes once all
        kernels are compiled; later ones only weigh what it found, a fifth of a second.
        """
        if self._past is None:
            past = self._look(observers)
            if self._stopped:
                return None
            self._past, self._offered = past, {}
        found = calibrated({}, weights, self._feed.source, self.symbols)
        for timeframe, several in self._past.items():
            calls: list[Calls] = []
            for one in several:
                calls.append(one.calls(weights))
                time.sleep(0)  # lets a loop that waits for the interpreter go first
            if calls:
                # Only the last fit, which is what serves: to measure takes ten times as long.
                fitted = calibrated(
                    {timeframe: pooled(calls)}, weights, self._feed.source, self.symbols,
                    measured=False,
                )
                found.calibrators.update(fitted.calibrators)
                found.refused.update(fitted.refused)
        return found

    def _look(self, observers: Observers | None) -> dict[Timeframe, list[Past]]:
        detectors = [d() for d in DETECTORS]
        past: dict[Timeframe, list[Past]] = {t: [] for t in self._timeframes}
        for timeframe, several in self._offered.items():
            for bars in several:
                if self._stopped:
                    return past
                if len(bars):
                    known = None if observers is None else observers.observed(bars)
                    seen = collect(bars, detectors, known)
                    past[timeframe].append(keep(seen))
                    time.sleep(0)  # as in `learn`: the agent's loop goes first
        return past
