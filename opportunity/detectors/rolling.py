"""Rolling windows: the median of the last values and the extremes of the last bars.

Both are exact and causal. A detector asks only whether a value stands out against the median,
and only on bars that matter, so nothing is kept sorted; the extremes look at the window again
only when the one they hold has left it.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

N_MEDIAN: Final = 50
N_RING: Final = 32
"""Bars that a detector remembers; a power of two, so that bar `n` is at `n & (N_RING - 1)`."""

RANGE: Final = np.dtype(
    [("high", "f8"), ("high_bar", "i8"), ("low", "f8"), ("low_bar", "i8")], align=True
)
"""Highest high and lowest low of a window of bars, with the newest bar that reached them."""


@kernel
def stands_out(ring: Any, n: Any, factor: Any, x: Any) -> Any:
    """Tell whether `x` is above `factor` times the median of the values before it.

    Parameters
    ----------
    ring : ndarray of shape (N_MEDIAN,)
        The last values in any order, without `x`: a value never dampens its own measure.
    n : int
        Number of values so far.
    factor, x : float
        Factor > 0 and the value.

    Returns
    -------
    bool
        False while fewer than `N_MEDIAN` values are known, and for a median of 0.

    Notes
    -----
    The median of an even number of values is the mean of the middle two. Counting settles all
    cases but the one where `x` falls between these two.
    """
    if n < N_MEDIAN:
        return False
    positive = 0
    less = 0
    for i in range(N_MEDIAN):
        positive += ring[i] > 0.0
        less += factor * ring[i] < x
    half = N_MEDIAN // 2
    if positive < half or less < half:
        return False
    if less > half:
        return True
    below = -np.inf
    above = np.inf
    for i in range(N_MEDIAN):
        if factor * ring[i] < x:
            below = max(below, ring[i])
        else:
            above = min(above, ring[i])
    return x > factor * (0.5 * (below + above))


@kernel
def range_step(s: Any, bars: Any, n: Any, length: Any) -> None:
    """Move the window to the `length` bars that end with bar `n`.

    Parameters
    ----------
    s : RANGE record
        State, changed in place; must have seen every bar before `n`.
    bars : ndarray of shape (N_RING, 4 or more)
        Ring of open, high, low, close in which bar `n` is already written.
    n : int
        Number of the bar, from 0.
    length : int
        Bars in the window, at most `N_RING`.
    """
    row = bars[n & (N_RING - 1)]
    if n == 0 or row[1] >= s.high:
        s.high = row[1]
        s.high_bar = n
    elif s.high_bar <= n - length:
        _find_high(s, bars, n, length)
    if n == 0 or row[2] <= s.low:
        s.low = row[2]
        s.low_bar = n
    elif s.low_bar <= n - length:
        _find_low(s, bars, n, length)


@kernel
def _find_high(s: Any, bars: Any, n: Any, length: Any) -> None:
    s.high_bar = n - length + 1
    s.high = bars[s.high_bar & (N_RING - 1), 1]
    for i in range(n - length + 2, n + 1):
        if bars[i & (N_RING - 1), 1] >= s.high:
            s.high = bars[i & (N_RING - 1), 1]
            s.high_bar = i


@kernel
def _find_low(s: Any, bars: Any, n: Any, length: Any) -> None:
    s.low_bar = n - length + 1
    s.low = bars[s.low_bar & (N_RING - 1), 2]
    for i in range(n - length + 2, n + 1):
        if bars[i & (N_RING - 1), 2] <= s.low:
            s.low = bars[i & (N_RING - 1), 2]
            s.low_bar = i
