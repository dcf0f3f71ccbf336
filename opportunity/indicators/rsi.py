"""Relative strength index: how much of the recent movement was upward."""

from typing import Any, Final

import numpy as np

from opportunity.indicators.atr import TINY
from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

RSI: Final = np.dtype([("n", "i8"), ("close", "f8"), ("gain", "f8"), ("loss", "f8")], align=True)
"""State of one stream: closes seen, the last one, and sums (warming up) or averages."""


@kernel
def rsi_step(s: Any, period: Any, x: Any) -> Any:
    """Advance one stream by one value; return the index, NaN on the first `period` values."""
    s.n += 1
    change = x - s.close
    s.close = x
    if s.n == 1:
        return np.nan
    gain = max(change, 0.0)
    loss = max(-change, 0.0)
    if s.n <= period:
        s.gain += gain
        s.loss += loss
        return np.nan
    if s.n == period + 1:
        s.gain = (s.gain + gain) / period
        s.loss = (s.loss + loss) / period
    else:
        s.gain += (gain - s.gain) * (1.0 / period)
        s.loss += (loss - s.loss) * (1.0 / period)
    moved = s.gain + s.loss
    if moved < TINY:
        s.gain = 0.0
        s.loss = 0.0
        return 0.0
    return 100.0 * s.gain / moved


@kernel
def _run(states: Any, period: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.size):
        out[i] = rsi_step(s, period, values[i, 3])


def rsi(bars: Bars, period: int = 14) -> FloatArray:
    """Measure the share of upward movement of the close.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads to all later rows).
    period : int
        Number of changes in the first average and in Wilder's smoothing, >= 2.

    Returns
    -------
    ndarray of shape (n_bars,)
        In [0, 100]; NaN on the first `period` bars; 0 while no change was ever seen.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [2, 100000].

    Notes
    -----
    Causal, one pass, equal to feeding `rsi_step`. Equals TA-Lib's RSI, its 0 for a flat market
    included; TA-Lib also calls averages below 1e-14 zero, which would make the index depend on
    the unit of the price, so here only zero is zero. Source: Wilder, New Concepts in Technical
    Trading Systems, 1978.
    """
    period = require_period(period)
    out = np.empty(len(bars))
    _run(np.zeros(1, RSI), period, bars.values, out)
    return out
