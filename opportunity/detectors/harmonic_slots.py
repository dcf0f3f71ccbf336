"""The slots that hold harmonic candidates: who gets one, who speaks for a D, and what is quiet.

Most bars change no candidate. `watch` notes the prices between which that is certain, so that
such a bar reads a few numbers instead of all slots.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import DONE, EXPIRED
from opportunity.detectors.evidence import WEAKEST, quieter, weigh
from opportunity.detectors.harmonic_candidates import (
    ARMED,
    COMPLETE,
    FREE,
    N_CANDIDATES,
    PER_SCALE,
    PROJECTED,
    end,
    run_to_target,
    strength,
)
from opportunity.detectors.harmonic_marks import mark_candidate, tell
from opportunity.detectors.harmonic_patterns import AB_CD, SHAPES
from opportunity.kernels import kernel

PROJECTED_WEIGHT: Final = 0.10
"""What a projected candidate is worth when slots are short; it says nothing in the score."""


@kernel
def outranks(a: Any, b: Any) -> Any:
    """Tell whether candidate `a` speaks instead of `b` at the same D; undecided between equals.

    A complete one before an armed one, XABCD before AB=CD, the better quality first.
    """
    if a.stage != b.stage:
        return a.stage > b.stage
    if (a.pattern == AB_CD) != (b.pattern == AB_CD):
        return b.pattern == AB_CD
    return a.quality > b.quality


@kernel
def _share_end(a: Any, b: Any) -> Any:
    both = (a.stage >= ARMED) & (b.stage >= ARMED)
    return both & (a.d_bar == b.d_bar) & (a.side == b.side)


@kernel
def _remove_siblings(state: Any, i: Any) -> None:
    """End what else was projected from the turns of a candidate that is now complete.

    AB=CD needs no X: it neither ends the patterns of X A B C nor ends with them.
    """
    q = state.candidates[i]
    first = i - i % PER_SCALE
    for j in range(first, first + PER_SCALE):
        other = state.candidates[j]
        waiting = (other.stage == PROJECTED) | (other.stage == ARMED)
        waiting &= (other.pattern == AB_CD) == (q.pattern == AB_CD)
        if waiting & (other.c_bar == q.c_bar) & (other.side == q.side):
            end(state, j, EXPIRED)


@kernel
def _hear(state: Any, i: Any) -> None:
    """Silence a candidate whose D another one speaks for; end it when both are complete."""
    q = state.candidates[i]
    silent = False
    final = False
    for j in range(N_CANDIDATES):
        other = state.candidates[j]
        if (j != i) & _share_end(q, other):
            # Between equals the larger scale speaks.
            less = outranks(other, q) or (j > i and not outranks(q, other))
            silent |= less
            final |= less & (other.stage == COMPLETE) & (q.stage == COMPLETE)
    if final:
        end(state, i, EXPIRED)
    elif q.stage == ARMED:
        p = strength(q)
        q.p = 0.0 if silent | (p < WEAKEST) else p


@kernel
def settle(state: Any, scales: Any, t: Any, c: Any) -> None:
    """Let every D speak once, end the siblings of what is done, and report what happened.

    Parameters
    ----------
    state : record
        As for `mark_candidate`.
    scales : array of float
        Swing scales in ATR, for the events.
    t, c
        Opening time and close of the bar.
    """
    news = 0
    for i in range(N_CANDIDATES):
        q = state.candidates[i]
        news |= q.news
        if q.news == DONE + 1:
            _remove_siblings(state, i)
    _agree(state)
    if news != 0:
        tell(state, scales, t, c)


@kernel
def _agree(state: Any) -> None:
    for i in range(N_CANDIDATES):
        if state.candidates[i].stage >= ARMED:
            _hear(state, i)


@kernel
def watch(state: Any) -> None:
    """Note which slots are in use and between which prices nothing happens to them."""
    _agree(state)
    used = 0
    speaking = 0
    armed = 0
    floor = -np.inf
    ceiling = np.inf
    until = np.int64(np.iinfo(np.int64).max)
    for i in range(N_CANDIDATES):
        q = state.candidates[i]
        if q.news != 0:  # there was no room to tell it
            until = np.int64(0)
        if q.stage == FREE:
            continue
        used |= 1 << i
        if q.stage >= ARMED:
            speaking |= 1 << i
        armed |= 1 if q.stage == ARMED else 0
        top = q.price[3]
        if q.stage == COMPLETE:
            ahead = q.d - run_to_target(q, q.d, q.reached)
            behind = q.stop
        else:
            ahead = 0.0
            behind = q.near
            until = min(until, np.int64(q.expires))
        # A little early: rounding may cost a needless look, never a missed one.
        pad = 1e-9 * abs(top)
        if q.side > 0:
            ceiling = min(ceiling, top - ahead - pad)
            floor = max(floor, top - behind + pad)
        else:
            floor = max(floor, top + ahead + pad)
            ceiling = min(ceiling, top + behind - pad)
    state.used = used
    state.speaking = speaking
    state.armed = armed
    state.floor = floor
    state.ceiling = ceiling
    state.until = until


@kernel
def is_quiet(state: Any, n: Any, h: Any, low: Any) -> Any:
    """Tell whether a bar changes no candidate.

    An armed one is looked at on every bar: what completes it moves with ATR.
    """
    inside = (h < state.ceiling) & (low > state.floor)
    return inside & (n < state.until) & (state.armed == 0)


@kernel
def age(state: Any) -> None:
    """Let the evidence of complete candidates fade by a bar; what has faded away needs a look."""
    for i in range(N_CANDIDATES):
        if state.speaking >> i == 0:
            return
        if state.speaking >> i & 1 != 0:
            q = state.candidates[i]
            q.p *= q.fade
            if (q.stage == COMPLETE) & (q.p < WEAKEST):
                q.p = 0.0
                state.until = 0


@kernel
def combine_speaking(state: Any, c_max: Any) -> Any:
    """Return score and confidence of the armed and complete candidates; see `evidence.combine`."""
    up = 1.0
    down = 1.0
    for i in range(N_CANDIDATES):
        if state.speaking >> i == 0:
            break
        if state.speaking >> i & 1 != 0:
            up, down = quieter(up, down, state.candidates[i])
    return weigh(up, down, c_max)


@kernel
def worth_projected(pattern: Any, quality: Any) -> Any:
    """Return what a candidate that waits for its zone is worth when a slot is needed."""
    return PROJECTED_WEIGHT * SHAPES[pattern].weight * quality


@kernel
def _value(q: Any) -> Any:
    return worth_projected(q.pattern, q.quality) if q.stage == PROJECTED else q.p


@kernel
def take_slot(state: Any, j: Any, value: Any, scale: Any, t: Any, c: Any) -> Any:
    """Return a slot of scale `j` for a candidate of some value, or -1.

    With none free the least valuable goes (of equals the oldest), or the new one is not taken.
    A slot whose end has not been told yet is not free.
    """
    first = j * PER_SCALE
    slot = -1
    for i in range(first, first + PER_SCALE):
        q = state.candidates[i]
        if q.stage == FREE:
            if q.news == 0:
                return i
            continue
        if slot < 0:
            slot = i
            continue
        least = state.candidates[slot]
        less = _value(q) < _value(least)
        if less or (_value(q) == _value(least) and q.serial < least.serial):
            slot = i
    if slot < 0 or value < _value(state.candidates[slot]):
        return -1
    mark_candidate(state, slot, EXPIRED, scale, t, c)
    return slot
