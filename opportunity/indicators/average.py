"""Averages of the close: exponential and simple."""

from typing import Any, Final

import numpy as np

from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

EMA: Final = np.dtype([("n", "i8"), ("value", "f8")], align=True)
"""State of one stream: values seen, and their sum (warming up) or the average."""

SMA: Final = np.dtype([("n", "i8"), ("at", "i8"), ("total", "f8")], align=True)
"""State of one stream: values seen, next place in the ring, sum of the ring."""


@kernel
def ema_step(s: Any, period: Any, x: Any) -> Any:
    """Advance one stream by one value; return the average, NaN on the first `period - 1`."""
    s.n += 1
    if s.n < period:
        s.value += x
        return np.nan
    if s.n == period:
        s.value = (s.value + x) / period
    else:
        s.value += (x - s.value) * (2.0 / (period + 1.0))
    return s.value


@kernel
def sma_step(s: Any, ring: Any, x: Any) -> Any:
    """Advance one stream by one value; return the mean of the last `ring.size` values.

    `ring` holds the window and starts at zero; its size is the period. NaN until it is full.
    """
    s.n += 1
    s.total += x - ring[s.at]
    ring[s.at] = x
    s.at += 1
    if s.at == ring.size:
        s.at = 0
        # Once a round the sum is made anew: otherwise its rounding errors would grow for ever.
        s.total = 0.0
        for i in range(ring.size):
            s.total += ring[i]
    if s.n < ring.size:
        return np.nan
    return s.total / ring.size


@kernel
def _run_ema(states: Any, period: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.size):
        out[i] = ema_step(s, period, values[i, 3])


@kernel
def _run_sma(states: Any, ring: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.size):
        out[i] = sma_step(s, ring, values[i, 3])


def ema(bars: Bars, period: int = 20) -> FloatArray:
    """Average the close with exponentially falling weights.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads to all later rows).
    period : int
        Span in bars, >= 2; the newest close weighs 2 / (period + 1).

    Returns
    -------
    ndarray of shape (n_bars,)
        Quote currency; NaN on the first `period - 1` bars.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [2, 100000].

    Notes
    -----
    Causal, one pass, equal to feeding `ema_step`. Equals TA-Lib's EMA: the first value is the
    mean of the first `period` closes. Source: Roberts, Control Chart Tests Based on Geometric
    Moving Averages, Technometrics, 1959.
    """
    period = require_period(period)
    out = np.empty(len(bars))
    _run_ema(np.zeros(1, EMA), period, bars.values, out)
    return out


def sma(bars: Bars, period: int = 20) -> FloatArray:
    """Average the last `period` closes with equal weights.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads over its windows).
    period : int
        Window in bars, >= 2.

    Returns
    -------
    ndarray of shape (n_bars,)
        Quote currency; NaN on the first `period - 1` bars.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [2, 100000].

    Notes
    -----
    Causal, one pass over a running sum that is made anew once a window, equal to feeding
    `sma_step`. Equals TA-Lib's SMA to rounding. Source: textbook arithmetic mean.
    """
    period = require_period(period)
    out = np.empty(len(bars))
    _run_sma(np.zeros(1, SMA), np.zeros(period), bars.values, out)
    return out
