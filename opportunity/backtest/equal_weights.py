"""Compare a run with one of equal weights: could chance alone have made the difference."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.backtest.blocks import block_length
from opportunity.backtest.curve_metrics import FLAT, NAN
from opportunity.backtest.curve_metrics import sharpe as sharpe_of
from opportunity.market.bars import FloatArray
from opportunity.scoring.bootstrap import LEVEL, draw_blocks, interval

N_DRAWS: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class SharpeDifference:
    """How much better one run's Sharpe ratio is than another's.

    Parameters
    ----------
    difference : float
        Per period; NaN where one of them did not vary.
    low, high : float
        Bounds of 95 % of the draws.
    better : float
        Share of draws with a difference above zero, in [0, 1].
    block : int
        Periods that were drawn together.
    """

    difference: float
    low: float
    high: float
    better: float
    block: int


def sharpe_difference(
    returns: FloatArray,
    benchmark: FloatArray,
    block: int | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> SharpeDifference:
    """Compare two runs over the same periods by drawing blocks of both at once.

    Parameters
    ----------
    returns, benchmark : ndarray of float64, shape (n,)
        Of the same periods, n >= 2.
    block : int, optional
        Periods drawn together; from the longer memory of the two without it.
    n_draws : int
    seed : int
        The same seed draws the same blocks.

    Raises
    ------
    ValueError
        If lengths differ or a number is out of its range.

    Notes
    -----
    Bounds are percentiles, not studentised. Sources: Ledoit, Wolf, "Robust performance
    hypothesis testing with the Sharpe ratio", Journal of Empirical Finance 15, 2008 (paired
    blocks); DeMiguel, Garlappi, Uppal, "Optimal versus naive diversification: how inefficient is
    the 1/N portfolio strategy?", Review of Financial Studies 22, 2009 (why equal weights).
    """
    if returns.shape != benchmark.shape or returns.size < 2:
        raise ValueError(
            "returns and benchmark must be of equal length >= 2, "
            f"were {returns.shape} and {benchmark.shape}"
        )
    if block is None:
        both = (returns, benchmark)
        block = max(int(np.ceil(block_length(x, "moving"))) for x in both)
    columns = np.column_stack([returns, returns**2, benchmark, benchmark**2])
    sums = draw_blocks(returns.size, block, n_draws, seed).sums(columns)
    draws = _sharpes(sums[:, :2], returns.size) - _sharpes(sums[:, 2:], returns.size)
    known = draws[np.isfinite(draws)]
    found = sharpe_of(returns) - sharpe_of(benchmark)
    if not known.size:
        return SharpeDifference(found, NAN, NAN, NAN, block)
    low, high = interval(known, LEVEL)
    return SharpeDifference(found, float(low), float(high), float((known > 0.0).mean()), block)


def _sharpes(sums: FloatArray, n: int) -> FloatArray:
    mean = sums[:, 0] / n
    variance = (sums[:, 1] - n * mean * mean) / (n - 1)
    varied = variance > FLAT * mean * mean
    return np.where(varied, mean / np.sqrt(np.where(varied, variance, 1.0)), np.nan)
