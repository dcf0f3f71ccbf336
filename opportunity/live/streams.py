"""The state of every live stream (symbol x timeframe), advanced one batch of bars at a time.

A stream is one row in the state array of each detector, in the context's and in the output
arrays; row = symbol * n_timeframes + timeframe. Whole batches run in compiled code without the
GIL, so two threads share a large one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.detectors.badges import Badges
from opportunity.detectors.base import CONFIDENCE, SCORE, Detector
from opportunity.detectors.events import EVENT
from opportunity.kernels import VERSION
from opportunity.live.day import DrawdownRanks, Rows
from opportunity.live.observers import Observers
from opportunity.market.bars import Bar, FloatArray
from opportunity.market.continuity import Parts, follow, new_tracks, tell
from opportunity.market.figures import DayFigures
from opportunity.market.resample import Closed, Resampler
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.market.trust import AGE, N_FACTORS, Faults, blame, overdue
from opportunity.measured import MEASURED
from opportunity.scoring.context import ATR, CONTEXT, TREND, VOLATILITY, context_run
from opportunity.scoring.snapshot import MarketSnapshot

SPLIT_ROWS: Final = 512
"""Batches above this many rows are shared by two threads; below, handing over costs more."""

WARM_EVENTS: Final = 24
"""Bars at the end of the warm-up whose events may become badges."""


Tap = Callable[["Streams", str, Mapping[str, Any]], None]
"""Hears of each call that changes streams, by its name and with what was given; see `live.desk`."""


class Streams:
    """Detector states, contexts and newest outputs of a universe.

    Parameters
    ----------
    symbols, timeframes : sequence of str
        The universe; `timeframes` must be multiples of `base`.
    base : Timeframe
        Length of the bars that `update` is fed with.
    source : str
        Stamp of everything derived from these bars, e.g. ``simulated``.
    detectors : sequence of Detector, optional
        One of each class in `DETECTORS`, with its parameters; defaults to the defaults.
    observers : Observers, optional
        What is known besides bars: takes records before the bars that close later. Defaults to
        its own, which know nothing yet; those of other streams must be of the same symbols.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        base: Timeframe,
        source: str,
        detectors: Sequence[Detector] | None = None,
        observers: Observers | None = None,
    ) -> None:
        self.symbols, self.timeframes = tuple(symbols), tuple(timeframes)
        self.base, self.source = base, source
        self.detectors = tuple(detectors or (d() for d in DETECTORS))
        self.version = 0
        self.time = 0
        n_rows, n = len(self.symbols) * len(self.timeframes), len(DETECTOR_NAMES)
        self._column = {t: i for i, t in enumerate(self.timeframes)}
        self._states = [d.new_states(n_rows) for d in self.detectors]
        for states in self._states:
            raw(states)[:] = 0  # they have all their memory from now on
        self.observers = observers or Observers(self.detectors, self.symbols)
        self._context = np.zeros(n_rows, CONTEXT)
        self._scores = np.full((n_rows, n), np.nan)
        self._confidences = np.full((n_rows, n), np.nan)
        self._market = np.full((n_rows, 3), np.nan)
        self._ict = np.full(n_rows, np.nan)
        self._closed = np.zeros(n_rows, np.int64)
        self._flagged = np.zeros(n_rows, np.bool_)
        self._tracks = new_tracks(n_rows)
        self.faults: Faults | None = None
        """What the feed knows to be wrong with the symbols now; whoever feeds bars sets it.

        A feed that knows any has asked for each missing bar: what it does not miss, never existed.
        """
        self.tap: Tap | None = None
        self._badges = Badges(self.detectors, len(self.symbols), self.timeframes)
        self._resampler = Resampler(base, self.timeframes, len(self.symbols))
        self.drawdowns = DrawdownRanks(len(self.symbols), self.timeframes)
        self.complete: TimeArray = np.zeros(len(self.symbols), np.int64)
        """Up to when the longer bars of each symbol were closed by `flush`, ms UTC."""
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="kernels")

    def close(self) -> None:
        """Release the threads."""
        self._pool.shutdown(wait=False)

    # -- feeding ---------------------------------------------------------------------------

    def warm(self, timeframe: Timeframe, time: TimeArray, values: FloatArray) -> None:
        """Run the history of one timeframe through fresh streams.

        Parameters
        ----------
        timeframe : Timeframe
            One of the universe's.
        time : ndarray of int64, shape (n_symbols, n_bars)
            Opening times.
        values : ndarray of float64, shape (n_symbols, n_bars, 5)
            Bars, padded with NaN in front where a symbol has fewer.
        """
        self._tell("warm", timeframe=timeframe, time=time, values=values)
        rows = self._rows(np.arange(len(self.symbols)), timeframe)
        if time.shape[1] > 1:
            step, known = time[:, -1] - time[:, -2], ~np.isnan(values[:, -2, 3])
            self._flagged[rows] = known & (step != length_ms(timeframe))
        parts = Parts(length_ms(timeframe), length_ms(self.base), counts=self._counts())
        follow(self._tracks, rows, time, values, parts)
        cut = max(0, time.shape[1] - WARM_EVENTS)
        if cut:
            self._run(rows, timeframe, time[:, :cut], values[:, :cut])
        for i in range(cut, time.shape[1]):
            self._run(rows, timeframe, time[:, i : i + 1], values[:, i : i + 1])

    def prime(self, instants: Iterable[tuple[Rows, TimeArray, FloatArray]]) -> None:
        """Fill the unfinished bars of the larger timeframes from base bars already scored."""
        for rows, times, values in instants:
            self._tell("prime", rows=rows, times=times, values=values)
            self._resampler.push(rows, times, values)

    def begin(self, time: int | TimeArray) -> None:
        """Refuse base bars that closed by `time`: they are in what was warmed with."""
        self._tell("begin", time=time)
        self._resampler.begin(time)

    def update(self, rows: Rows, times: TimeArray, values: FloatArray) -> Rows:
        """Advance by base bars that closed at one instant; return the symbols that were scored.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            Symbol indices.
        times : ndarray of int64, shape (k,)
            Opening times of the base bars.
        values : ndarray of float64, shape (k, 5)
            The bars.
        """
        self._tell("update", rows=rows, times=times, values=values)
        touched = [self._advance(closed) for closed in self._resampler.push(rows, times, values)]
        if times.size:
            self.time = max(self.time, int(times.max()) + length_ms(self.base))
        return np.unique(np.concatenate(touched)) if touched else np.empty(0, np.int64)

    def flush(self, now_ms: int | TimeArray) -> Rows:
        """Close the larger bars whose time has passed without their last base bars.

        `now_ms` is one time for all symbols, or the time up to which each one is complete.
        """
        self._tell("flush", time=now_ms)
        self.complete = np.maximum(self.complete, now_ms)
        touched = [self._advance(closed) for closed in self._resampler.flush(now_ms)]
        return np.unique(np.concatenate(touched)) if touched else np.empty(0, np.int64)

    def _advance(self, closed: Closed) -> Rows:
        timeframe = closed.timeframe
        if timeframe not in self._column:
            return np.empty(0, np.int64)
        rows = self._rows(closed.rows, timeframe)
        before = self._closed[rows]
        self._run(rows, timeframe, closed.times[:, None], closed.values[:, None])
        if timeframe == self.drawdowns.timeframe:
            self.drawdowns.feed(closed.rows, closed.values[:, None, 3])
        gap = (before != 0) & (closed.times != before)
        self._flagged[rows] = gap | (closed.coverage < 0.9)
        length, base = length_ms(timeframe), length_ms(self.base)
        absent = np.rint((1.0 - closed.coverage) * (length // base)).astype(np.int64)
        parts = Parts(length, base, absent[:, None], self._counts()[closed.rows])
        follow(self._tracks, rows, closed.times[:, None], closed.values[:, None], parts)
        return closed.rows

    def _tell(self, call: str, **given: Any) -> None:
        if self.tap is not None:
            faults = {} if self.faults is None else {"counts": self._counts()}
            self.tap(self, call, given | faults)

    def _counts(self) -> NDArray[np.bool_]:
        """Tell for each symbol whether a missing bar is a gap, and not one that never existed."""
        if self.faults is None:
            return np.ones(len(self.symbols), np.bool_)
        counts: NDArray[np.bool_] = self.faults.pending | ~(self.faults.missing == 0)
        return counts

    def _rows(self, symbols: Rows, timeframe: Timeframe) -> Rows:
        return symbols * len(self.timeframes) + self._column[timeframe]

    # -- running the kernels -----------------------------------------------------------------

    def _run(self, rows: Rows, timeframe: Timeframe, time: TimeArray, values: FloatArray) -> None:
        if rows.size <= SPLIT_ROWS:
            self._run_part(rows, timeframe, time, values)
        else:
            half = rows.size // 2
            parts = [
                self._pool.submit(self._run_part, rows[p], timeframe, time[p], values[p])
                for p in (slice(0, half), slice(half, None))
            ]
            for part in parts:
                part.result()
        newest = time[:, -1] + length_ms(timeframe)
        self._closed[rows] = np.where(np.isnan(values[:, -1, 3]), self._closed[rows], newest)
        self.time = max(self.time, int(newest.max()))

    def _run_part(
        self, rows: Rows, timeframe: Timeframe, time: TimeArray, values: FloatArray
    ) -> None:
        time, values = np.ascontiguousarray(time), np.ascontiguousarray(values)
        k, n = time.shape
        events = np.empty((k, 0), EVENT)
        for i, (detector, states) in enumerate(zip(self.detectors, self._states, strict=True)):
            out = np.full((k, n, detector.width), np.nan)
            counts = np.zeros(k, np.int64)
            obs = self.observers.rows(i, rows // len(self.timeframes), timeframe, time)
            began = perf_counter()
            detector.run(states, rows, detector.packed, time, values, obs, out, events, counts)
            if n == 1:  # not the history of the warm-up
                MEASURED.took("detector", perf_counter() - began, detector.name or "")
            self._scores[rows, i] = out[:, -1, SCORE]
            self._confidences[rows, i] = out[:, -1, CONFIDENCE]
            if "ict" in detector.aux:
                self._ict[rows] = out[:, -1, 2 + detector.aux.index("ict")]
            if n == 1:  # a state holds the events of its newest bar
                self._badges.note(i, states, rows, counts)
        out = np.full((k, n, 3), np.nan)
        context_run(self._context, rows, time, values, out)
        self._market[rows] = out[:, -1]

    # -- reading -----------------------------------------------------------------------------

    def forming(self, symbol: int, timeframe: Timeframe) -> Bar | None:
        """Return the unfinished bar of a stream from its closed base bars, or None."""
        return self._resampler.forming(symbol, timeframe)

    def badges(self) -> tuple[tuple[str, ...], ...]:
        """Return up to three names of fresh patterns per symbol, longest timeframe first."""
        return self._badges.shown(self.time)

    def snapshot(self, day: DayFigures) -> MarketSnapshot:
        """Copy the newest outputs of all streams into one immutable record."""
        self.version += 1
        shape = (len(self.symbols), len(self.timeframes))
        trend = np.nan_to_num(self._market[:, TREND]).astype(np.int8)
        return MarketSnapshot(
            version=self.version,
            time=self.time,
            source=self.source,
            symbols=self.symbols,
            timeframes=self.timeframes,
            scores=self._scores.reshape(*shape, len(DETECTOR_NAMES)).copy(),
            confidences=self._confidences.reshape(*shape, len(DETECTOR_NAMES)).copy(),
            trend=trend.reshape(shape),
            volatility=self._market[:, VOLATILITY].reshape(shape).copy(),
            atr=self._market[:, ATR].reshape(shape).copy(),
            closed=self._closed.reshape(shape).copy(),
            price=day.price.copy(),
            change_24h=day.change(),
            volume_24h=day.volume(),
            drawdown_rank=self.drawdowns.rank.copy(),
            flagged=self._flagged.reshape(shape).copy(),
            patterns=self.badges(),
            exists=self.observers.exists,
            ict=self._ict.reshape(shape).copy(),
            distrust=self._distrust(),
        )

    def _distrust(self) -> FloatArray:
        """Return what is wrong with each stream, by `FACTORS`."""
        shape = (len(self.symbols), len(self.timeframes))
        facts = np.zeros((*shape, N_FACTORS))
        tell(self._tracks, facts.reshape(-1, N_FACTORS))
        closed = self._closed.reshape(shape)
        lengths = np.array([length_ms(t) for t in self.timeframes])
        facts[..., AGE] = overdue(closed, lengths, self.time)
        if self.faults is not None:
            base = length_ms(self.base)
            reached = np.maximum(self.newest + base, closed.max(axis=1))
            blame(facts, self.faults, base, lengths, closed, reached)
        return facts

    @property
    def newest(self) -> TimeArray:
        """Opening time of the newest base bar of each symbol, `fold.NEVER` before the first."""
        return self._resampler.newest

    @property
    def newest_bars(self) -> FloatArray:
        """The newest base bar of each symbol, shape (n_symbols, 5); NaN where it did not stream."""
        kept = self._resampler.state[:, 0]
        there = (kept["time"] == kept["closed"])[:, None]
        return np.where(there, kept["value"], np.nan)

    def row(self, symbol: int, timeframe: Timeframe) -> tuple[list[NDArray[Any]], int]:
        """Copy the states of one stream: the detectors', then the context's; each of one row.

        Returns
        -------
        states : list of structured arrays of shape (1,)
        closed : int
            When the newest bar in them closed, ms UTC; 0 for none.
        """
        row = int(self._rows(np.array([symbol]), timeframe)[0])
        states = [raw(s)[row].copy().view(s.dtype) for s in (*self._states, self._context)]
        return states, int(self._closed[row])

    def adopt(self, rows: Rows, other: "Streams") -> None:
        """Take over the streams of all symbols of `other` as those of `rows`, in their order.

        `other` is of the same timeframes and detectors; it must not be fed any more.
        """
        self._tell("adopt", rows=rows, other=other)
        theirs = other._kept()
        for name, mine in self._kept().items():
            n = len(mine) // len(self.symbols)
            places = (rows[:, None] * n + np.arange(n)).reshape(-1)
            raw(mine)[places] = raw(theirs[name])
        self.drawdowns.adopt(rows, other.drawdowns)
        self.complete[rows] = other.complete

    # -- surviving a restart -------------------------------------------------------------------

    def _kept(self) -> dict[str, NDArray[Any]]:
        """Arrays that a restart fills again, by their name in a stored state."""
        states = {f"state_{d.label}": s for d, s in zip(self.detectors, self._states, strict=True)}
        return states | {
            "context": self._context,
            "scores": self._scores,
            "confidences": self._confidences,
            "market": self._market,
            "ict": self._ict,
            "closed": self._closed,
            "flagged": self._flagged,
            "tracks": self._tracks,
            "partial": self._resampler.state,
            "badges": self._badges.known,
            "badge_things": self._badges.things,
        }

    def _universe(self) -> list[str]:
        return [*self.symbols, *self.timeframes, self.base, self.source]

    def save(self) -> dict[str, NDArray[Any]]:
        """Return every array that a restart needs, with the kernels' version; not copied."""
        return self._kept() | {
            "kernels": np.array(VERSION),
            "universe": np.array(self._universe()),
            "time": np.array(self.time),
        }

    def load(self, arrays: dict[str, NDArray[Any]]) -> bool:
        """Restore what `save` returned, or change nothing.

        Returns
        -------
        bool
            False when it is of other kernels, another universe or another source.

        Raises
        ------
        KeyError, ValueError
            If an array is missing or of another shape.
        """
        if str(arrays["kernels"]) != VERSION or arrays["universe"].tolist() != self._universe():
            return False
        kept, time = self._kept(), int(arrays["time"])
        for name, array in kept.items():
            if arrays[name].shape != array.shape or arrays[name].dtype != array.dtype:
                raise ValueError(
                    f"{name} must be of shape {array.shape}, was {arrays[name].shape}"
                )
        self._tell("load", **{name: arrays[name] for name in kept}, time=time)
        for name, array in kept.items():
            array[:] = arrays[name]
        self.time = time
        return True


def raw(array: NDArray[Any]) -> NDArray[np.uint8]:
    """View the bytes of a contiguous array, one line for each row: records are slow to copy."""
    width = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    return array.view(np.uint8).reshape(len(array), width)
