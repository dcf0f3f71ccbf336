"""Moving average convergence/divergence: two exponential averages and their distance."""

from typing import Any, Final, NamedTuple

import numpy as np

from opportunity.indicators.average import EMA, ema_step
from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

MACD: Final = np.dtype(
    [
        ("n", "i8"),
        ("fast", EMA),
        ("slow", EMA),
        ("average", EMA),
        ("line", "f8"),
        ("signal", "f8"),
        ("histogram", "f8"),
    ],
    align=True,
)
"""State of one stream; `line`, `signal` and `histogram` are its newest values or NaN."""


class Macd(NamedTuple):
    """The three lines, each an array of shape (n_bars,) in quote currency."""

    line: FloatArray
    signal: FloatArray
    histogram: FloatArray


@kernel
def macd_step(s: Any, fast: Any, slow: Any, signal: Any, x: Any) -> Any:
    """Advance one stream by one value; return the histogram, NaN until all three exist."""
    s.n += 1
    s.line = np.nan
    s.signal = np.nan
    s.histogram = np.nan
    late = ema_step(s.slow, slow, x)
    if s.n <= slow - fast:
        # TA-Lib's rule: both averages are seeded on the same bar, each by its last values.
        return np.nan
    line = ema_step(s.fast, fast, x) - late
    if s.n < slow:
        return np.nan
    average = ema_step(s.average, signal, line)
    if s.average.n >= signal:
        s.line = line
        s.signal = average
        s.histogram = line - average
    return s.histogram


@kernel
def _run(states: Any, fast: Any, slow: Any, signal: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.shape[1]):
        macd_step(s, fast, slow, signal, values[i, 3])
        out[0, i] = s.line
        out[1, i] = s.signal
        out[2, i] = s.histogram


def macd(bars: Bars, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Measure the distance of two exponential averages of the close.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite (a NaN spreads to all later rows).
    fast, slow, signal : int
        Spans in bars: of the two averages, 2 <= fast < slow, and of the signal line, >= 1.

    Returns
    -------
    Macd
        `line` = EMA fast - EMA slow, `signal` = EMA of the line, `histogram` = their
        difference; NaN on the first `slow + signal - 2` bars, all three alike.

    Raises
    ------
    TypeError, ValueError
        If a span is not an integer in its range, or fast is not below slow.

    Notes
    -----
    Causal, one pass, equal to feeding `macd_step`. Equals TA-Lib's MACD: the fast average is
    seeded by the last `fast` of the first `slow` closes, so early values differ a little from
    the difference of two `ema`. Source: Appel, The Moving Average Convergence-Divergence
    Trading Method, 1979.
    """
    fast, slow = require_period(fast, name="fast"), require_period(slow, name="slow")
    signal = require_period(signal, least=1, name="signal")
    if fast >= slow:
        raise ValueError(f"fast must be below slow ({slow}), was {fast}")
    out = np.empty((3, len(bars)))
    _run(np.zeros(1, MACD), fast, slow, signal, bars.values, out)
    return Macd(*out)
