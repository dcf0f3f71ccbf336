"""What a curve of equity tells by itself: returns, years, drawdowns, tails and moments."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray

YEAR_MS: Final = 365.25 * DAY_MS

NAN: Final = float("nan")

FLAT: Final = 1e-12
"""Variance below this part of the squared mean is rounding: no dispersion at all."""


def step_ms(time: TimeArray) -> float:
    """Return the median distance of ascending times, ms; NaN with fewer than two."""
    if time.size < 2:
        return NAN
    steps = np.diff(time)
    if (steps == steps[0]).all():  # as a rule; a median of half a million takes its time
        return float(steps[0])
    return float(np.median(steps))


def annual_factor(time: TimeArray) -> float:
    """Return how many bars a year has: 365.25 days by the median step; NaN with one bar.

    A market that closes at weekends has fewer: this counts its steps as if it never did.
    """
    return YEAR_MS / step_ms(time)


def years_of(time: TimeArray) -> float:
    """Return the years from the open of the first bar to the close of the last, gaps included.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms, ascending; the first bar is taken to be as long as the median step.

    Returns
    -------
    float
        Years of 365.25 days; NaN with fewer than two bars.
    """
    if time.size < 2:
        return NAN
    return float((time[-1] - time[0] + step_ms(time)) / YEAR_MS)


def growth_per_year(ratio: float, years: float) -> float:
    """Return the compound annual growth rate of final by initial equity.

    -1 where nothing is left; NaN where it is undefined or too large to be a number.
    """
    if not years > 0.0 or math.isnan(ratio):
        return NAN
    if ratio <= 0.0:
        return -1.0
    exponent = math.log(ratio) / years
    return math.expm1(exponent) if exponent < 700.0 else NAN


def divide(above: float, below: float) -> float:
    """Return a ratio, NaN where the divisor is not above zero or nothing is known."""
    return above / below if below > 0.0 else NAN


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Returns and drawdowns of an equity curve.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_bars,)
        Of each bar; the first against the initial cash. 0 where nothing was left before.
    drawdown : float
        Deepest, fraction of the peak, >= 0; the initial cash is the first peak.
    drawdown_money : float
        Largest fall from a peak, quote currency, >= 0.
    longest_bars : int
        Most bars in a row below a peak.
    longest_ms : int
        Longest time from a peak to the last bar below it.
    """

    returns: FloatArray
    drawdown: float
    drawdown_money: float
    longest_bars: int
    longest_ms: int


def trace(time: TimeArray, equity: FloatArray, cash: float) -> Curve:
    """Walk an equity curve once.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms, ascending.
    equity : ndarray of float64, shape (n_bars,)
        At those closes, quote currency.
    cash : float
        Before the first bar, > 0.

    Raises
    ------
    ValueError
        If lengths differ, nothing is there, or cash is not above zero.
    """
    if time.size != equity.size or not time.size:
        raise ValueError(
            f"time and equity must be of equal length > 0, were {time.size} and {equity.size}"
        )
    if not cash > 0.0:
        raise ValueError(f"cash must be > 0, was {cash}")
    returns = np.empty(equity.size)
    start = int(time[0] - (step_ms(time) if time.size > 1 else 0))
    found = _trace(time, np.ascontiguousarray(equity), float(cash), start, returns)
    return Curve(returns, float(found[0]), float(found[1]), int(found[2]), int(found[3]))


@kernel
def _trace(time: Any, equity: Any, cash: Any, start: Any, returns: Any) -> Any:
    before = cash
    peak = cash
    peak_at = start
    deepest = 0.0
    money = 0.0
    under = 0
    most = 0
    longest = 0
    for i in range(equity.size):
        value = equity[i]
        returns[i] = value / before - 1.0 if before > 0.0 else 0.0
        before = value
        if value >= peak:
            peak = value
            peak_at = time[i]
            under = 0
        else:
            under += 1
            most = max(most, under)
            longest = max(longest, time[i] - peak_at)
            deepest = max(deepest, 1.0 - value / peak)
            money = max(money, peak - value)
    return deepest, money, most, longest


def dispersion(variance: float, mean: float) -> float:
    """Return the standard deviation, 0 where the variance is nothing but rounding."""
    return math.sqrt(variance) if variance > FLAT * mean * mean else 0.0


def deviation(returns: FloatArray) -> float:
    """Return the sample standard deviation (n - 1); 0 for constant returns, NaN for one."""
    if returns.size < 2:
        return NAN
    return dispersion(float(returns.var(ddof=1)), float(returns.mean()))


def sharpe(returns: FloatArray) -> float:
    """Return the Sharpe ratio per bar: mean by standard deviation; NaN without dispersion.

    The risk-free rate is 0. Source: Sharpe, "The Sharpe ratio", Journal of Portfolio Management
    21, 1994.
    """
    return divide(float(returns.mean()), deviation(returns)) if returns.size else NAN


def moments(returns: FloatArray) -> tuple[float, float]:
    """Return skewness and kurtosis (3 for a normal distribution, not the excess over it).

    Those of the sample itself, without a correction for its size; NaN without dispersion.
    """
    if not deviation(returns) > 0.0:
        return NAN, NAN
    second, third, fourth = (x / returns.size for x in _powers(returns, float(returns.mean())))
    return third / second**1.5, fourth / second**2


@kernel
def _powers(values: Any, mean: Any) -> Any:
    second = 0.0
    third = 0.0
    fourth = 0.0
    for i in range(values.size):
        away = values[i] - mean
        square = away * away
        second += square
        third += square * away
        fourth += square * square
    return second, third, fourth


def tails(returns: FloatArray, share: float) -> tuple[float, float]:
    """Return value at risk and expected shortfall of one bar, as losses (positive).

    Parameters
    ----------
    returns : ndarray of float64, shape (n,)
    share : float
        Of the worst bars, (0, 1): 0.05 for what is called VaR 95.

    Returns
    -------
    tuple of float
        Minus the quantile (linear between neighbours), and minus the mean of the worst bars,
        the last one counted in part where `share * n` is not whole. Negative where even those
        bars gained; NaN without returns.

    Notes
    -----
    Historical: no distribution is assumed. Source of the shortfall: Acerbi, Tasche, "On the
    coherence of expected shortfall", Journal of Banking & Finance 26, 2002.
    """
    n = returns.size
    if not n:
        return NAN, NAN
    wanted = share * n
    place = share * (n - 1)
    last = min(n - 1, max(math.ceil(wanted), math.floor(place) + 1))
    worst = np.sort(np.partition(returns, last)[: last + 1])
    low = math.floor(place)
    high = min(low + 1, n - 1)
    quantile = worst[low] + (place - low) * (worst[high] - worst[low])
    whole = math.floor(wanted)
    total = worst[:whole].sum() + (wanted - whole) * worst[min(whole, n - 1)]
    return -float(quantile), -float(total / wanted)


def returns_by(time: TimeArray, equity: FloatArray, cash: float, period: int) -> FloatArray:
    """Return the returns of whole periods, such as days: what guards should look at.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms, ascending; what closes at midnight belongs to the day before.
    equity : ndarray of float64, shape (n_bars,)
    cash : float
        Before the first bar, > 0.
    period : int
        Length, ms, on the grid of the epoch. Periods without a bar are left out.

    Returns
    -------
    ndarray of float64, shape (n_periods,)
    """
    last = np.append(np.flatnonzero(np.diff((time - 1) // period)), time.size - 1)
    return trace(time[last], equity[last], cash).returns


def days_of(time: TimeArray, equity: FloatArray, cash: float, length: int) -> FloatArray:
    """Return the returns of UTC days with a bar; of bars of `length` ms where they are longer."""
    if length >= DAY_MS:
        return trace(time, equity, cash).returns
    return returns_by(time, equity, cash, DAY_MS)
