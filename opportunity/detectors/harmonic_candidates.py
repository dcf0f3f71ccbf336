"""The life of a harmonic candidate: from a finished X A B C to the targets after D.

A candidate is *projected* when C is confirmed, *armed* while the leg's extreme lies in its zone,
and *complete* once a close comes back far enough from that extreme, which is then D. Before D it
ends at a new extreme beyond C or past its zone; after D at a close beyond its stop, at its second
target, or when its evidence has faded. All distances are depths below C (bullish) or above it
(bearish), so both sides follow the same arithmetic bit for bit.

Source: Carney, *Harmonic Trading* 1 (2010): potential reversal zone, completion, targets at 0.382
and 0.618 of AD. Completion by a close one ATR back is ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID, TOUCHED
from opportunity.detectors.evidence import WEAKEST
from opportunity.detectors.harmonic_patterns import (
    FIVE_O,
    SHAPES,
    share_of_end,
    unit,
    worth_of_end,
)
from opportunity.kernels import kernel

N_SCALES: Final = 3
PER_SCALE: Final = 8
N_CANDIDATES: Final = N_SCALES * PER_SCALE
"""Slot `i` belongs to scale `i // PER_SCALE`."""

FREE, PROJECTED, ARMED, COMPLETE = range(4)

ARMED_WEIGHT: Final = 0.30
COMPLETE_WEIGHT: Final = 0.80
HALF_LIVES: Final = (12.0, 24.0, 48.0)
FIRST_TARGET, SECOND_TARGET = 0.382, 0.618
STOP_SLACK: Final = 0.25
UNEVEN: Final = 0.85
"""Factor on the quality when CD takes less than half or more than twice the bars of AB."""

CANDIDATE: Final = np.dtype(
    [
        # What a bar may look at comes first.
        ("side", "i1"),  # +1 bullish: C is a high, D a low
        ("stage", "i1"),
        ("pattern", "i1"),
        ("news", "i1"),  # state to report on this bar, plus 1; 0 = none
        ("reached", "i1"),  # targets that price has reached
        ("expires", "i4"),  # number of the bar from which on it is too late for D
        ("d_bar", "i4"),  # number of the bar of the leg's extreme
        ("p", "f8"),  # strength of its evidence now
        ("fade", "f8"),  # what a bar leaves of it
        ("d", "f8"),  # depth of the leg's extreme so far
        ("near", "f8"),  # depths of the zone
        ("far", "f8"),
        ("stop", "f8"),  # depth of the close that ends a complete pattern
        ("price", "f8", (4,)),  # X A B C; X is NaN for AB=CD
        ("time", "i8", (4,)),
        ("d_time", "i8"),
        ("slack", "f8"),  # tolerance of D
        ("turns", "f8"),  # what X A B C give to the quality
        ("quality", "f8"),
        ("serial", "i8"),
        ("c_bar", "i4"),
        ("ab_bars", "i4"),
    ],
    align=True,
)
"""A slot; all bytes zero is a free one."""


@kernel
def legs_of(q: Any) -> Any:
    """Return the lengths XA (NaN for AB=CD), AB and BC."""
    return (
        abs(q.price[1] - q.price[0]), abs(q.price[2] - q.price[1]), abs(q.price[3] - q.price[2]),
    )  # fmt: skip


@kernel
def ratio_of(q: Any, depth: Any) -> Any:
    """Return a depth in the measure that defines the pattern's D."""
    xa, ab, bc = legs_of(q)
    length, above = unit(q.pattern, xa, ab, bc)
    return (depth + above) / length


@kernel
def ideal_depth(q: Any) -> Any:
    """Return the depth in the zone at which D is expected: the ideal, of a range its nearer end."""
    xa, ab, bc = legs_of(q)
    length, above = unit(q.pattern, xa, ab, bc)
    return min(max(SHAPES[q.pattern].d[0] * length - above, q.near), q.far)


@kernel
def run_to_target(q: Any, depth: Any, k: Any) -> Any:
    """Return the distance from a D at `depth` to target `k`: a part of AD, or of CD for 5-0.

    The D of a 5-0 lies close to its A, so that AD would be next to nothing.
    """
    whole = depth if q.pattern == FIVE_O else depth + q.side * (q.price[1] - q.price[3])
    return (FIRST_TARGET if k == 0 else SECOND_TARGET) * whole


@kernel
def grade(q: Any) -> None:
    """Judge a candidate by what is known: before its zone is reached D does not count."""
    if q.stage == PROJECTED:
        q.quality = q.turns / (1.0 - share_of_end(q.pattern))
        return
    xa, ab, bc = legs_of(q)
    length = unit(q.pattern, xa, ab, bc)[0]
    q.quality = q.turns + worth_of_end(q.pattern, ratio_of(q, q.d), q.slack / length)
    cd_bars = q.d_bar - q.c_bar
    if (2 * cd_bars < q.ab_bars) | (cd_bars > 2 * q.ab_bars):
        q.quality *= UNEVEN


@kernel
def strength(q: Any) -> Any:
    """Return the strength that a candidate's evidence begins with."""
    if q.stage == PROJECTED:
        return 0.0
    part = COMPLETE_WEIGHT if q.stage == COMPLETE else ARMED_WEIGHT
    return part * SHAPES[q.pattern].weight * q.quality


@kernel
def end(state: Any, i: Any, condition: Any) -> None:
    """End a candidate; its slot stays until the end was told."""
    q = state.candidates[i]
    q.news = condition + 1
    q.stage = FREE
    q.p = 0.0


@kernel
def _await_end(
    state: Any, i: Any, n: Any, t: Any, tip: Any, back: Any, close: Any, reach: Any
) -> None:
    """Hold a candidate without its D against a bar, given as depths."""
    q = state.candidates[i]
    if tip > q.d:
        q.d = tip
        q.d_bar = n
        q.d_time = t
    if (back < 0.0) | (q.d > q.far):
        end(state, i, INVALID)
    elif n >= q.expires:
        end(state, i, EXPIRED)
    elif q.d >= q.near:
        if q.stage == PROJECTED:
            q.stage = ARMED
            q.news = ACTIVE + 1
        if q.d - close >= reach:
            q.stage = COMPLETE
            q.news = DONE + 1
            q.fade = np.exp2(-1.0 / HALF_LIVES[i // PER_SCALE])
        grade(q)
        q.p = strength(q)


@kernel
def _await_targets(state: Any, i: Any, back: Any, close: Any) -> None:
    """Hold a complete candidate against a bar, given as depths."""
    q = state.candidates[i]
    if close > q.stop:
        end(state, i, INVALID)
    elif q.d - back >= run_to_target(q, q.d, 1):
        q.reached = 2
        end(state, i, TOUCHED)
    elif (q.reached == 0) & (q.d - back >= run_to_target(q, q.d, 0)):
        q.reached = 1
        q.p *= 0.5
        q.news = TOUCHED + 1
    if (q.stage == COMPLETE) & (q.p < WEAKEST):
        q.p = 0.0
        if q.news == 0:  # what has just reached a target says so first, and ends on the next bar
            end(state, i, EXPIRED)


@kernel
def follow(state: Any, n: Any, t: Any, h: Any, low: Any, c: Any, reach: Any) -> None:
    """Carry all candidates over one bar.

    Parameters
    ----------
    state : record
        With `used` (a bit for each slot in use) and `candidates`.
    n, t, h, low, c
        Number and opening time of the bar and its prices.
    reach : float
        Distance that the close has to come back from D, > 0.
    """
    for i in range(N_CANDIDATES):
        if state.used >> i == 0:
            return
        if state.used >> i & 1 != 0:
            q = state.candidates[i]
            top = q.price[3]
            tip = q.side * (top - (low if q.side > 0 else h))
            back = q.side * (top - (h if q.side > 0 else low))
            close = q.side * (top - c)
            if q.stage == COMPLETE:
                _await_targets(state, i, back, close)
            else:
                _await_end(state, i, n, t, tip, back, close, reach)
