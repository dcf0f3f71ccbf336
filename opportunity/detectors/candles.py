"""Candle patterns, restated without gaps and measured in ATR.

A market that never closes opens at the last close, so definitions that need a gap never fire
there. Every pattern is written once, in its bullish form; the bearish form is the same code on
the negated bar (high and low exchanged), which makes the two exact mirror images.

Sources: Nison, *Japanese Candlestick Charting Techniques* (1991); Bulkowski, *Encyclopedia of
Candlestick Charts* (2008). The sizes are our own.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.rolling import N_RING
from opportunity.kernels import kernel

PIN_BAR, ENGULFING, PIERCING, HARAMI, STAR, TWEEZER, SOLDIERS, MARUBOZU = range(8)
N_CANDLES: Final = 8
INSIDE, OUTSIDE, DOJI = range(8, 11)

WEIGHT: Final = np.array([0.30, 0.30, 0.25, 0.15, 0.35, 0.15, 0.30, 0.25])
LENGTH: Final = np.array([1, 2, 2, 2, 3, 2, 3, 1])
"""Bars in the pattern."""

GO_ON: Final = 1 << SOLDIERS | 1 << MARUBOZU
"""Bits of the patterns that continue a move and need no context."""

TURNS: Final = np.array(
    [0, 1 << PIN_BAR, 1 << ENGULFING | 1 << PIERCING | 1 << HARAMI | 1 << TWEEZER, 1 << STAR]
)
"""Bits of the reversals by their number of bars."""

SLACK: Final = 0.05
"""An open this near to the last close, in ATR, stands for it: a trade may fall in between."""

EXTREME_BARS: Final = 10
FALL_BARS: Final = 6
FALL: Final = 1.5
"""What a reversal needs: the lowest low of 10 bars, after a fall of 1.5 ATR over 6."""


@kernel
def mirrored(bars: Any, n: Any, d: Any) -> Any:
    """Return open, high, low, close of bar `n` as side `d` sees them (negated for -1)."""
    row = bars[n & (N_RING - 1)]
    a, b = d * row[1], d * row[2]
    return d * row[0], max(a, b), min(a, b), d * row[3]


@kernel
def recognise(bars: Any, n: Any, d: Any) -> Any:
    """Tell which patterns of side `d` end with bar `n`, whatever came before them.

    Parameters
    ----------
    bars : ndarray of shape (N_RING, 5)
        Ring of open, high, low, close and unit, at least 3 bars written. A bar's unit is the ATR
        before it, > 0, so that a large bar does not shrink its own measure.
    n : int
        Number of the last bar, from 0.
    d : int
        +1 for the bullish forms, -1 for the bearish ones.

    Returns
    -------
    int
        Bit `k` is set if the pattern `k` (`PIN_BAR` ... `MARUBOZU`) is there.
    """
    # Conditions are joined by `&`, without jumps: a jump on noise costs more than it saves.
    o, h, l, c = mirrored(bars, n, d)  # noqa: E741 - the bar's own letters
    a = bars[n & (N_RING - 1), 4]
    size = h - l
    body = c - o
    large = size >= 0.8 * a
    wicks = (min(o, c) - l >= 0.60 * size) & (h - max(o, c) <= 0.15 * size)
    pin = large & wicks & (abs(body) <= 0.30 * size)
    if body <= 0.0:  # all others end with an up bar
        return pin << PIN_BAR
    o1, h1, l1, c1 = mirrored(bars, n - 1, d)
    o2, _, _, c2 = mirrored(bars, n - 2, d)
    a1 = bars[(n - 1) & (N_RING - 1), 4]
    a2 = bars[(n - 2) & (N_RING - 1), 4]
    fell = o1 - c1
    fell2 = o2 - c2
    engulfing = (
        (fell >= 0.1 * a1) & (body >= 0.7 * a) & (body >= 1.1 * fell)
        & (c >= o1) & (o - c1 <= SLACK * a)
    )
    piercing = (
        (fell >= 0.7 * a1) & (l < l1) & (c - c1 > 0.5 * fell) & (c < o1)
    )
    harami = (
        (fell >= a1) & (body <= 0.4 * fell) & (c1 - o <= SLACK * a) & (c <= o1)
    )
    star = (
        (fell2 >= 0.7 * a2) & (abs(fell) <= 0.3 * a1) & (body >= 0.5 * a)
        & (c - c2 > 0.5 * fell2)
    )
    tweezer = (
        (fell > 0.0) & large & (h1 - l1 >= 0.8 * a1) & (abs(l - l1) <= 0.1 * a)
    )
    soldiers = (
        (body >= 0.5 * a) & (-fell >= 0.5 * a1) & (-fell2 >= 0.5 * a2)
        & (c > c1) & (c1 > c2) & (h - c <= 0.25 * size)
    )
    marubozu = (body >= 1.2 * a) & (body >= 0.85 * size)
    return (
        pin << PIN_BAR | engulfing << ENGULFING | piercing << PIERCING | harami << HARAMI
        | star << STAR | tweezer << TWEEZER | soldiers << SOLDIERS | marubozu << MARUBOZU
    )


@kernel
def neutral(bars: Any, n: Any) -> Any:
    """Tell which patterns without a side bar `n` is: bits `INSIDE`, `OUTSIDE`, `DOJI`.

    A bar without any range is none of them.
    """
    o, h, l, c = mirrored(bars, n, 1)  # noqa: E741
    _, h1, l1, _ = mirrored(bars, n - 1, 1)
    moved = h > l
    inside = moved & (h <= h1) & (l >= l1)
    outside = (h > h1) & (l < l1)
    size = h - l
    doji = moved & (size >= 0.5 * bars[n & (N_RING - 1), 4]) & (abs(c - o) <= 0.1 * size)
    return inside << INSIDE | outside << OUTSIDE | doji << DOJI


@kernel
def reach(bars: Any, n: Any, length: Any, d: Any) -> Any:
    """Return how far the last `length` bars reach with and against side `d`.

    For side +1 the highest high and the lowest low, for -1 the lowest low and the highest high.
    """
    _, far, near, _ = mirrored(bars, n, d)
    for i in range(n - length + 1, n):
        _, h, l, _ = mirrored(bars, i, d)  # noqa: E741
        far = max(far, h)
        near = min(near, l)
    return d * far, d * near


@kernel
def is_extreme(bars: Any, n: Any, length: Any, d: Any) -> Any:
    """Tell whether no low of the last 10 bars is below the pattern's (mirrored for -1)."""
    _, own = reach(bars, n, length, d)
    _, lowest = reach(bars, n, EXTREME_BARS, d)
    return own == lowest


@kernel
def fell_before(bars: Any, n: Any, length: Any, d: Any) -> Any:
    """Return how far the close moved against side `d` over the 6 bars before the pattern."""
    last = n - length
    fell = bars[(last - FALL_BARS) & (N_RING - 1), 3] - bars[last & (N_RING - 1), 3]
    return d * fell


@kernel
def at_turn(bars: Any, n: Any, length: Any, d: Any, a: Any) -> Any:
    """Tell whether a reversal of `length` bars has something to reverse.

    True if the last 10 bars have no lower low than the pattern and the close fell by 1.5 ATR
    (`a`) over the 6 bars before it; mirrored for side -1. Needs 10 bars in the ring.
    """
    return fell_before(bars, n, length, d) >= FALL * a and is_extreme(bars, n, length, d)


@kernel
def in_context(bars: Any, n: Any, d: Any, a: Any, found: Any) -> Any:
    """Keep of the patterns `found` by `recognise` those whose context is right."""
    kept = found & GO_ON
    for length in range(1, TURNS.size):
        if found & TURNS[length] != 0 and at_turn(bars, n, length, d, a):
            kept |= found & TURNS[length]
    return kept
