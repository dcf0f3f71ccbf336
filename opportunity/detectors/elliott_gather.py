"""Which wave counts the newest pivots of a scale allow.

Every confirmed pivot is a new question. All hypotheses end at the newest pivot and use the pivots
one after the other; what the hard rules allow and price has not yet refuted becomes a count.

Source: Frost and Prechter, *Elliott Wave Principle*.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.elliott_corrections import NONE, correction, triangle, wave_c
from opportunity.detectors.elliott_counts import (
    COUNT,
    FADE,
    N_COUNTS,
    N_SHOWN,
    advance,
    is_broken,
    run_length,
    widen,
)
from opportunity.detectors.elliott_kinds import (
    COMPLETE,
    ENDING,
    IMPULSE,
    LEADING,
    LEANS,
    N_KNOWN,
    STOP_AT,
    TRUNCATED,
    WAVE_3,
    WAVE_4,
    WAVE_5,
    WAVE_B,
    WAVE_C,
    WAVE_C_FLAT,
    WORTH,
)
from opportunity.detectors.elliott_rules import (
    fit,
    fit_diagonal,
    is_diagonal,
    is_truncated,
    obeys,
    take,
    wave,
)
from opportunity.detectors.events import ACTIVE, DONE, FORMING
from opportunity.detectors.swings import pivot
from opportunity.kernels import kernel

N_FRESH: Final = 8
"""Counts that one pivot can give: waves 3, 4, 5, complete, B, C, corrected, triangle."""

FRESH: Final = np.dtype(
    [
        ("n", "i4"),
        ("n_old", "i4"),
        ("counts", COUNT, (N_FRESH,)),
        ("old", COUNT, (N_COUNTS,)),  # what the book held before
    ],
    align=True,
)
"""Room in which the counts of a new pivot are gathered."""


@kernel
def _shape(count: Any, p: Any) -> None:
    """Give a count the lengths at which its worth falls or its rules are tested."""
    kind = count.kind
    count.edge = np.inf
    count.fall = 0.0
    if kind == WAVE_3:
        count.edge = wave(p, 2)
    elif kind == WAVE_5:
        count.fall = 1.0 / max(wave(p, 1), 0.618 * (p.price[3] - p.price[0]))
        if wave(p, 3) < wave(p, 1):
            count.edge = wave(p, 3)
    elif kind in (WAVE_C, WAVE_C_FLAT):
        count.fall = 1.0 / wave(p, 1)


@kernel
def _propose(fresh: Any, p: Any, swings: Any, kind: Any, g: Any, reach: Any, c: Any) -> None:
    """Add a count on the points `p`, unless no guideline supports it or price has refuted it."""
    if g <= 0.0:
        return
    count = fresh.counts[fresh.n]
    count.kind = kind
    count.g = g
    count.omega = 0.0
    count.first = swings.count - N_KNOWN[kind]
    count.side = p.side * LEANS[kind]
    count.stop = p.side * p.price[STOP_AT[kind]]
    count.slack = 0.0
    count.worth = WORTH[kind]
    count.fade = FADE if COMPLETE[kind] else 1.0
    count.shown = 0
    count.told = 0
    count.serial = 0
    count.state = ACTIVE
    if COMPLETE[kind]:
        count.state = DONE
    elif kind == WAVE_3:
        count.state = FORMING
    _shape(count, p)
    if kind == WAVE_B and is_broken(count, c):
        widen(count, swings)
    if not is_broken(count, c) and advance(count, reach):
        fresh.n += 1


@kernel
def _complete(fresh: Any, p: Any, swings: Any, atr: Any, reach: Any, c: Any) -> Any:
    """Propose what six points complete; return the fit of five waves that end a move, else 0."""
    take(p, swings, 0, 6)
    kind, g = triangle(p, atr)
    if kind != NONE:
        _propose(fresh, p, swings, kind, g, reach, c)
    if obeys(p):
        g = fit(p, atr)
        _propose(fresh, p, swings, TRUNCATED if is_truncated(p) else IMPULSE, g, reach, c)
        return g
    if swings.count < 7 or not is_diagonal(p):
        return 0.0
    g = fit_diagonal(p)
    # As wave 5 it carries price past the end of wave 3, where the leg before it began; as wave 1
    # or A it stays inside the move that it turns.
    past = p.price[5] > p.side * swings.pivots[pivot(swings, 6)].price
    _propose(fresh, p, swings, ENDING if past else LEADING, g, reach, c)
    return g if past else 0.0


@kernel
def gather(fresh: Any, p: Any, swings: Any, book: Any, atr: Any, c: Any) -> None:
    """Gather every count that the newest pivots allow.

    Parameters
    ----------
    fresh, p : FRESH and POINTS records
        Written over.
    swings : SWINGS record
        With a pivot that was just confirmed.
    book : BOOK record
        Its `motive` is read, then set for the next pivot.
    atr, c : float
        Current ATR, > 0, and close.
    """
    fresh.n = 0
    before = book.motive
    book.motive = 0.0
    reach = run_length(swings)
    if swings.count >= 6:
        book.motive = _complete(fresh, p, swings, atr, reach, c)
    for kind in (WAVE_5, WAVE_4, WAVE_3):
        n = N_KNOWN[kind]
        if swings.count >= n:
            take(p, swings, 0, n)
            if obeys(p):
                _propose(fresh, p, swings, kind, fit(p, atr), reach, c)
            if kind == WAVE_4:
                of, g = correction(p)
                if of != NONE:
                    _propose(fresh, p, swings, of, g, reach, c)
            elif kind == WAVE_3:
                of, g = wave_c(p)
                if of != NONE:
                    _propose(fresh, p, swings, of, g, reach, c)
    if before > 0.0:
        take(p, swings, 0, 2)
        _propose(fresh, p, swings, WAVE_B, before, reach, c)


@kernel
def renew(book: Any, fresh: Any) -> None:
    """Replace the counts of the book by the best `N_COUNTS` fresh ones, best first."""
    fresh.n_old = book.used
    for i in range(book.used):
        fresh.old[i] = book.counts[i]
    book.used = 0
    while book.used < N_COUNTS:
        best = -1
        for i in range(fresh.n):
            g = fresh.counts[i].g
            if g > 0.0 and (best < 0 or g > fresh.counts[best].g):
                best = i
        if best < 0:
            return
        book.counts[book.used] = fresh.counts[best]
        book.counts[book.used].shown = 1 if book.used < N_SHOWN else 0
        fresh.counts[best].g = 0.0
        book.used += 1
