"""Rules and guidelines of five-wave moves, on up to seven points.

Points are written for a rise: p0 is the start, p1 the end of wave 1, and so on, with the prices
of a falling count multiplied by -1. `w1` is the length of wave 1, on to `w5`.

Source: Frost and Prechter, *Elliott Wave Principle*; the bounds of the guidelines are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.swings import pivot
from opportunity.kernels import kernel

N_TAKEN: Final = 7

POINTS: Final = np.dtype(
    [
        ("n", "i8"),
        ("side", "i8"),  # what the prices were multiplied by: +1 or -1
        ("price", "f8", (N_TAKEN,)),
        ("bar", "i8", (N_TAKEN,)),
    ],
    align=True,
)
"""Consecutive pivots, oldest first; the first leg rises."""

SHORT_OF: Final = 0.25
"""How far, in wave 3, a truncated fifth may end below the third."""
LEAST_FIFTH: Final = 0.382
TRUNCATION_COST: Final = 0.75
"""What a truncated fifth leaves of the guideline score."""

DIAGONAL_LEAST: Final = 0.5
DIAGONAL_MOST: Final = 0.886
NEAR: Final = 0.118
"""Half the distance of 0.382 and 0.618: from there on a fifth is near neither."""


@kernel
def take(p: Any, swings: Any, skip: Any, n: Any) -> None:
    """Fill `p` with `n` pivots of a scale, the newest `skip` left out."""
    side = swings.pivots[pivot(swings, skip + n - 2)].side
    p.n = n
    p.side = side
    for i in range(n):
        found = swings.pivots[pivot(swings, skip + n - 1 - i)]
        p.price[i] = side * found.price
        p.bar[i] = found.bar


@kernel
def wave(p: Any, i: Any) -> Any:
    """Return the length of wave `i` (from 1), > 0."""
    return abs(p.price[i] - p.price[i - 1])


@kernel
def bars(p: Any, i: Any) -> Any:
    """Return the bars of wave `i` (from 1), >= 1."""
    return max(p.bar[i] - p.bar[i - 1], 1)


@kernel
def band(x: Any, low: Any, core_low: Any, core_high: Any, high: Any) -> Any:
    """Return 1 inside the core, falling linearly to 0 at the outer bounds."""
    if x < core_low:
        return max((x - low) / (core_low - low), 0.0)
    if x > core_high:
        return max((high - x) / (high - core_high), 0.0)
    return 1.0


@kernel
def is_truncated(p: Any) -> Any:
    """Tell whether the fifth wave ends at or below the third."""
    return p.price[5] <= p.price[3]


@kernel
def obeys(p: Any) -> Any:
    """Tell whether 3 to 6 points keep the hard rules of an impulse, as far as they are known.

    Wave 2 never goes to the start of wave 1; wave 3 ends beyond wave 1 and is never the shortest
    of 1, 3 and 5; wave 4 never reaches the end of wave 1; wave 5 ends beyond wave 3, or falls
    short of it by at most 0.25 of wave 3 when it is at least 0.382 of it.
    """
    w1 = wave(p, 1)
    holds = wave(p, 2) < w1
    if p.n >= 4:
        holds &= p.price[3] > p.price[1]
    if p.n >= 5:
        holds &= p.price[4] > p.price[1]
    if p.n >= 6:
        w3 = wave(p, 3)
        w5 = wave(p, 5)
        holds &= not ((w3 < w1) & (w3 < w5))
        if is_truncated(p):
            short = p.price[3] - p.price[5]
            holds &= (short <= SHORT_OF * w3) & (w5 >= LEAST_FIFTH * w3)
    return holds


@kernel
def is_diagonal(p: Any) -> Any:
    """Tell whether 6 points make a diagonal: wave 4 in the range of wave 1, waves in a wedge."""
    w1 = wave(p, 1)
    w2 = wave(p, 2)
    w3 = wave(p, 3)
    w4 = wave(p, 4)
    w5 = wave(p, 5)
    holds = (w2 < w1) & (p.price[3] > p.price[1]) & (p.price[5] > p.price[3])
    holds &= (p.price[4] <= p.price[1]) & (p.price[4] > p.price[2])
    holds &= (DIAGONAL_LEAST * w1 <= w2) & (w2 <= DIAGONAL_MOST * w1)
    holds &= (DIAGONAL_LEAST * w3 <= w4) & (w4 <= DIAGONAL_MOST * w3)
    narrows = (w3 < w1) & (w5 < w3) & (w4 < w2)
    widens = (w3 > w1) & (w5 > w3) & (w4 > w2)
    return holds & (narrows | widens)


@kernel
def fit_diagonal(p: Any) -> Any:
    """Return how well a diagonal keeps its guidelines, [0, 1].

    The deeper retracements of a diagonal count most at 0.618 to 0.786, and half at the bounds of
    what is allowed. A wedge narrows by 0.618 to 0.786 a wave, or widens by 1.272 to 1.618.
    """
    w1 = wave(p, 1)
    w3 = wave(p, 3)
    third = w3 / w1
    fifth = wave(p, 5) / w3
    retraced = band(wave(p, 2) / w1, 0.382, 0.618, 0.786, 0.99)
    retraced += band(wave(p, 4) / w3, 0.382, 0.618, 0.786, 0.99)
    if third < 1.0:
        wedge = band(third, 0.382, 0.618, 0.786, 1.0) + band(fifth, 0.382, 0.618, 0.786, 1.0)
    else:
        wedge = band(third, 1.0, 1.272, 1.618, 2.618) + band(fifth, 1.0, 1.272, 1.618, 2.618)
    return 0.25 * retraced + 0.20 * wedge + 0.10 * _time(p)


@kernel
def _fifth(p: Any) -> Any:
    """Value the fifth against the first wave, or against waves 1 to 3 when the third is short."""
    w1 = wave(p, 1)
    w5 = wave(p, 5)
    value = band(w5 / w1, 0.30, 0.618, 1.0, 1.75)
    if wave(p, 3) < 1.5 * w1:
        part = w5 / (p.price[3] - p.price[0])
        value = max(value, 1.0 - min(abs(part - 0.382), abs(part - 0.618)) / NEAR)
    return value


@kernel
def _alternation(p: Any) -> Any:
    """Value how much waves 2 and 4 differ, in depth or in time."""
    second = bars(p, 2)
    fourth = bars(p, 4)
    if max(second, fourth) > 1.67 * min(second, fourth):
        return 1.0
    return min(1.0, abs(wave(p, 2) / wave(p, 1) - wave(p, 4) / wave(p, 3)) / 0.2)


@kernel
def _channel(p: Any, atr: Any) -> Any:
    """Value how near wave 4 ends to the line through p2 that is parallel to p1-p3."""
    slope = (p.price[3] - p.price[1]) / max(p.bar[3] - p.bar[1], 1)
    off = p.price[4] - p.price[2] - slope * (p.bar[4] - p.bar[2])
    return max(1.0 - abs(off) / (2.0 * atr), 0.0)


@kernel
def _time(p: Any) -> Any:
    """Value that no wave takes less than a third of the bars of its like."""
    first = bars(p, 1)
    third = bars(p, 3)
    short = min(first, third)
    long = max(first, third)
    if p.n >= 6:
        short = min(short, bars(p, 5))
        long = max(long, bars(p, 5))
    value = 3.0 * short / long
    if p.n >= 5:
        second = bars(p, 2)
        fourth = bars(p, 4)
        value = min(value, 3.0 * min(second, fourth) / max(second, fourth))
    return min(value, 1.0)


@kernel
def fit(p: Any, atr: Any) -> Any:
    """Return how well 3 to 6 points keep the guidelines of an impulse.

    Parameters
    ----------
    p : POINTS record
        Points that `obeys` accepts.
    atr : float
        Current ATR, > 0.

    Returns
    -------
    float
        Weighted mean, [0, 1], of the guidelines whose waves are known: wave 2 to wave 1, 3 to 1,
        4 to 3, 5 to 1, alternation, channel, time; a truncated fifth leaves 0.75 of it.
    """
    total = 0.20 * band(wave(p, 2) / wave(p, 1), 0.236, 0.5, 0.618, 0.90)
    weight = 0.20
    if p.n >= 4:
        total += 0.25 * band(wave(p, 3) / wave(p, 1), 0.9, 1.618, 2.618, 4.25)
        total += 0.05 * _time(p)
        weight += 0.30
    if p.n >= 5:
        total += 0.20 * band(wave(p, 4) / wave(p, 3), 0.1, 0.236, 0.382, 0.60)
        total += 0.10 * _alternation(p) + 0.05 * _channel(p, atr)
        weight += 0.35
    if p.n < 6:
        return total / weight
    value = total + 0.15 * _fifth(p)
    return TRUNCATION_COST * value if is_truncated(p) else value
