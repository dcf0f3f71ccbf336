"""Parabolic stop and reverse: a stop that follows the trend ever more closely."""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

SAR: Final = np.dtype(
    [
        ("n", "i8"),
        ("age", "i8"),
        ("side", "i1"),
        ("flipped", "i1"),
        ("high", "f8"),
        ("low", "f8"),
        ("ep", "f8"),
        ("af", "f8"),
        ("next", "f8"),
    ],
    align=True,
)
"""State of one stream after its newest bar: `side` +1 long or -1 short (0 before the second
bar), `flipped` 1 if it turned on this bar, `age` bars since it turned, `ep` the extreme price of
the swing, `af` the acceleration, `next` the stop for the bar to come."""


@kernel
def _begin(s: Any, start: Any, high: Any, low: Any) -> None:
    """Choose the first side on the second bar, by TA-Lib's rule: ties and inside bars are long."""
    down = s.low - low
    if down > 0.0 and down > high - s.high:
        s.side = -1
        s.ep = low
        s.next = s.high
    else:
        s.side = 1
        s.ep = high
        s.next = s.low
    s.af = start
    # The bar stands for its own predecessor in the clamp below.
    s.high = high
    s.low = low


@kernel
def sar_step(s: Any, start: Any, step: Any, maximum: Any, high: Any, low: Any) -> Any:
    """Advance one stream by one bar; return the stop in force on it, NaN on the first bar."""
    s.n += 1
    s.flipped = 0
    if s.n == 1:
        s.high = high
        s.low = low
        return np.nan
    if s.n == 2:
        _begin(s, start, high, low)
    else:
        s.age += 1
    stop = s.next
    top = max(s.high, high)
    bottom = min(s.low, low)
    if (s.side > 0 and low <= stop) or (s.side < 0 and high >= stop):
        # Turn: the extreme of the finished swing becomes the stop, outside the last two bars.
        stop = max(s.ep, top) if s.side > 0 else min(s.ep, bottom)
        s.side = -s.side
        s.ep = high if s.side > 0 else low
        s.af = start
        s.flipped = 1
        s.age = 0
    elif (s.side > 0 and high > s.ep) or (s.side < 0 and low < s.ep):
        s.ep = high if s.side > 0 else low
        s.af = min(s.af + step, maximum)
    following = stop + s.af * (s.ep - stop)
    s.next = min(following, bottom) if s.side > 0 else max(following, top)
    s.high = high
    s.low = low
    return stop


@kernel
def _run(states: Any, start: Any, step: Any, maximum: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.size):
        out[i] = sar_step(s, start, step, maximum, values[i, 1], values[i, 2])


def sar(
    bars: Bars, start: float = 0.02, step: float = 0.02, maximum: float = 0.2
) -> FloatArray:
    """Follow the market with Wilder's parabolic stop.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite.
    start, step, maximum : float
        Acceleration at a turn, its increase at each new extreme, and its limit: fractions of
        the distance to the extreme per bar, 0 < start <= maximum <= 1 and 0 <= step <= maximum.

    Returns
    -------
    ndarray of shape (n_bars,)
        Stop in force on each bar, quote currency: below the bar while long, above it while
        short, and on the bar of a turn already on the new side. NaN on the first bar.

    Raises
    ------
    ValueError
        If an acceleration is out of its range.

    Notes
    -----
    Causal, one pass, equal to feeding `sar_step`. Equals TA-Lib's SAR (`start` equal to `step`):
    the stop never enters the range of the last two bars, and a touch is enough to turn. The
    start is not symmetric: an inside bar or a tie begins long. Source: Wilder, New Concepts in
    Technical Trading Systems, 1978.
    """
    if not 0.0 < maximum <= 1.0:
        raise ValueError(f"maximum must be in (0, 1], was {maximum}")
    if not 0.0 < start <= maximum:
        raise ValueError(f"start must be in (0, {maximum}], was {start}")
    if not 0.0 <= step <= maximum:
        raise ValueError(f"step must be in [0, {maximum}], was {step}")
    out = np.empty(len(bars))
    _run(np.zeros(1, SAR), float(start), float(step), float(maximum), bars.values, out)
    return out
