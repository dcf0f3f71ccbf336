"""Means of outcomes that overlap, with intervals as wide as that makes them.

Outcomes of one moment stand together, and blocks of neighbouring moments are drawn anew: see
`scoring.bootstrap`. Where there is too little to say anything, nothing is said.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.bootstrap import LEVEL, draw_blocks, interval
from opportunity.scoring.forward import ranks

LEAST_OUTCOMES: Final = 20
"""Outcomes below which a mean says nothing."""

LEAST_BLOCKS: Final = 5
"""Blocks below which drawing them anew says nothing about how far a mean strays."""

N_DRAWS: Final = 500


@dataclass(frozen=True, slots=True)
class Average:
    """A mean, how many values it is of, and how far it may stray.

    Parameters
    ----------
    n : int
        Values.
    value : float
        NaN for fewer than `LEAST_OUTCOMES` of them.
    low, high : float
        Bounds of 95 % of the resamples; NaN also for less than `LEAST_BLOCKS` blocks of time.
    n_effective : float
        How many independent values stray as far, at most `n`; NaN where there are no bounds.
    """

    n: int
    value: float
    low: float
    high: float
    n_effective: float

    def __repr__(self) -> str:
        return f"<Average {self.value:.4g} [{self.low:.4g}, {self.high:.4g}] of {self.n}>"


def average(
    values: FloatArray, at: TimeArray, block: int, n_draws: int = N_DRAWS, seed: int = 0
) -> Average:
    """Return the mean of values that were made at moments.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Rows with NaN are passed over.
    at : ndarray of int64, shape (n,)
        Moment of each; those of one moment are drawn together.
    block : int
        Moments of a block, >= 1: at least as long as outcomes overlap.
    n_draws, seed : int
        Resamples.
    """
    there = np.isfinite(values)
    values = values[there]
    nan = float("nan")
    if values.size < LEAST_OUTCOMES:
        return Average(values.size, nan, nan, nan, nan)
    mean = float(values.mean())
    _, place = np.unique(at[there], return_inverse=True)
    sums = np.stack([np.bincount(place), np.bincount(place, values)], axis=1).astype(np.float64)
    if len(sums) < LEAST_BLOCKS * block:
        return Average(values.size, mean, nan, nan, nan)
    drawn = draw_blocks(len(sums), block, n_draws, seed).sums(sums)
    means = drawn[:, 1] / drawn[:, 0]
    low, high = interval(means, LEVEL)
    spread = float(means.var())
    n_effective = values.size if spread == 0.0 else min(values.size, float(values.var()) / spread)
    return Average(values.size, mean, float(low), float(high), n_effective)


def rank_correlation(x: FloatArray, y: FloatArray) -> float:
    """Return Spearman's coefficient of two arrays of shape (n,); NaN where one never varies.

    Rows with NaN in either are passed over; equal values share their mean rank.
    """
    there = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(there) < 2:
        return float("nan")
    a, b = (ranks(values[there]) for values in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else float("nan")
