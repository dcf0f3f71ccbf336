"""What the detectors said of every closed bar of one symbol and timeframe, and when it was known.

The same kernels as live, over the same bars, from the first bar on; the weights come later.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches, known_in
from opportunity.backtest.observing import Knowledge
from opportunity.detectors.base import CONFIDENCE, SCORE, Detector
from opportunity.detectors.events import EVENT
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.continuity import Parts, facts_along
from opportunity.market.resample import coverage, resample
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.scoring.context import ATR, CONTEXT, TREND, VOLATILITY, context_run

CHUNK: Final = 8_192
"""Bars that a detector is run over at a time: its room stays in the cache."""

WHOLE: Final = 0.9
"""Share of its constituents below which a bar is flagged."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Closed bars of one symbol and timeframe, and what was said of them.

    Parameters
    ----------
    symbol : int
    timeframe : Timeframe
    time : ndarray of int64, shape (n,)
        Opening times, ms UTC.
    known : ndarray of int64, shape (n,)
        Batch in which each bar became known; ascending, several bars may share one.
    scores, confidences : ndarray, shape (n, n_detectors)
        NaN where unavailable.
    trend, volatility, atr : ndarray, shape (n,)
        +1, -1, 0 (also before it is known); rank and ATR14, NaN before they are known.
    flagged : ndarray of bool, shape (n,)
        The bar came after a gap, or lacks more than a tenth of its constituents.
    gaps, flat : ndarray, shape (n,)
        Share of constituents missing lately; bars in a row without volume. See `market.trust`.
    """

    symbol: int
    timeframe: Timeframe
    time: TimeArray
    known: NDArray[np.int64]
    scores: FloatArray
    confidences: FloatArray
    trend: FloatArray
    volatility: FloatArray
    atr: FloatArray
    flagged: NDArray[np.bool_]
    gaps: FloatArray
    flat: NDArray[np.int64]

    def __len__(self) -> int:
        return self.time.size

    @property
    def closed(self) -> TimeArray:
        """Closing times, ms UTC."""
        return self.time + length_ms(self.timeframe)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Bars of one symbol and timeframe before anybody has looked at them.

    Parameters
    ----------
    symbol : int
    bars : Bars
    known : ndarray of int64, shape (n,)
        Batch in which each became known.
    coverage : ndarray, shape (n,)
        Share of the constituents that were there, (0, 1].
    """

    symbol: int
    bars: Bars
    known: NDArray[np.int64]
    coverage: FloatArray


def folded(symbol: int, bars: Bars, timeframe: Timeframe, batches: Batches) -> Folded:
    """Make the bars of one timeframe, as far as the batches tell of them."""
    if timeframe == bars.timeframe:
        known = np.searchsorted(batches.opened, bars.time)
        return Folded(symbol, bars, known, np.ones(len(bars)))
    now = int(batches.opened[-1])  # bars of another symbol that opened by then close those of this
    longer = resample(bars, timeframe, now)
    known = known_in(batches, longer.time, length_ms(timeframe), bars.time)
    return Folded(symbol, longer, known, coverage(bars, timeframe, now))


def empty_stream(part: Folded, base: Timeframe, n_detectors: int) -> Stream:
    """Return a stream that holds what follows from the bars alone; detectors fill the rest."""
    bars = part.bars
    assert bars.timeframe is not None
    length, n = length_ms(bars.timeframe), len(bars)
    per = length // length_ms(base)
    absent = np.rint((1.0 - part.coverage) * per).astype(np.int64)
    gaps, flat = facts_along(bars.time, bars.values, Parts(length, length_ms(base), absent))
    after = np.zeros(n, np.bool_)
    after[1:] = np.diff(bars.time) != length
    scores, confidences = np.full((n, n_detectors), np.nan), np.full((n, n_detectors), np.nan)
    trend, volatility, atr = np.zeros(n), np.full(n, np.nan), np.full(n, np.nan)
    return Stream(
        part.symbol, bars.timeframe, bars.time, part.known, scores, confidences, trend,
        volatility, atr, after | (part.coverage < WHOLE), gaps, flat,
    )  # fmt: skip


def tasks(
    stream: Stream, part: Folded, detectors: Sequence[Detector], knowledge: Knowledge
) -> Iterator[tuple[int, Callable[[], None]]]:
    """Yield what fills a stream: the number of bars and a call; they may run at the same time."""
    n = len(stream)
    if not n:
        return
    for i, detector in enumerate(detectors):
        yield n, partial(_detect, stream, part.bars, (i, detector), knowledge)
    yield n, partial(_context, stream, part.bars)


def _chunks(n: int) -> Iterator[slice]:
    for a in range(0, n, CHUNK):
        yield slice(a, min(n, a + CHUNK))


def _detect(
    stream: Stream, bars: Bars, which: tuple[int, Detector], knowledge: Knowledge
) -> None:
    i, detector = which
    states, row = detector.new_states(1), np.zeros(1, np.int64)
    raw: NDArray[Any] = states.view(np.uint8)
    raw[:] = 0  # it has all its memory from now on
    length, events = length_ms(stream.timeframe), np.empty((1, 0), EVENT)
    for part in _chunks(len(bars)):
        time, values = bars.time[part], bars.values[part]
        known = knowledge.rows(i, stream.symbol, time, length)
        if known is None:
            known = np.full((time.size, len(detector.columns)), np.nan)
        out = np.full((1, time.size, detector.width), np.nan)
        detector.run(
            states, row, detector.packed, time[None], values[None],
            np.ascontiguousarray(known)[None], out, events, np.zeros(1, np.int64),
        )  # fmt: skip
        stream.scores[part, i] = out[0, :, SCORE]
        stream.confidences[part, i] = out[0, :, CONFIDENCE]


def _context(stream: Stream, bars: Bars) -> None:
    states, row = np.zeros(1, CONTEXT), np.zeros(1, np.int64)
    for part in _chunks(len(bars)):
        out = np.full((1, bars.time[part].size, 3), np.nan)
        context_run(states, row, bars.time[part][None], bars.values[part][None], out)
        stream.trend[part] = np.nan_to_num(out[0, :, TREND])
        stream.volatility[part] = out[0, :, VOLATILITY]
        stream.atr[part] = out[0, :, ATR]
