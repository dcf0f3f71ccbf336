"""How long the blocks of a block bootstrap should be, read from the data themselves."""

import math

import numpy as np

from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.scoring.bootstrap import KINDS, Kind

BOUND = 2.0
"""Correlations below this many deviations of noise count as none."""


def block_length(series: FloatArray, kind: Kind = "stationary") -> float:
    """Return the block length at which the variance of the mean is estimated best.

    Parameters
    ----------
    series : ndarray of float64, shape (n,)
        Returns, say, n >= 2.
    kind : {"moving", "stationary"}
        Blocks of one length on a circle, or of geometric lengths with this mean.

    Returns
    -------
    float
        In [1, min(3 sqrt(n), n / 3)]; 1 where nothing is correlated or the series is constant.

    Raises
    ------
    ValueError
        If the series is too short or not finite, or the kind unknown.

    Notes
    -----
    Source: Politis, White, "Automatic block-length selection for the dependent bootstrap",
    Econometric Reviews 23, 2004, with the correction by Patton, Politis, White, Econometric
    Reviews 28, 2009.
    """
    if kind not in KINDS:
        raise ValueError(unknown("kind", kind, KINDS))
    n = series.size
    if n < 2 or not np.isfinite(series).all():
        raise ValueError(f"series must be finite and of length >= 2, was of length {n}")
    quiet = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(n - 1, math.ceil(math.sqrt(n)) + quiet)
    covariance = _autocovariance(series, most)
    if not covariance[0] > 0.0:
        return 1.0
    bandwidth = min(2 * _last_lag(covariance / covariance[0], n, quiet), most)
    lags = np.arange(1, bandwidth + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / bandwidth))  # flat in its inner half
    density = covariance[0] + 2.0 * float(window @ covariance[lags])
    slope = 2.0 * float((window * lags) @ covariance[lags])
    scale = (2.0 if kind == "stationary" else 4.0 / 3.0) * density**2
    longest = max(1.0, min(math.ceil(3.0 * math.sqrt(n)), n / 3.0))
    if not scale > 0.0:
        return longest
    return float(min(max((2.0 * slope**2 / scale * n) ** (1.0 / 3.0), 1.0), longest))


def _autocovariance(series: FloatArray, most: int) -> FloatArray:
    away = series - series.mean()
    n = away.size
    found: FloatArray = np.array([away[lag:] @ away[: n - lag] for lag in range(most + 1)]) / n
    return found


def _last_lag(correlation: FloatArray, n: int, quiet: int) -> int:
    """Return the lag after which `quiet` lags in a row show nothing, >= 1."""
    bound = BOUND * math.sqrt(math.log10(n) / n)
    loud = np.flatnonzero(np.abs(correlation[1:]) >= bound) + 1
    last = 0
    for lag in loud:
        if lag - last > quiet:
            break
        last = int(lag)
    return max(last, 1)
