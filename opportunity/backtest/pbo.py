"""Probability of backtest overfitting: is the best of a past still above the median after it.

The periods are cut into blocks; every choice of half of them is a past, the rest its future.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.curve_metrics import FLAT, NAN, divide
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray

BLOCKS: Final = 16
MOST_BLOCKS: Final = 20
THREADS: Final = max(1, min(8, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What choosing the best configuration was worth, over all cuts.

    Parameters
    ----------
    probability : float
        Share of cuts in which the best of the past was not above the median of the future.
    logits : ndarray of float64, shape (n_cuts,)
        ln(rank / (1 - rank)) of it in the future, rank in (0, 1), ties in the middle.
    past, future : ndarray of float64, shape (n_cuts,)
        Sharpe ratio of the chosen one, per period; 0 where its returns did not vary.
    chosen : ndarray of int64, shape (n_cuts,)
        Which configuration it was.
    slope, intercept, fit : float
        Line of `future` on `past` (degradation: below 1, often below 0), and its R squared.
    loss : float
        Share of cuts in which the chosen one lost money in the future.
    """

    probability: float
    logits: FloatArray
    past: FloatArray
    future: FloatArray
    chosen: NDArray[np.int64]
    slope: float
    intercept: float
    fit: float
    loss: float


def overfitting(returns: FloatArray, n_blocks: int = BLOCKS) -> Overfitting:
    """Cut the past from the future in all symmetric ways and look at the best of each past.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_periods, n_configurations)
        Of each period (days, say), at least two configurations and two periods a block. Oldest
        periods that do not fill the blocks are left out.
    n_blocks : int
        Even, 2 to 20; 16 give 12,870 cuts.

    Raises
    ------
    ValueError
        If a number is out of its range or a return is not finite.

    Notes
    -----
    Time about n_cuts x n_configurations x 10 ns on one thread. Source: Bailey, Borwein, Lopez de
    Prado, Zhu, "The probability of backtest overfitting", Journal of Computational Finance 20,
    2017 (combinatorially symmetric cross-validation).
    """
    _check(returns, n_blocks)
    n = len(returns) // n_blocks
    blocks = returns[len(returns) - n * n_blocks :].reshape(n_blocks, n, -1)
    half = n_blocks // 2
    # A cut is one set of blocks in the lower half and one in the upper: their sums are kept.
    sums = [_subset_sums(blocks[:half]), _subset_sums(blocks[half:])]
    masks = np.array(
        [sum(1 << i for i in some) for some in combinations(range(n_blocks), half)], np.int64
    )
    chosen = np.empty(masks.size, np.int64)
    found = np.empty((masks.size, 3))
    parts = np.array_split(np.arange(masks.size), THREADS)

    def work(part: NDArray[np.int64]) -> None:
        rows = slice(int(part[0]), int(part[-1]) + 1)
        _cuts(masks[rows], half, n * half, sums[0], sums[1], chosen[rows], found[rows])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, [part for part in parts if part.size]))
    rank = found[:, 2] / (returns.shape[1] + 1)
    slope, intercept, fit = _line(found[:, 0], found[:, 1])
    logits = np.log(rank / (1.0 - rank))
    return Overfitting(
        float((logits <= 0.0).mean()), logits, found[:, 0], found[:, 1], chosen, slope,
        intercept, fit, float((found[:, 1] < 0.0).mean()),
    )  # fmt: skip


def _check(returns: FloatArray, n_blocks: int) -> None:
    if n_blocks % 2 or not 2 <= n_blocks <= MOST_BLOCKS:
        raise ValueError(f"n_blocks must be even and in 2..{MOST_BLOCKS}, was {n_blocks}")
    if returns.ndim != 2 or returns.shape[1] < 2 or len(returns) < 2 * n_blocks:
        raise ValueError(
            f"returns must be of shape (>= {2 * n_blocks} periods, >= 2 configurations), "
            f"was {returns.shape}"
        )
    if not np.isfinite(returns).all():
        raise ValueError("returns must be finite in every period, was NaN or infinite in some")


def _subset_sums(blocks: FloatArray) -> FloatArray:
    """Sum up every subset of blocks, values and squares: shape (2**k, 2, n_configurations)."""
    single = np.stack([blocks.sum(axis=1), (blocks * blocks).sum(axis=1)], axis=1)
    sums = np.zeros((1 << len(blocks), *single.shape[1:]))
    for i, block in enumerate(single):
        sums[1 << i : 2 << i] = sums[: 1 << i] + block
    return sums


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    away_x, away_y = x - x.mean(), y - y.mean()
    slope = divide(float(away_x @ away_y), float(away_x @ away_x))
    if math.isnan(slope):
        return NAN, NAN, NAN
    fit = divide(slope * float(away_x @ away_y), float(away_y @ away_y))
    return slope, float(y.mean() - slope * x.mean()), fit


@kernel
def _sharpe(total: Any, squares: Any, n: Any) -> Any:
    mean = total / n
    variance = (squares - total * mean) / (n - 1)
    if variance <= FLAT * mean * mean:
        return 0.0
    return mean / np.sqrt(variance)


@kernel
def _cuts(masks: Any, half: Any, n: Any, lower: Any, upper: Any, chosen: Any, found: Any) -> None:
    """Fill past, future and rank (from 1, ties in the middle) of the best of each past."""
    k = lower.shape[2]
    full = (1 << half) - 1
    future = np.empty(k)
    for c in range(masks.size):
        low = masks[c] & full
        high = masks[c] >> half
        past_low, past_high = lower[low], upper[high]
        next_low, next_high = lower[full - low], upper[full - high]
        best = 0
        highest = -np.inf
        for j in range(k):
            value = _sharpe(
                past_low[0, j] + past_high[0, j], past_low[1, j] + past_high[1, j], n
            )
            if value > highest:
                highest = value
                best = j
            future[j] = _sharpe(
                next_low[0, j] + next_high[0, j], next_low[1, j] + next_high[1, j], n
            )
        below = 0
        equal = 0
        for j in range(k):
            if future[j] < future[best]:
                below += 1
            elif future[j] == future[best]:
                equal += 1
        chosen[c] = best
        found[c, 0] = highest
        found[c, 1] = future[best]
        found[c, 2] = below + (equal + 1) / 2.0
