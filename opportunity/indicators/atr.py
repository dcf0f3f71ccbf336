"""Average true range: how far price travels in a bar, the unit of every distance here."""

from typing import Any, Final

import numpy as np

from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

ATR: Final = np.dtype([("n", "i8"), ("close", "f8"), ("value", "f8")], align=True)
"""State of one stream: bars seen, last close, and the sum (warming up) or the average."""

TINY: Final = 1e-290
"""Below this an average is 0: about 9,000 still bars after a move it would turn subnormal, stop
shrinking, and every distance divided by it would overflow."""


@kernel
def true_range(close_before: Any, high: Any, low: Any) -> Any:
    """Return the largest of the bar's range and its reach from the close before it."""
    return max(high - low, abs(high - close_before), abs(low - close_before))


@kernel
def atr_step(s: Any, period: Any, high: Any, low: Any, close: Any) -> Any:
    """Advance one stream by one bar; return the average, NaN on the first `period` bars."""
    s.n += 1
    before = s.close
    s.close = close
    if s.n == 1:
        return np.nan
    reach = true_range(before, high, low)
    if s.n <= period:
        s.value += reach
        return np.nan
    if s.n == period + 1:
        s.value = (s.value + reach) / period
    else:
        s.value += (reach - s.value) * (1.0 / period)
    if s.value < TINY:
        s.value = 0.0
    return s.value


@kernel
def _run(states: Any, period: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.size):
        out[i] = atr_step(s, period, values[i, 1], values[i, 2], values[i, 3])


def atr(bars: Bars, period: int = 14) -> FloatArray:
    """Average the true range with Wilder's smoothing.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads to all later rows).
    period : int
        Number of true ranges in the first average and in the smoothing, >= 1.

    Returns
    -------
    ndarray of shape (n_bars,)
        Quote currency, >= 0; NaN on the first `period` bars.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [1, 100000].

    Notes
    -----
    Causal, one pass, equal to feeding `atr_step`. Equals TA-Lib's ATR: the first value is the
    mean of the first `period` true ranges, then value += (true range - value) / period. Source:
    Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    period = require_period(period, least=1)
    out = np.empty(len(bars))
    _run(np.zeros(1, ATR), period, bars.values, out)
    return out
