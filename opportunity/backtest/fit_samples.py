"""Evidence and outcomes as samples to learn from, with the time that each label spans."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.scoring.barriers import outcomes
from opportunity.scoring.ensemble import score
from opportunity.scoring.scores import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Bars with evidence and a known outcome; n of them, of all streams.

    Parameters
    ----------
    evidence : ndarray, shape (n, n_active)
        Confidence times gated score of each active detector, 0 where unavailable.
    right_if_long, right_if_short : ndarray, shape (n,)
        0 or 1.
    weight : ndarray, shape (n,)
        How many independent outcomes each is worth, (0, 1].
    start, end : ndarray of int64, shape (n,)
        Bars since the first one of all streams: of the call, and of when its outcome was known.
    active : ndarray of bool, shape (n_detectors,)
        Detectors that ever spoke.
    """

    evidence: FloatArray
    right_if_long: FloatArray
    right_if_short: FloatArray
    weight: FloatArray
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    active: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.start.size

    def take(self, rows: Any) -> "Samples":
        """Return those that `rows` picks."""
        return Samples(
            self.evidence[rows], self.right_if_long[rows], self.right_if_short[rows],
            self.weight[rows], self.start[rows], self.end[rows], self.active,
        )

    def calls(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return evidence, outcome and weight of every bar called up and called down, 2n rows."""
        return (
            np.concatenate([self.evidence, -self.evidence]),
            np.concatenate([self.right_if_long, self.right_if_short]),
            np.concatenate([self.weight, self.weight]) / 2.0,
        )


def samples_of(
    bars: Bars | Scores | Sequence[Bars | Scores], horizon: int, barrier: float
) -> Samples:
    """Collect samples of streams of one timeframe.

    Raises
    ------
    ValueError
        If there is no stream, timeframes differ or are unknown, or nothing has an outcome.
    """
    several = [bars] if isinstance(bars, Bars | Scores) else list(bars)
    if not several:
        raise ValueError("bars must be of one stream or more, was none")
    scored = [s if isinstance(s, Scores) else score(s) for s in several]
    timeframes = {s.timeframe for s in scored}
    timeframe = timeframes.pop()
    if timeframes or timeframe is None:
        raise ValueError(f"bars must be of one known timeframe, was {timeframes | {timeframe}}")
    origin = min(int(s.time[0]) for s in scored if len(s))
    parts = [_of_stream(s, horizon, barrier, (origin, length_ms(timeframe))) for s in scored]
    evidence, long, short, weight, start, end = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    active = (evidence != 0).any(axis=0)
    if not active.any():
        raise ValueError("bars must have evidence with a known outcome, had none")
    return Samples(evidence[:, active], long, short, weight, start, end, active)


def _of_stream(
    scored: Scores, horizon: int, barrier: float, clock: tuple[int, int]
) -> tuple[Any, ...]:
    evidence, (origin, bar_ms) = scored.evidence, clock
    known = outcomes(evidence.bars, evidence.atr, horizon, barrier)
    parts = np.nan_to_num(evidence.confidences * scored.combined.gated, nan=0.0)
    rows = np.flatnonzero((known.resolved >= 0) & (parts != 0).any(axis=1))
    until = known.resolved[rows]
    steps = (evidence.bars.time - origin) // bar_ms
    return (
        parts[rows], known.right_if_long[rows], known.right_if_short[rows],
        uniqueness(rows, until, len(scored)), steps[rows], steps[until],
    )


def uniqueness(first: NDArray[Any], last: NDArray[Any], n_bars: int) -> FloatArray:
    """Return how much of each label's time is its own.

    Parameters
    ----------
    first, last : ndarray of int, shape (n,)
        Bars that each label spans: those behind `first`, up to `last`, which is later.
    n_bars : int
        Bars in all.

    Returns
    -------
    ndarray of float64, shape (n,)
        Mean over its bars of 1 by the labels that span the bar, (0, 1].

    Notes
    -----
    Source: López de Prado, *Advances in Financial Machine Learning*, 2018, 4.4.
    """
    opened = np.bincount(first + 1, minlength=n_bars + 1) - np.bincount(
        last + 1, minlength=n_bars + 1
    )
    at_once = np.cumsum(opened)[:n_bars]
    share = np.divide(1.0, at_once, out=np.zeros(n_bars), where=at_once > 0)
    total = np.concatenate([[0.0], np.cumsum(share)])
    return np.asarray((total[last + 1] - total[first + 1]) / (last - first))
