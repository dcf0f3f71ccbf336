"""The ensemble: nine detectors, one score.

`combine` is the whole formula on arrays of any leading shape; `score` runs the detectors over
bars first. Both are exactly docs/scoring.md.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.detectors.base import Detector
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.quality import require_bars, require_valid
from opportunity.market.resample import resample
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.combination import N_COLUMNS, Combined, combine_rows, gate_table
from opportunity.scoring.context import ATR, CONTEXT, TREND, VOLATILITY, context_run
from opportunity.scoring.presence import existing
from opportunity.scoring.scores import Evidence, Records, Scores, known_about
from opportunity.scoring.weights import Weights

WeightsLike = Weights | Mapping[str, float] | FloatArray

_GATES: Final = gate_table()


def weight_array(weights: WeightsLike | None) -> FloatArray:
    """Return weights in detector order; None means balanced.

    Raises
    ------
    TypeError
        If something else is given, e.g. a list.
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
    if not isinstance(weights, Weights | Mapping):
        raise TypeError(
            "weights must be Weights, a mapping by detector or an ndarray of "
            f"{len(DETECTOR_NAMES)} in detector order, was {type(weights).__name__}"
            + (": np.array(weights) makes one" if isinstance(weights, list | tuple) else "")
        )
    return weights.as_array() if isinstance(weights, Weights) else Weights(**weights).as_array()


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
    observations : records, FolderRecords, or mapping of Observed by detector, optional
        What was known besides the bars; each record counts from its `available_at` on.

    Raises
    ------
    BarError
        If bars are not in order or not sane.
    TypeError, ValueError
        If bars are no Bars, or as `known_about`.
    """
    require_valid(bars)
    n = len(bars)
    scores, confidences = np.full((2, n, len(DETECTOR_NAMES)), np.nan)
    exists = np.zeros(len(DETECTOR_NAMES), np.bool_)
    given = known_about(bars, observations)
    outputs = {}
    for i, detector in enumerate(detectors or [d() for d in DETECTORS]):
        known = given.get(detector.label) if isinstance(given, Mapping) else given
        found = detector.detect(bars, known)
        scores[:, i], confidences[:, i] = found.score, found.confidence
        exists[i] = found.connected
        if detector.needs:
            outputs[detector.label] = found.outputs
    out = np.full((1, n, 3), np.nan)
    context_run(
        np.zeros(1, CONTEXT), np.zeros(1, np.int64), bars.time[None], bars.values[None], out
    )
    context = out[0].T.copy()
    return Evidence(
        bars, scores, confidences, context[TREND], context[VOLATILITY], context[ATR], exists,
        outputs,
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
    observations : records, FolderRecords, or mapping of Observed by detector, optional
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
    TypeError
        If bars are no Bars, or observations no records.
    ValueError
        If the timeframe is unknown or not made of whole bars, or if there are observations but
        the bars carry no timeframe or symbol.

    Notes
    -----
    Causal, one pass: bars that come later never change a score.
    """
    require_bars(bars)
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
