"""From the newest turns to candidates: which patterns X A B C may become, and where.

Source: see `harmonic_patterns`.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, FORMING
from opportunity.detectors.harmonic_candidates import (
    ARMED,
    PROJECTED,
    STOP_SLACK,
    grade,
    legs_of,
    strength,
)
from opportunity.detectors.harmonic_marks import mark_candidate
from opportunity.detectors.harmonic_patterns import (
    AB_CD,
    N_PATTERNS,
    SHAPES,
    confluence,
    fits,
    project,
    share_of_end,
    unit,
    worth_of_turns,
)
from opportunity.detectors.harmonic_slots import take_slot, worth_projected
from opportunity.detectors.swings import extreme, pivot
from opportunity.kernels import kernel

SPANS: Final = 3
"""Times the bars from X to C that D may take after C."""


@kernel
def _fill(
    state: Any, slot: Any, pattern: Any, swings: Any, near: Any, far: Any, slack: Any,
    turns: Any, late: Any, atr: Any,
) -> None:  # fmt: skip
    """Write a new candidate into a slot, as it stands on the bar that confirmed its C."""
    q = state.candidates[slot]
    q.pattern = pattern
    for k in range(4):
        turn = swings.pivots[pivot(swings, 3 - k)]
        q.price[k] = turn.price
        q.time[k] = turn.time
    if pattern == AB_CD:
        q.price[0] = np.nan
    b = swings.pivots[pivot(swings, 1)]
    a = swings.pivots[pivot(swings, 2)]
    turn = swings.pivots[pivot(swings, 0)]
    q.side = turn.side
    q.c_bar = turn.bar
    q.ab_bars = b.bar - a.bar
    q.expires = late
    price, bar, time = extreme(swings)
    q.d = q.side * (turn.price - price)
    q.d_bar = bar
    q.d_time = time
    q.near = near
    q.far = far
    q.slack = slack
    xa, ab, bc = legs_of(q)
    length, above = unit(pattern, xa, ab, bc)
    q.stop = SHAPES[pattern].stop * length - above + STOP_SLACK * atr
    q.turns = turns
    q.news = 0
    q.reached = 0
    q.fade = 1.0
    q.stage = ARMED if q.d >= near else PROJECTED
    state.serial += 1
    q.serial = state.serial
    grade(q)
    q.p = strength(q)


@kernel
def open_candidates(
    state: Any, params: Any, j: Any, scale: Any, n: Any, t: Any, c: Any, atr: Any
) -> None:
    """Open a candidate for every pattern that may end the newest turns of a scale.

    Parameters
    ----------
    state : record
        With `serial`, `swings`, `candidates` and what `mark_candidate` needs.
    params : record
        With `tolerance` (half-width of a zone as a fraction of XA) and `max_age` (bars).
    j, scale
        Number of the scale and its size in ATR.
    n, t, c
        Number, opening time and close of the bar on which C was confirmed.
    atr : float
        Average true range, > 0.

    Notes
    -----
    The leg's extreme since C counts: in the zone the candidate begins armed, past it there is
    none.
    """
    swings = state.swings[j]
    if swings.count < 3:
        return
    first = swings.pivots[pivot(swings, min(3, swings.count - 1))]
    a = swings.pivots[pivot(swings, 2)]
    top = swings.pivots[pivot(swings, 0)]
    low = swings.pivots[pivot(swings, 1)].price
    xa = abs(a.price - first.price)
    ab = abs(low - a.price)
    bc = abs(top.price - low)
    c_ratio = bc / ab
    depth = abs(top.price - extreme(swings)[0])
    whole = swings.count > 3
    b_ratio = ab / xa if whole else 0.0
    x_ratio = abs(top.price - first.price) / xa if whole else 0.0
    for pattern in range(N_PATTERNS):
        if not (fits(pattern, b_ratio, c_ratio, x_ratio) and (whole or pattern == AB_CD)):
            continue
        near, far, slack = project(pattern, xa, ab, bc, atr, params.tolerance)
        start = a.bar if pattern == AB_CD else first.bar
        late = top.bar + min(SPANS * (top.bar - start), params.max_age)
        if near > far or depth > far or n >= late:
            continue
        agreeing = confluence(near, far, ab, bc)
        turns = worth_of_turns(pattern, b_ratio, c_ratio, x_ratio, agreeing)
        value = worth_projected(pattern, turns / (1.0 - share_of_end(pattern)))
        slot = take_slot(state, j, value, scale, t, c)
        if slot >= 0:
            _fill(state, slot, pattern, swings, near, far, slack, turns, late, atr)
            stage = state.candidates[slot].stage
            mark_candidate(state, slot, ACTIVE if stage == ARMED else FORMING, scale, t, c)
