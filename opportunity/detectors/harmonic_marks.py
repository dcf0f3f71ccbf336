"""Chart events of the harmonic detector: one kind a pattern, its points, zone, stop and targets."""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import (
    ACTIVE,
    DONE,
    EXPIRED,
    INVALID,
    TOUCHED,
    Kind,
)
from opportunity.detectors.harmonic_candidates import (
    N_CANDIDATES,
    PER_SCALE,
    ideal_depth,
    ratio_of,
    run_to_target,
)
from opportunity.detectors.harmonic_patterns import AB_CD
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point, mark_zone
from opportunity.kernels import kernel

_TEXT: Final = "{{side}} {0}, D at {{x:.3f}} {1}, {{state}} at {{price:.6g}}"
_LETTERS: Final = ("X", "A", "B", "C", "D", "T")


def _kind(name: str, badge: str, measure: str, letters: tuple[str, ...] = _LETTERS) -> Kind:
    return Kind(name, _TEXT.format(badge, measure), letters, badge)


KINDS: Final = (
    _kind("gartley", "Gartley", "of XA"),
    _kind("bat", "Bat", "of XA"),
    _kind("alternate_bat", "Alternate Bat", "of XA"),
    _kind("butterfly", "Butterfly", "of XA"),
    _kind("crab", "Crab", "of XA"),
    _kind("deep_crab", "Deep Crab", "of XA"),
    _kind("shark", "Shark", "of XA"),
    _kind("cypher", "Cypher", "of XC"),
    _kind("five_o", "5-0", "of BC"),
    _kind("ab_cd", "AB=CD", "of AB", _LETTERS[1:]),
)
"""Kinds in the order of the patterns' numbers. T is a target that price has reached."""

URGENCY: Final = (DONE, TOUCHED, ACTIVE, INVALID, EXPIRED)
"""What is reported first: a bar has room for a few events only."""


@kernel
def mark_candidate(state: Any, i: Any, condition: Any, scale: Any, t: Any, c: Any) -> Any:
    """Report a candidate as it stands; return the record's place, or -1 if there was no room.

    Parameters
    ----------
    state : record
        With `n`, `candidates`, `n_events` and `events`.
    i, condition : int
        Slot, and state to report.
    scale : float
        Swing scale of the slot, ATR.
    t, c
        Opening time and close of the bar.
    """
    q = state.candidates[i]
    place = mark(state, q.pattern, q.side, condition, q.serial, state.n - 1, t, q.quality)
    for k in range(1 if q.pattern == AB_CD else 0, 4):
        mark_point(state, place, q.time[k], q.price[k])
    top = q.price[3]
    known = q.d >= q.near
    depth = q.d if known else ideal_depth(q)
    tip = top - q.side * depth
    mark_point(state, place, q.d_time if known else t, tip)
    near = top - q.side * q.near
    far = top - q.side * q.far
    mark_zone(state, place, max(near, far), min(near, far))
    mark_number(state, place, ratio_of(q, depth), scale)
    if condition == TOUCHED:
        run = run_to_target(q, depth, q.reached - 1)
        mark_point(state, place, t, tip + q.side * run)
    if condition in (INVALID, EXPIRED):
        return place
    entry = c if condition == DONE else np.nan
    mark_levels(state, place, entry, top - q.side * q.stop, np.nan)
    for k in range(q.reached, 2):
        target = tip + q.side * run_to_target(q, depth, k)
        # After D, a target behind the close is nothing to wait for.
        if place >= 0 and (condition != DONE or q.side * (target - c) > 0.0):
            state.events[place].target[k] = target
    return place


@kernel
def tell(state: Any, scales: Any, t: Any, c: Any) -> None:
    """Report the news of all candidates; what finds no room waits for the next bar."""
    for condition in URGENCY:
        for i in range(N_CANDIDATES):
            if state.candidates[i].news == condition + 1:
                if mark_candidate(state, i, condition, scales[i // PER_SCALE], t, c) < 0:
                    return
                state.candidates[i].news = 0
