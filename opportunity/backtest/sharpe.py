"""How sure a Sharpe ratio is: of its length, of its shape, and of how many were tried.

All Sharpe ratios here are per period, never a year's; kurtosis is 3 for a normal distribution.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from opportunity.backtest.curve_metrics import NAN, moments
from opportunity.backtest.curve_metrics import sharpe as sharpe_of
from opportunity.market.bars import FloatArray

EULER: Final = 0.5772156649015329
NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Sample:
    """A Sharpe ratio and what its error depends on.

    Parameters
    ----------
    sharpe : float
        Per period.
    n : int
        Periods, >= 2.
    skew : float
        Of the returns.
    kurtosis : float
        Of the returns, not the excess: 3 for a normal distribution, >= 1.

    Raises
    ------
    ValueError
        If n or kurtosis is out of its range.
    """

    sharpe: float
    n: int
    skew: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ValueError(f"n must be >= 2 periods, was {self.n}")
        if self.kurtosis < 1.0:
            raise ValueError(
                f"kurtosis must be >= 1 (not the excess over 3), was {self.kurtosis}"
            )

    @classmethod
    def of(cls, returns: FloatArray) -> "Sample":
        """Measure returns; NaN where they do not vary."""
        skew, kurtosis = moments(returns)
        return cls(sharpe_of(returns), returns.size, skew, kurtosis)

    @property
    def spread(self) -> float:
        """Variance of the Sharpe ratio times n - 1; NaN where the shape leaves none."""
        variance = (
            1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2
        )
        return variance if variance > 0.0 else NAN


def probabilistic_sharpe(sample: Sample, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    Parameters
    ----------
    sample : Sample
    benchmark : float
        Sharpe ratio per period.

    Returns
    -------
    float
        In [0, 1]; NaN where it is undefined.

    Notes
    -----
    Source: Bailey, Lopez de Prado, "The Sharpe ratio efficient frontier", Journal of Risk 15,
    2012. Returns are taken as independent; those of neighbouring short bars are not.
    """
    z = (sample.sharpe - benchmark) * math.sqrt(sample.n - 1) / math.sqrt(sample.spread)
    return NAN if math.isnan(z) else NORMAL.cdf(z)


def min_track_record(sample: Sample, benchmark: float = 0.0, level: float = 0.95) -> float:
    """Return how many periods this Sharpe ratio needs to be above a benchmark for sure.

    Parameters
    ----------
    sample : Sample
    benchmark : float
        Sharpe ratio per period.
    level : float
        How sure, (0.5, 1).

    Returns
    -------
    float
        Periods; NaN where the ratio is not above the benchmark, so that no length is enough.

    Notes
    -----
    Source: as `probabilistic_sharpe`.
    """
    if not 0.5 < level < 1.0:
        raise ValueError(f"level must be in (0.5, 1), was {level}")
    above = sample.sharpe - benchmark
    if not above > 0.0:
        return NAN
    return 1.0 + sample.spread * (NORMAL.inv_cdf(level) / above) ** 2


def expected_best(n_trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of many trials without any skill would show.

    Parameters
    ----------
    n_trials : int
        Independent trials, >= 1; one is expected to show none.
    variance : float
        Of the Sharpe ratios of the trials, per period, >= 0.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Notes
    -----
    Source: Bailey, Lopez de Prado, "The deflated Sharpe ratio", Journal of Portfolio Management
    40, 2014.
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be >= 1, was {n_trials}")
    if not variance >= 0.0:
        raise ValueError(f"variance must be >= 0, was {variance}")
    if n_trials == 1:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / n_trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (n_trials * math.e))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(sample: Sample, n_trials: int, variance: float) -> float:
    """Return the probability that a Sharpe ratio chosen from many is above what luck shows.

    Parameters
    ----------
    sample : Sample
        Of the chosen one.
    n_trials : int
        How many it was chosen from, >= 1; similar ones counted singly make it too strict.
    variance : float
        Of the Sharpe ratios of all trials, per period.

    Returns
    -------
    float
        In [0, 1]; NaN where it is undefined.

    Notes
    -----
    Source: as `expected_best`.
    """
    return probabilistic_sharpe(sample, expected_best(n_trials, variance))


def trial_variance(sharpes: FloatArray) -> float:
    """Return the variance of trials' Sharpe ratios, those without one left out; NaN for one."""
    known = sharpes[np.isfinite(sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else NAN
