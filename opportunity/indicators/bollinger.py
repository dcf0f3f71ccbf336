"""Bollinger bands: a moving average and how far the closes scatter around it."""

from typing import Any, Final, NamedTuple

import numpy as np

from opportunity.indicators.period import require_period
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray

BOLLINGER: Final = np.dtype(
    [
        ("n", "i8"),
        ("at", "i8"),
        ("mean", "f8"),
        ("squares", "f8"),
        ("largest", "f8"),
        ("upper", "f8"),
        ("middle", "f8"),
        ("lower", "f8"),
    ],
    align=True,
)
"""State of one stream: values seen, next place in the ring, mean and sum of squared deviations
of the window, the largest such sum since it was made anew, and the newest bands or NaN."""

TRUST: Final = 1e-6
"""A sum of squares that fell below this part of what it was is mostly rounding: make it anew."""


class Bollinger(NamedTuple):
    """The three bands, each an array of shape (n_bars,) in quote currency."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray


@kernel
def _measure(s: Any, ring: Any) -> None:
    """Make mean and squares anew in two passes, from differences: exact for equal values."""
    first = ring[0]
    total = 0.0
    for i in range(ring.size):
        total += ring[i] - first
    s.mean = first + total / ring.size
    s.squares = 0.0
    for i in range(ring.size):
        apart = ring[i] - s.mean
        s.squares += apart * apart
    s.largest = s.squares


@kernel
def bollinger_step(s: Any, ring: Any, width: Any, x: Any) -> Any:
    """Advance one stream by one value; return the middle band, NaN until `ring` is full.

    `ring` holds the window and starts at zero; its size is the period. `width` is the distance
    of the outer bands in standard deviations.
    """
    s.n += 1
    oldest = ring[s.at]
    ring[s.at] = x
    s.at += 1
    if s.n < ring.size:
        s.upper = np.nan
        s.middle = np.nan
        s.lower = np.nan
        return np.nan
    if s.at == ring.size:
        s.at = 0
        _measure(s, ring)
    else:
        # Welford's update for a sliding window: only differences are ever squared.
        change = x - oldest
        before = s.mean
        s.mean += change * (1.0 / ring.size)
        s.squares += change * ((x - s.mean) + (oldest - before))
        s.largest = max(s.largest, s.squares)
        if not s.squares > TRUST * s.largest:
            _measure(s, ring)
    away = width * np.sqrt(s.squares * (1.0 / ring.size))
    s.upper = s.mean + away
    s.middle = s.mean
    s.lower = s.mean - away
    return s.middle


@kernel
def _run(states: Any, ring: Any, width: Any, values: Any, out: Any) -> None:
    s = states[0]
    for i in range(out.shape[1]):
        out[1, i] = bollinger_step(s, ring, width, values[i, 3])
        out[0, i] = s.upper
        out[2, i] = s.lower


def bollinger(bars: Bars, period: int = 20, width: float = 2.0) -> Bollinger:
    """Put bands around the moving average of the close.

    Parameters
    ----------
    bars : Bars
        Closed bars, oldest first; values must be finite.
    period : int
        Window in bars, >= 2.
    width : float
        Distance of the outer bands from the middle, in standard deviations, > 0.

    Returns
    -------
    Bollinger
        `upper`, `middle`, `lower`; NaN on the first `period - 1` bars.

    Raises
    ------
    TypeError, ValueError
        If the period is not an integer in [2, 100000] or the width is not above 0.

    Notes
    -----
    Causal, one pass, equal to feeding `bollinger_step`. Population standard deviation, as in
    TA-Lib's BBANDS; TA-Lib subtracts squares of prices, which leaves few digits where price is
    large against its scatter, here deviations are squared. Sources: Bollinger, Bollinger on
    Bollinger Bands, 2001; Welford, Technometrics, 1962.
    """
    period = require_period(period)
    if not 0.0 < width < np.inf:
        raise ValueError(f"width must be > 0 and finite, was {width}")
    out = np.empty((3, len(bars)))
    _run(np.zeros(1, BOLLINGER), np.zeros(period), float(width), bars.values, out)
    return Bollinger(*out)
