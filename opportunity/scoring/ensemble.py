"""The ensemble: nine detectors, one score.

`combine` is the whole formula on arrays of any leading shape; `score` runs the detectors over
bars first. Both are exactly docs/scoring.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.detectors.base import WARMUP, Detector
from opportunity.detectors.inputs import Observed
from opportunity.detectors.sightings import look
from opportunity.indicators.rsi import rsi
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.observations import Record
from opportunity.market.quality import require_valid
from opportunity.market.resample import resample
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.combination import N_COLUMNS, combine_rows, gate_factor, gate_table
from opportunity.scoring.context import ATR, CONTEXT, TREND, VOLATILITY, context_run
from opportunity.scoring.explanation import (
    ADVICES,
    DIRECTIONS,
    NO_DATA,
    TRENDS,
    WARMING_UP,
    Component,
    Explanation,
)
from opportunity.scoring.presence import existing
from opportunity.scoring.weights import Weights

SideArray = NDArray[np.int8]
WeightsLike = Weights | Mapping[str, float] | FloatArray

_GATES: Final = gate_table()


def weight_array(weights: WeightsLike | None) -> FloatArray:
    """Return weights in detector order; None means balanced.

    Raises
    ------
    ValueError
        If a name is unknown, or a weight is negative or not finite.
    """
    if isinstance(weights, np.ndarray):
        array = np.ascontiguousarray(weights, dtype=np.float64)
        if array.shape != (len(DETECTOR_NAMES),):
            raise ValueError(f"weights must be of shape ({len(DETECTOR_NAMES)},), "
                             f"was {array.shape}")
        if not (np.isfinite(array) & (array >= 0)).all():
            raise ValueError(f"weights must be finite and >= 0, was {array.tolist()}")
        return array
    if weights is None:
        return Weights().as_array()
    return weights.as_array() if isinstance(weights, Weights) else Weights(**weights).as_array()


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Scores of many bars; every array has the leading shape of what was combined.

    Parameters
    ----------
    final, net, strength : ndarray
        [0, 1] with 0.5 neutral; [-1, 1]; |net|. NaN where no detector was available.
    confidence, disagreement, coverage, bull, bear : ndarray
        [0, 1], NaN likewise. `bull` and `bear` are the masses of both sides, >= 0.
    contributions, gated : ndarray, shape (..., n_detectors)
        Shares in `net` and scores after their gates; NaN where unavailable.
    direction, advice : ndarray of int8
        +1 bullish / BUY, -1 bearish / SELL, 0 neutral / HOLD.
    """

    final: FloatArray
    net: FloatArray
    strength: FloatArray
    confidence: FloatArray
    disagreement: FloatArray
    coverage: FloatArray
    bull: FloatArray
    bear: FloatArray
    contributions: FloatArray
    gated: FloatArray
    direction: SideArray
    advice: SideArray

    def take(self, rows: Any) -> "Combined":
        """Return the rows that `rows` picks along the first axis."""
        return Combined(*(getattr(self, f.name)[rows] for f in fields(self)))


def combine(
    scores: ArrayLike,
    confidences: ArrayLike,
    trend: ArrayLike,
    volatility: ArrayLike,
    weights: WeightsLike | None = None,
    exists: NDArray[np.bool_] | None = None,
) -> Combined:
    """Combine detector outputs into scores.

    Parameters
    ----------
    scores, confidences : array_like, shape (..., n_detectors)
        Detector outputs in `DETECTOR_NAMES` order, NaN where unavailable.
    trend : array_like, shape (...)
        +1 up, -1 down, 0 ranging, NaN unknown.
    volatility : array_like, shape (...)
        Rank of ATR14 in its own past, [0, 1], NaN unknown.
    weights : Weights, mapping or ndarray, optional
        Defaults to balanced.
    exists : ndarray of bool, shape (n_detectors,), optional
        Detectors that have what they read; see `existing` for the default.

    Returns
    -------
    Combined

    Notes
    -----
    About 60 ns a row. Rows do not influence each other.
    """
    scores = np.ascontiguousarray(scores, dtype=np.float64)
    confidences = np.ascontiguousarray(confidences, dtype=np.float64)
    shape, n = scores.shape[:-1], len(DETECTOR_NAMES)
    if scores.shape != (*shape, n) or confidences.shape != scores.shape:
        raise ValueError(f"scores and confidences must be of one shape (..., {n}), "
                         f"was {scores.shape} and {confidences.shape}")
    n_rows = scores.size // n
    gated, contributions = np.empty((2, n_rows, n))
    columns = np.empty((N_COLUMNS, n_rows))
    sides, advices = np.empty((2, n_rows), np.int8)
    combine_rows(
        scores.reshape(n_rows, n), confidences.reshape(n_rows, n),
        _rows(trend, shape), _rows(volatility, shape), weight_array(weights),
        existing(scores) if exists is None else exists, _GATES,
        gated, contributions, columns, sides, advices,
    )
    final, net, strength, confidence, disagreement, coverage, bull, bear = (
        column.reshape(shape) for column in columns
    )
    return Combined(
        final, net, strength, confidence, disagreement, coverage, bull, bear,
        contributions.reshape(*shape, n), gated.reshape(*shape, n),
        sides.reshape(shape), advices.reshape(shape),
    )


def _rows(values: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    whole = np.broadcast_to(np.asarray(values, dtype=np.float64), shape)
    return np.ascontiguousarray(whole).reshape(-1)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What detectors and context say about each bar, before any weight is applied.

    Parameters
    ----------
    bars : Bars
        What was looked at.
    scores, confidences : ndarray, shape (n_bars, n_detectors)
        NaN where unavailable.
    trend, volatility, atr : ndarray, shape (n_bars,)
        +1, 0, -1; rank; quote currency.
    exists : ndarray of bool, shape (n_detectors,)
        Detectors that had what they read.
    """

    bars: Bars
    scores: FloatArray
    confidences: FloatArray
    trend: FloatArray
    volatility: FloatArray
    atr: FloatArray
    exists: NDArray[np.bool_]


Records = Iterable[Record] | Mapping[str, Observed] | None
"""What was known besides bars: records, or by detector what is joined with the bars already."""


def collect(
    bars: Bars, detectors: Sequence[Detector] | None = None, observations: Records = None
) -> Evidence:
    """Run the detectors and the market's context over bars.

    Parameters
    ----------
    bars : Bars
        Closed bars, ascending.
    detectors : sequence of Detector, optional
        One of each class in `DETECTORS`, in that order; defaults to their default parameters.
    observations : iterable of records, or mapping of Observed by detector, optional
        What was known besides the bars; each record counts from its `available_at` on.

    Raises
    ------
    BarError
        If bars are not in order or not sane.
    """
    require_valid(bars)
    n = len(bars)
    scores, confidences = np.full((2, n, len(DETECTOR_NAMES)), np.nan)
    exists = np.zeros(len(DETECTOR_NAMES), np.bool_)
    given = observations if isinstance(observations, Mapping | None) else list(observations)
    for i, detector in enumerate(detectors or [d() for d in DETECTORS]):
        known = given.get(detector.label) if isinstance(given, Mapping) else given
        found = detector.detect(bars, known)
        scores[:, i], confidences[:, i] = found.score, found.confidence
        exists[i] = found.connected
    out = np.full((1, n, 3), np.nan)
    context_run(
        np.zeros(1, CONTEXT), np.zeros(1, np.int64), bars.time[None], bars.values[None], out
    )
    context = out[0].T.copy()
    return Evidence(
        bars, scores, confidences, context[TREND], context[VOLATILITY], context[ATR], exists
    )


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The score of every bar with all that led to it; attributes of `Combined` pass through."""

    evidence: Evidence
    combined: Combined
    weights: Weights

    @property
    def time(self) -> TimeArray:
        """Opening times of the bars, ms UTC."""
        return self.evidence.bars.time

    @property
    def timeframe(self) -> Timeframe | None:
        """Length of the bars that were scored."""
        return self.evidence.bars.timeframe

    @property
    def final(self) -> FloatArray:
        """Score in [0, 1], 0.5 neutral, NaN before the warm-up; shape (n_bars,)."""
        return self.combined.final

    @property
    def net(self) -> FloatArray:
        """Score in [-1, 1], NaN before the warm-up; shape (n_bars,)."""
        return self.combined.net

    @property
    def strength(self) -> FloatArray:
        """|net|; shape (n_bars,)."""
        return self.combined.strength

    @property
    def confidence(self) -> FloatArray:
        """How much the score deserves, [0, 1]; shape (n_bars,)."""
        return self.combined.confidence

    @property
    def disagreement(self) -> FloatArray:
        """Weighted standard deviation of the detectors, [0, 1]; shape (n_bars,)."""
        return self.combined.disagreement

    @property
    def coverage(self) -> FloatArray:
        """Share of the weight that was available, [0, 1]; shape (n_bars,)."""
        return self.combined.coverage

    @property
    def contributions(self) -> FloatArray:
        """Shares in `net`, NaN where unavailable; shape (n_bars, n_detectors)."""
        return self.combined.contributions

    @property
    def side(self) -> SideArray:
        """Direction as +1, 0, -1; shape (n_bars,)."""
        return self.combined.direction

    @property
    def direction(self) -> NDArray[np.str_]:
        """BULLISH, NEUTRAL or BEARISH; shape (n_bars,)."""
        return np.array(DIRECTIONS)[self.combined.direction + 1]

    @property
    def advice(self) -> NDArray[np.str_]:
        """BUY, HOLD or SELL of this timeframe alone; shape (n_bars,)."""
        return np.array(ADVICES)[self.combined.advice + 1]

    def __repr__(self) -> str:
        if not len(self) or np.isnan(self.net[-1]):
            return f"<Scores of {len(self)} bars>"
        newest = f"{self.direction[-1]} {self.final[-1]:.3f}, confidence {self.confidence[-1]:.2f}"
        return f"<Scores of {len(self)} bars, newest: {newest}>"

    def __len__(self) -> int:
        return len(self.evidence.bars)

    def explain(self, bar: int = -1, observations: Records = None) -> Explanation:
        """Take the score of one bar apart, with what each detector sees.

        Parameters
        ----------
        bar : int
            Which one; negative numbers count from the end.
        observations : optional
            Those that were scored, for the words of the detectors that read them.
        """
        numbers = self._numbers(bar)
        if np.isnan(numbers.net):
            return numbers
        return numbers.told(look(self.evidence.bars, bar, observations))

    def _numbers(self, bar: int) -> Explanation:
        bars, evidence = self.evidence.bars, self.evidence
        at = range(len(bars))[bar]
        told = explain(
            self.combined.take(at), evidence.scores[at], evidence.confidences[at],
            self.weights.as_array(), evidence.trend[at], evidence.volatility[at],
            timeframe=bars.timeframe or "",
            closed=int(bars.time[at]) + (length_ms(bars.timeframe) if bars.timeframe else 0),
        )
        if at < WARMUP - 1:
            told = told.because(WARMING_UP)
        return replace(
            told, symbol=bars.symbol, price=float(bars.close[at]), atr=float(evidence.atr[at]),
            rsi=float(rsi(bars[: at + 1])[-1]),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return scores and contributions by tz-aware opening time in UTC."""
        numbers = ("final", "net", "confidence", "disagreement", "coverage", "bull", "bear")
        columns: dict[str, Any] = {n: getattr(self.combined, n) for n in numbers}
        columns |= {"direction": self.direction, "advice": self.advice}
        for i, name in enumerate(DETECTOR_NAMES):
            columns[name] = self.contributions[:, i]
        index = pd.DatetimeIndex(pd.to_datetime(self.time, unit="ms", utc=True), name="time")
        return pd.DataFrame(columns, index=index)


def explain(
    row: Combined, scores: FloatArray, confidences: FloatArray, weights: FloatArray,
    trend: float, volatility: float, timeframe: str, closed: int, flagged: bool = False,
) -> Explanation:
    """Word one row: `row` holds scalars, `scores` and `confidences` are (n_detectors,)."""
    components = tuple(
        Component(
            kind.name, bool(np.isfinite(part)), float(s), float(h), float(c), float(w), float(part),
            gate=float(gate_factor(s, trend, volatility, gate)) if np.isfinite(part) else np.nan,
            reason="" if np.isfinite(part) else NO_DATA,
        )
        for kind, s, h, c, w, part, gate in zip(
            DETECTORS, scores, row.gated, confidences, weights, row.contributions, _GATES,
            strict=True,
        )
    )
    return Explanation(
        timeframe=timeframe, closed=closed, final=float(row.final), net=float(row.net),
        strength=float(row.strength), direction=DIRECTIONS[int(row.direction) + 1],
        advice=ADVICES[int(row.advice) + 1], confidence=float(row.confidence),
        disagreement=float(row.disagreement), coverage=float(row.coverage),
        bull_mass=float(row.bull), bear_mass=float(row.bear),
        trend=TRENDS[1 if np.isnan(trend) else int(trend) + 1], volatility=float(volatility),
        flagged=flagged, components=components,
    )


def score(
    bars: Bars,
    weights: Weights | Mapping[str, float] | None = None,
    timeframe: str | None = None,
    observations: Records = None,
) -> Scores:
    """Score every bar from the bars up to it.

    Parameters
    ----------
    bars : Bars
        Closed bars, ascending; gaps are read across row by row.
    weights : Weights or mapping, optional
        Defaults to balanced; a mapping changes the balanced weights it names.
    timeframe : str, optional
        Timeframe to score: the label of bars that carry none, else bars of a shorter timeframe
        are resampled to it first. Defaults to the bars' own.
    observations : iterable of records, or mapping of Observed by detector, optional
        Headlines, funding, prints and so on for the detectors that read them, each from its
        `available_at` on. Without any these detectors are not available and not missed.

    Returns
    -------
    Scores
        Arrays of the number of bars scored, NaN on the first 99.

    Raises
    ------
    BarError
        If bars are not in order or not sane.
    ValueError
        If the timeframe is unknown or not made of whole bars.

    Notes
    -----
    Causal, one pass: bars that come later never change a score.
    """
    if timeframe is not None:
        wanted = checked(timeframe)
        if bars.timeframe is None:
            bars = bars.label(timeframe=wanted)
        elif bars.timeframe != wanted:
            bars = resample(bars, wanted)
    held = weights if isinstance(weights, Weights) else Weights(**(weights or {}))
    held = Weights(**held.as_dict())  # a later turn of the caller's weights is not this score's
    evidence = collect(bars, observations=observations)
    combined = combine(
        evidence.scores, evidence.confidences, evidence.trend, evidence.volatility, held,
        evidence.exists,
    )
    return Scores(evidence, combined, held)
