"""Average directional index: how one-sided the recent range was, and to which side."""

from typing import Any, Final, NamedTuple

import numpy as np

from opportunity.indicators.atr import TINY, true_range
from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

ADX: Final = np.dtype(
    [
        ("n", "i8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("plus_dm", "f8"),
        ("minus_dm", "f8"),
        ("range", "f8"),
        ("total", "f8"),
        ("adx", "f8"),
        ("plus_di", "f8"),
        ("minus_di", "f8"),
    ],
    align=True,
)
"""State of one stream; `adx`, `plus_di` and `minus_di` are its newest values or NaN."""


class Adx(NamedTuple):
    """The index and the two directional indicators, arrays of shape (n_bars,) in [0, 100]."""

    adx: FloatArray
    plus_di: FloatArray
    minus_di: FloatArray


@kernel
def _move(s: Any, period: Any, high: Any, low: Any) -> None:
    """Take the bar's directional movement and true range into the three running sums."""
    up = high - s.high
    down = s.low - low
    if s.n > period:
        part = 1.0 / period
        s.plus_dm -= s.plus_dm * part
        s.minus_dm -= s.minus_dm * part
        s.range -= s.range * part
    # Movement counts to the side that reached farther; an equal reach counts to neither.
    if up > down and up > 0.0:
        s.plus_dm += up
    if down > up and down > 0.0:
        s.minus_dm += down
    s.range += true_range(s.close, high, low)
    if s.range < TINY:
        s.plus_dm = 0.0
        s.minus_dm = 0.0
        s.range = 0.0


@kernel
def adx_step(s: Any, period: Any, high: Any, low: Any, close: Any) -> Any:
    """Advance one stream by one bar; return the index, NaN on the first `2 period - 1` bars."""
    s.n += 1
    if s.n == 1:
        s.adx = np.nan
        s.plus_di = np.nan
        s.minus_di = np.nan
    else:
        _move(s, period, high, low)
    s.high = high
    s.low = low
    s.close = close
    if s.n <= period:
        return s.adx
    known = s.range > 0.0
    s.plus_di = 100.0 * (s.plus_dm / s.range) if known else 0.0
    s.minus_di = 100.0 * (s.minus_dm / s.range) if known else 0.0
    both = s.plus_di + s.minus_di
    index = 100.0 * (abs(s.plus_di - s.minus_di) / both) if both > 0.0 else 0.0
    if s.n <= 2 * period:
        s.total += index
        if s.n == 2 * period:
            s.adx = s.total / period
    elif both > 0.0:  # without any movement the index stays where it was, as in TA-Lib
        s.adx += (index - s.adx) * (1.0 / period)
    return s.adx


@kernel
def _run(states: Any, period: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.shape[1]):
        out[0, i] = adx_step(s, period, values[i, 1], values[i, 2], values[i, 3])
        out[1, i] = s.plus_di
        out[2, i] = s.minus_di


def adx(bars: Bars, period: int = 14) -> Adx:
    """Measure how strong the direction of the market is, and both directions.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads to all later rows).
    period : int
        Number of bars in the sums and in Wilder's smoothing, >= 2.

    Returns
    -------
    Adx
        `adx` in [0, 100], NaN on the first `2 period - 1` bars; `plus_di` and `minus_di` in
        [0, 100], NaN on the first `period`. Zero where no range was ever seen.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [2, 100000].

    Notes
    -----
    Causal, one pass, equal to feeding `adx_step`. Equals TA-Lib's ADX, PLUS_DI and MINUS_DI,
    save that TA-Lib calls sums below 1e-14 zero, which depends on the unit of the price.
    Source: Wilder, New Concepts in Technical Trading Systems, 1978.
    """
    period = require_period(period)
    out = np.empty((3, len(bars)))
    _run(np.zeros(1, ADX), period, bars.values, out)
    return Adx(*out)
