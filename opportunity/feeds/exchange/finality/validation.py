"""Which bars of a venue are no bars: wrong numbers, wrong unit of time, off the grid.

What is refused here is never repaired or clamped: it is as if it had not come.
"""

from math import inf, isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.market.bars import FloatArray
from opportunity.market.notes import Values
from opportunity.market.timeframe import DAY_MS, EARLIEST_MS, TimeArray

RAW_LIMIT: Final = 500
"""Characters of a refused payload that are kept."""


def is_bar(values: Values) -> bool:
    """Tell whether five numbers can be open, high, low, close and volume of a bar.

    Prices must be finite, > 0 and within low..high, the volume finite and >= 0; NaN fails every
    comparison and so never passes.
    """
    o, h, low, c, v = values
    return 0.0 < low <= o <= h < inf and low <= c <= h and 0.0 <= v < inf


def value_fault(values: Values) -> str:
    """Return the rule that the numbers of a bar break, empty where they break none."""
    if is_bar(values):
        return ""
    o, h, low, c, v = values
    if not all(isfinite(x) for x in values):
        return f"values must be finite, were {list(values)}"
    if min(o, h, low, c) <= 0.0:
        return f"prices must be > 0, lowest was {min(o, h, low, c)}"
    if v < 0.0:
        return f"volume must be >= 0, was {v}"
    return f"open and close must lie within low..high {low}..{h}, were {o} and {c}"


def latest_open(at: int, timing: Timing) -> int:
    """Return the latest opening time of a bar that may be told at `at`, with room for skew."""
    return at + min(timing.length, DAY_MS)


def time_fault(time: int, at: int, timing: Timing) -> str:
    """Return the rule that an opening time told at `at` breaks, empty where it breaks none."""
    if not time >= EARLIEST_MS:  # also true of NaN
        return f"time must be milliseconds since 2009, was {time}"
    if time > latest_open(at, timing):
        return f"time must be milliseconds and not in the future of {at}, was {time}"
    if (time - timing.offset) % timing.length:
        return f"time must be an opening time of {timing.base}, was {time}"
    return ""


def sound(times: TimeArray, values: FloatArray, at: int, timing: Timing) -> NDArray[np.bool_]:
    """Tell for each row of an answer that was asked for at `at` whether it can be a bar.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
        Opening times as told.
    values : ndarray of shape (n, 5)
        Open, high, low, close, volume as told.
    at : int
        When it was asked for, ms UTC.
    timing : Timing
        The grid.

    Returns
    -------
    ndarray of bool, shape (n,)
        The same verdict as `value_fault` and `time_fault` row by row.
    """
    o, h, low, c, v = values.T
    fits = (times >= EARLIEST_MS) & (times <= latest_open(at, timing))
    fits &= (times - timing.offset) % timing.length == 0
    fits &= (low > 0) & (low <= o) & (o <= h) & (h < inf) & (low <= c) & (c <= h)
    sound: NDArray[np.bool_] = fits & (v >= 0) & (v < inf)
    return sound
