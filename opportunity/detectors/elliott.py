"""elliott: the wave counts that the last swing pivots allow, weighed by their guidelines.

At two swing scales every confirmed pivot is held against the hard rules of impulses, diagonals
and corrections. What passes is a count with a side (that of the expected next move), an
invalidation price and forecast levels; several counts share the weight by how well they keep the
guidelines, and part of it always belongs to "none of them".

Source: Elliott, *The Wave Principle* (1938); Frost and Prechter, *Elliott Wave Principle* (rules
and guidelines). Sub-waves are not required: the rules hardly select (docs/detectors).
"""

from typing import Any, Final

import numpy as np
import param

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.detectors.base import Detector, copy_events, report
from opportunity.detectors.elliott_counts import (
    BOOK,
    add_up,
    advance,
    is_broken,
    remove,
    run_length,
    weigh_counts,
    widen,
)
from opportunity.detectors.elliott_gather import FRESH, gather, renew
from opportunity.detectors.elliott_kinds import KINDS, WAVE_B
from opportunity.detectors.elliott_marks import end_count, end_old, tell
from opportunity.detectors.elliott_rules import POINTS
from opportunity.detectors.events import EVENT, INVALID, N_EVENTS
from opportunity.detectors.evidence import WEAKEST
from opportunity.detectors.swings import SWINGS, swings_step
from opportunity.indicators.atr import ATR, atr_step
from opportunity.kernels import kernel

ATR_PERIOD: Final = 14
SHARES: Final = (0.6, 0.4)
"""Parts of the swing and of the major scale in score and confidence."""

STATE: Final = np.dtype(
    [
        ("n", "i8"),
        ("serial", "i8"),
        ("atr", ATR),
        ("n_events", "i4"),
        ("books", BOOK, (2,)),  # counts of the swing and the major scale
        ("swings", SWINGS, (2,)),
        ("fresh", FRESH),  # working room, used when a pivot is confirmed
        ("points", POINTS),
        ("events", EVENT, (N_EVENTS,)),
    ],
    align=True,
)

_SWINGS: Final = span(STATE, "swings", "swings")[0]
_BOOKS: Final = span(STATE, "books", "books")[0]

HOT: Final = lines(
    span(STATE, "n", "n_events"),
    *(span(BOOK, "used", "motive", _BOOKS + j * BOOK.itemsize) for j in range(2)),
    *(span(SWINGS, "direction", "low_time", _SWINGS + j * SWINGS.itemsize) for j in range(2)),
)
"""What nearly every bar reads; see `opportunity.detectors.ahead`."""

PARAMS: Final = np.dtype(
    [("swing", "f8"), ("major", "f8"), ("doubt", "f8"), ("c_max", "f8")], align=True
)


@kernel
def _test(state: Any, j: Any, doubt: Any, scale: Any, t: Any, c: Any) -> None:
    """Let the counts of a scale fade and hold them against the close of the bar."""
    book = state.books[j]
    ended = False
    i = 0
    while i < book.used:
        count = book.counts[i]
        count.worth *= count.fade
        if count.kind == WAVE_B and is_broken(count, c):
            widen(count, state.swings[j])
            book.untold = 1
        broken = is_broken(count, c)
        if broken:
            end_count(state, j, count, INVALID, scale, t, c)
        if broken or count.worth < WEAKEST:
            remove(book, i)
            ended = True
        else:
            i += 1
    if ended:
        weigh_counts(book, doubt)


@kernel
def _advance(state: Any, j: Any, doubt: Any, scale: Any, t: Any, c: Any) -> None:
    """Let the counts of a scale see how far the running leg has come."""
    book = state.books[j]
    reach = run_length(state.swings[j])
    ended = False
    i = 0
    while i < book.used:
        count = book.counts[i]
        if advance(count, reach):
            book.untold |= (count.shown != 0) & (count.told == 0)
            i += 1
        else:
            end_count(state, j, count, INVALID, scale, t, c)
            remove(book, i)
            ended = True
    if ended:
        weigh_counts(book, doubt)


@kernel
def _recount(state: Any, j: Any, doubt: Any, scale: Any, t: Any, c: Any, atr: Any) -> None:
    """Ask the newest pivots which counts they allow."""
    book = state.books[j]
    gather(state.fresh, state.points, state.swings[j], book, atr, c)
    renew(book, state.fresh)
    weigh_counts(book, doubt)
    end_old(state, j, scale, t, c)
    book.untold = 1


@kernel
def _follow(
    state: Any, j: Any, doubt: Any, scale: Any,
    t: Any, o: Any, h: Any, low: Any, c: Any, atr: Any,
) -> None:  # fmt: skip
    """Carry one scale over a bar: test, pivots, counts."""
    living = state.books[j].used > 0
    if living:
        _test(state, j, doubt, scale, t, c)
    if swings_step(state.swings[j], scale, state.n - 1, t, o, h, low, c, atr) != 0:
        _recount(state, j, doubt, scale, t, c, atr)
    elif living:
        _advance(state, j, doubt, scale, t, c)


@kernel
def step(
    state: Any, params: Any, t: Any, o: Any, h: Any, low: Any, c: Any, v: Any, obs: Any, out: Any
) -> None:
    """Advance one stream by one closed bar."""
    state.n += 1
    state.n_events = 0
    atr = atr_step(state.atr, ATR_PERIOD, h, low, c)
    score = 0.0
    confidence = 0.0
    for j in range(2):
        scale = params.major if j == 1 else params.swing
        _follow(state, j, params.doubt, scale, t, o, h, low, c, atr)
    for j in range(2):
        book = state.books[j]
        if book.untold != 0:
            tell(state, j, params.major if j == 1 else params.swing, t, c)
        if book.used > 0:
            part, sure = add_up(book, state.swings[j], params.c_max)
            score += SHARES[j] * part
            confidence += SHARES[j] * sure
    report(out, state.n, min(max(score, -1.0), 1.0), confidence)


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


class Elliott(Detector):
    """Wave counts on swing pivots: impulses, diagonals, zigzags, flats and triangles.

    Every count that keeps the hard rules has a weight from its guideline score,
    `omega = g^2 / (doubt + sum g^2)` over the living counts of its scale, a side (of the
    expected next move) and a worth. A scale's score is `S = sum omega * side * worth`; score is
    `0.6 S` of the swing scale and `0.4 S` of the major scale, confidence
    `c_max * sum omega * |S| / (sum omega * worth)` averaged likewise. A close beyond its
    invalidation price ends a count. Silent (0, 0) without a living count.

    Source: Elliott, The Wave Principle, 1938; Frost and Prechter, Elliott Wave Principle.
    """

    name = param.String("elliott", constant=True, doc="Name on the wire and in weights.")
    swing = param.Number(
        3.0, bounds=(0.5, 20.0), doc="Reversal that makes a pivot of the swing scale, ATR."
    )
    major = param.Number(
        6.0, bounds=(0.5, 50.0), doc="Reversal that makes a pivot of the major scale, ATR."
    )
    doubt = param.Number(
        0.10, bounds=(0.0, 10.0), inclusive_bounds=(False, True),
        doc="Mass of 'no count applies' among the squared guideline scores.",
    )  # fmt: skip
    c_max = param.Number(
        0.50, bounds=(0.0, 1.0), doc="Confidence that the method deserves at most, [0, 1]."
    )

    title = "Elliott"
    kinds = KINDS
    state_type = STATE
    params_type = PARAMS
    run = staticmethod(run)
