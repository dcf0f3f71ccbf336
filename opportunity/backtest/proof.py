"""From results to what guards are asked about: daily returns, beside those of equal weights."""

import numpy as np

from opportunity.backtest.curve_metrics import days_of, sharpe
from opportunity.backtest.guards import Evidence
from opportunity.backtest.result import BacktestResult
from opportunity.backtest.sharpe import trial_variance
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, length_ms
from opportunity.storage.judged import TrialCount


def daily_returns(result: BacktestResult) -> FloatArray:
    """Return the returns of UTC days with a bar; those of the bars where they are longer."""
    return days_of(result.time, result.equity, result.setup.cash, length_ms(result.base))


def evidence_of(
    result: BacktestResult,
    equal: BacktestResult | None = None,
    n_trials: int | TrialCount = 1,
    matrix: FloatArray | None = None,
) -> Evidence:
    """Gather what guards are asked about.

    Parameters
    ----------
    result : BacktestResult
        Of the chosen weights.
    equal : BacktestResult, optional
        The same run with equal weights; without it that guard does not pass.
    n_trials : int or TrialCount
        How many were tried on this data set, this one too, >= 1. A count (`SearchResult.trials`)
        knows how far they were apart, too; the larger of that and what `matrix` shows is taken.
    matrix : ndarray of float64, shape (n_days, n_configurations), optional
        `daily_returns` of the configurations that it was chosen from, e.g. by `peers_of`.

    Raises
    ------
    ValueError
        If the run with equal weights is not over the same bars.
    """
    benchmark = None
    if equal is not None:
        if not np.array_equal(equal.time, result.time):
            raise ValueError(
                f"equal weights must be run over the same {len(result)} bars, were over "
                f"{len(equal)}, or at other times"
            )
        benchmark = daily_returns(equal)
    returns, variance = daily_returns(result), None
    if isinstance(n_trials, TrialCount):
        variance = _apart(n_trials.variance(returns.size), matrix)
        n_trials = n_trials.n
    return Evidence(
        returns, len(result.trades), n_trials, variance=variance, matrix=matrix,
        benchmark=benchmark, period="day" if length_ms(result.base) <= DAY_MS else "bar",
    )


def _apart(counted: float, matrix: FloatArray | None) -> float:
    """Return the larger variance that is known; an optimiser's trials are nearly the same."""
    known = [counted]
    if matrix is not None:
        known.append(trial_variance(np.array([sharpe(column) for column in matrix.T])))
    return max((v for v in known if v == v), default=float("nan"))
