"""fibonacci: reactions at the retracements and extensions of legs that are large in ATR.

States what many traders watch. Swing legs show no preference for any ratio (docs/detectors), so
its confidence is kept low and only a reaction, not a level, counts as evidence.

Source: Frost and Prechter, *Elliott Wave Principle* (retracements, extensions); Boroden,
*Fibonacci Trading* (2008; clusters); DiNapoli (several legs at once). Anchored at wicks; 0.5 is
kept though it is no Fibonacci ratio; 0.786 is the square root of 0.618.
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.base import Detector, copy_events, report
from opportunity.detectors.clusters import (
    CLUSTER,
    N_CLUSTERS,
    POOL,
    fill_pool,
    map_clusters,
    touch_clusters,
)
from opportunity.detectors.events import EVENT, N_EVENTS
from opportunity.detectors.evidence import ITEM
from opportunity.detectors.leg_items import N_ITEMS, age_live, combine_live
from opportunity.detectors.leg_marks import KINDS, mark_clusters
from opportunity.detectors.legs import BOOK, DEAD, EXTENDED, follow_legs
from opportunity.detectors.reactions import (
    check_reactions,
    follow_news,
    has_hope,
    silence_twins,
    watch_bounce,
    watch_extension,
)
from opportunity.detectors.swings import SWINGS, pivot, swings_step
from opportunity.indicators.atr import ATR, atr_step
from opportunity.kernels import kernel

ATR_PERIOD: Final = 14
INTERNAL: Final = 1.5
"""Scale of the small pivots that may confirm a bounce, in ATR."""

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("serial", "i8"),
        ("live", "i8"),  # a bit for each slot of `items` in use
        ("close", "f8"),
        ("atr", ATR),
        ("atr_before", "f8"),
        ("n_events", "i4"),
        ("clusters", CLUSTER, (N_CLUSTERS,)),
        ("books", BOOK, (2,)),  # legs of the swing and the major scale
        ("swings", SWINGS, (3,)),  # internal, swing, major
        ("items", ITEM, (N_ITEMS,)),
        ("pool", POOL),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

_SWINGS: Final = span(STATE, "swings", "swings")[0]

HOT: Final = lines(
    span(STATE, "n", "books"),
    *(span(SWINGS, "direction", "low_time", _SWINGS + i * SWINGS.itemsize) for i in range(3)),
    span(STATE, "items", "items"),
)
"""What nearly every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [
        ("swing", "f8"),
        ("major", "f8"),
        ("least_leg", "f8"),
        ("max_age", "i8"),
        ("c_max", "f8"),
    ],
    align=True,
)


@kernel
def _react(
    state: Any, params: Any, turn: Any, t: Any, o: Any, h: Any, low: Any, c: Any,
    before: Any, atr: Any,
) -> None:  # fmt: skip
    """Report what the legs did and watch the reactions on them, the larger scale first."""
    turn_bar = np.int64(-1)
    turn_price = np.nan
    if turn != 0:
        newest = state.swings[0].pivots[pivot(state.swings[0], 0)]
        turn_bar = newest.bar
        turn_price = newest.price
    for j in range(1, -1, -1):
        scale = params.major if j == 1 else params.swing
        legs = state.books[j].legs
        for i in range(state.books[j].used):
            if (legs[i].news != 0) | (legs[i].status >= DEAD):
                follow_news(state, j, i, scale, t, c)
            if has_hope(legs[i], state.n - 1):
                watch_bounce(
                    state, j, i, scale, turn, turn_bar, turn_price, t, o, h, low, c, before, atr
                )
            elif legs[i].status == EXTENDED:
                watch_extension(state, j, i, scale, t, o, h, low, c, before, atr)


@kernel
def _look(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, before: Any, atr: Any
) -> None:
    """Do everything that needs an ATR: pivots, legs, reactions, clusters."""
    n = state.n - 1
    check_reactions(state, 1, params.major, t, c)
    check_reactions(state, 0, params.swing, t, c)
    touch_clusters(state.clusters, state.close, h, low, c, atr)
    turn = swings_step(state.swings[0], INTERNAL, n, t, o, h, low, c, atr)
    changed = False
    for j in range(2):
        scale = params.major if j == 1 else params.swing
        swings = state.swings[1 + j]
        turned = swings_step(swings, scale, n, t, o, h, low, c, atr)
        changed |= follow_legs(
            state, state.books[j], swings, turned, params.least_leg, params.max_age,
            n, t, h, low, c, atr,
        )  # fmt: skip
    if changed:
        fill_pool(state.pool, state.books)
    _react(state, params, turn, t, o, h, low, c, before, atr)
    silence_twins(state, params.swing, t, c)
    if changed:
        map_clusters(state, state.pool, state.clusters, c, atr)
    mark_clusters(state, t)


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    before = state.atr_before
    atr = atr_step(state.atr, ATR_PERIOD, h, low, c)
    age_live(state)
    if atr > 0.0:
        _look(state, params, t, o, h, low, c, before, atr)
    state.atr_before = atr
    state.close = c
    score, confidence = combine_live(state, params.c_max)
    report(out, state.n, score, confidence)


@kernel
def run(
    states: Any, rows: Any, params: Any, time: Any, values: Any,
    obs: Any, out: Any, events: Any, counts: Any,
) -> None:  # fmt: skip
    """Drive `step` over streams and bars; see `Detector`."""
    for k in range(rows.size):
        fetch(states, rows, k + AHEAD, HOT)
        state = states[rows[k]]
        for j in range(time.shape[1]):
            bar = values[k, j]
            if not np.isnan(bar[3]):
                step(
                    state, params, time[k, j], bar[0], bar[1], bar[2], bar[3], bar[4],
                    obs[k, j], out[k, j],
                )  # fmt: skip
                counts[k] = copy_events(state, events[k], counts[k])


class Fibonacci(Detector):
    """Reactions at the retracements and extensions of legs that are large in ATR.

    Legs of the swing and the major scale, the running one included, are measured from wick to
    wick. A rejection bar (or a small pivot) inside 0.382-0.786 of a leg is evidence for the leg's
    side, most at 0.618; a rejection at 1.272 or 1.618 beyond it is weaker evidence against. Both
    count more where levels of different legs meet. Silent (score 0, confidence 0) on bars
    without a live reaction.

    Source: Frost and Prechter, Elliott Wave Principle; Boroden, Fibonacci Trading, 2008.
    """

    name = param.String("fibonacci", constant=True, doc="Name on the wire and in weights.")
    swing = param.Number(
        3.0, bounds=(0.5, 20.0), doc="Reversal that makes a pivot of the swing scale, ATR."
    )
    major = param.Number(
        6.0, bounds=(0.5, 50.0), doc="Reversal that makes a pivot of the major scale, ATR."
    )
    least_leg = param.Number(
        4.0, bounds=(0.5, 50.0), doc="Span from which a move counts as a leg, ATR."
    )
    max_age = param.Integer(
        300, bounds=(10, 10_000), doc="Bars after its last extreme at which a leg ends."
    )
    c_max = param.Number(
        0.45, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )

    title = "Fibonacci"
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)
