"""The agent calibrates itself, from what scores were worth in the bars that it started from."""

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
from opportunity.market.timeframe import TimeArray, Timeframe
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


class Scoring(Protocol):
    """What is learned for: the agent's `Core`."""

    @property
    def config(self) -> Any:
        """The present `AgentConfig`; only its weights matter here."""

    @property
    def time(self) -> int:
        """Feed time up to which bars are worked in, ms UTC."""

    def observers(self, symbols: Sequence[str]) -> Observers | None:
        """Return what is known of some symbols besides bars."""

    def tell_again(self) -> None:
        """Hear that scores have another success now."""


class Learner:
    """Looks at history once, and fits a calibration to any weights from what it saw.

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
        Wins over what is learned wherever it fits.
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
        self._stopped = False

    def calibration(self, weights: FloatArray, now: int) -> Calibration | None:
        """Return what fits scores of these weights at a feed time; if nothing does, the newest."""
        known = [c for c in (self.saved, self.learned) if c is not None]
        fits = (c for c in known if not c.problem(weights, self._feed.source, now or None))
        return next(fits, known[-1] if known else None)

    async def run(self, scoring: Scoring) -> None:
        """Learn what is not known, now and whenever the weights have changed, until cancelled."""
        await asyncio.sleep(AFTER_S)
        while True:
            self.turned.clear()
            weights = scoring.config.weights
            found = self.calibration(weights, scoring.time)
            if found is None or found.problem(weights, self._feed.source, scoring.time):
                try:
                    await self.ask(scoring.time)
                    observers = scoring.observers(self.symbols)
                    learned = await asyncio.to_thread(self.learn, weights, observers)
                except (OpportunityError, ValueError, OSError) as error:
                    logger.error("not calibrated", error=str(error))
                else:
                    self.learned = learned or self.learned
                    scoring.tell_again()
            await self.turned.wait()

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
