"""The ICT sequence: sweep, change of character with displacement, gap, return.

One sequence per side. Stage 1 is a sweep; stage 2 an internal CHoCH away from it within 12 bars,
with displacement; stage 3 a fair value gap that this move left; stage 4 the return of price into
the gap, or into 0.62-0.79 of the move from the swept extreme. Out of this order nothing counts.
A close beyond the swept extreme kills the sequence.

Source: Huddleston (ICT lectures); every author words the order a little differently. The values
of the stages and their decay are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, EXPIRED, FORMING, INVALID
from opportunity.detectors.evidence import WEAKEST
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point, mark_zone
from opportunity.detectors.smc_clock import session_factor
from opportunity.detectors.smc_kinds import ICT, next_serial
from opportunity.detectors.smc_range import OTE_FIRST
from opportunity.detectors.smc_zones import row_of
from opportunity.kernels import kernel

VALUES: Final = (0.0, 0.15, 0.4, 0.6, 1.0)
NONE, SWEPT, TURNED, GAPPED, RETURNED = range(5)
PATIENCE: Final = 12
"""Bars that the change of character may come after the sweep."""

GAP_BARS: Final = 2
"""Bars after the change of character by which the gap is complete."""

FADE: Final = float(2.0 ** (-1 / 12))
"""What a bar leaves of a stage's value."""

CHAIN: Final = np.dtype(
    [
        ("p", "f8"),  # strength now
        ("level", "f8"),  # the extreme of the sweep
        ("tip", "f8"),  # the farthest that price went from it since
        ("near", "f8"),  # edges of the newest gap of the move, NaN for none
        ("far", "f8"),
        ("gap_quality", "f8"),
        ("quality", "f8"),  # sum over the parts so far
        ("sweep_bar", "i4"),
        ("turn_bar", "i4"),
        ("gap_bar", "i4"),
        ("sweep_time", "i8"),
        ("turn_time", "i8"),
        ("turn_price", "f8"),
        ("serial", "i4"),  # of the event, 0 before stage 2
        ("stage", "i1"),
        ("parts", "i1"),
    ],
    align=True,
)
"""The sequence of one side; all bytes zero is none."""


@kernel
def age_chains(s: Any) -> None:
    """Make both sequences a bar older."""
    for row in range(2):
        s.chains[row].p *= FADE


@kernel
def _mark_chain(s: Any, row: Any, condition: Any, n: Any, t: Any, c: Any) -> None:
    chain = s.chains[row]
    side = 1 - 2 * row
    i = mark(s, ICT, side, condition, chain.serial, n, t, chain.quality / chain.parts)
    mark_point(s, i, chain.sweep_time, chain.level)
    mark_point(s, i, chain.turn_time, chain.turn_price)
    if chain.stage == RETURNED and condition == ACTIVE:
        mark_point(s, i, t, c)
    if not np.isnan(chain.near):
        mark_zone(s, i, max(chain.near, chain.far), min(chain.near, chain.far))
    mark_levels(s, i, c if chain.stage == RETURNED else chain.near, chain.level, chain.tip)
    mark_number(s, i, chain.stage, 0.0)


@kernel
def _leave(s: Any, row: Any, condition: Any, n: Any, t: Any, c: Any) -> None:
    chain = s.chains[row]
    if chain.serial != 0:
        _mark_chain(s, row, condition, n, t, c)
    chain.serial = 0
    chain.stage = NONE
    chain.p = 0.0


@kernel
def _advance(s: Any, row: Any, stage: Any, quality: Any, t: Any) -> None:
    """Reach a stage with another part of that quality (below 0: no part)."""
    chain = s.chains[row]
    chain.stage = stage
    if quality >= 0.0:
        chain.quality += quality
        chain.parts += 1
    worth = VALUES[stage] * session_factor(t, s.clock.length)
    chain.p = worth * (chain.quality / chain.parts)


@kernel
def _begin(s: Any, row: Any, n: Any, t: Any, h: Any, low: Any, c: Any) -> None:
    """Begin a sequence with the sweep of this bar, unless one is under way that says more."""
    chain = s.chains[row]
    quality = s.swept[1 - row].quality
    if chain.stage > SWEPT:
        if chain.p >= VALUES[SWEPT] * session_factor(t, s.clock.length) * quality:
            return
        _leave(s, row, EXPIRED, n, t, c)
    chain.level = s.swept[1 - row].tip
    chain.tip = h if row == 0 else low
    chain.near = np.nan
    chain.far = np.nan
    chain.quality = 0.0
    chain.parts = 0
    chain.sweep_bar = n
    chain.sweep_time = t
    chain.gap_bar = -1
    chain.serial = 0
    _advance(s, row, SWEPT, quality, t)


@kernel
def _returned(chain: Any, side: Any, back: Any, n: Any) -> Any:
    """Tell whether a bar reached back into the gap or into the band of the move."""
    if side * (chain.near - back) > 0.0:
        return True
    return side * (chain.tip - back) >= OTE_FIRST * (side * (chain.tip - chain.level))


@kernel
def _follow(
    s: Any, row: Any, gap: Any, slot: Any, n: Any, t: Any, h: Any, low: Any, c: Any
) -> None:
    chain = s.chains[row]
    side = 1 - 2 * row
    if side * (chain.level - c) > 0.0:
        _leave(s, row, INVALID, n, t, c)
        return
    if chain.p < WEAKEST:
        _leave(s, row, EXPIRED, n, t, c)
        return
    ahead = h if side > 0 else low
    back = low if side > 0 else h
    # The bar that moves the tip is not measured against it: which came first is not known.
    if chain.stage == GAPPED and side * (ahead - chain.tip) <= 0.0 and _returned(
        chain, side, back, n
    ):
        _advance(s, row, RETURNED, -1.0, t)
        _mark_chain(s, row, ACTIVE, n, t, c)
        return
    if side * (ahead - chain.tip) > 0.0:
        chain.tip = ahead
    if gap == side and chain.stage <= TURNED:
        zone = s.zones[row, slot]
        chain.near = zone.top if side > 0 else zone.bottom
        chain.far = zone.bottom if side > 0 else zone.top
        chain.gap_quality = zone.base
        chain.gap_bar = n
    elif chain.stage <= TURNED and side * (chain.far - back) > 0.0:
        chain.near = np.nan  # filled before its turn came
        chain.far = np.nan
        chain.gap_bar = -1
    news = s.news[0]
    if (
        chain.stage == SWEPT
        and (news.side == side and news.turned != 0 and news.thrust != 0)
        and n - chain.sweep_bar <= PATIENCE
    ):
        chain.turn_bar = n
        chain.turn_time = t
        chain.turn_price = news.level
        chain.serial = next_serial(s)
        _advance(s, row, TURNED, news.quality, t)
        _mark_chain(s, row, FORMING, n, t, c)
    if (
        chain.stage == TURNED
        and chain.gap_bar > chain.sweep_bar
        and chain.gap_bar <= chain.turn_bar + GAP_BARS
    ):
        _advance(s, row, GAPPED, chain.gap_quality, t)
        _mark_chain(s, row, FORMING, n, t, c)


@kernel
def follow_chains(
    s: Any, gap: Any, slot: Any, n: Any, t: Any, h: Any, low: Any, c: Any
) -> None:
    """Carry both sequences over a bar, then begin those that it swept for.

    Parameters
    ----------
    s : record
        State with `chains`, `swept`, `news`, `zones`, `clock` and events.
    gap, slot : int
        Side and slot of the gap that the bar completed, 0 for none.
    n, t, h, low, c
        Number, opening time and prices of the bar.
    """
    for k in range(2):
        row = row_of(s.lead) if k == 0 else 1 - row_of(s.lead)
        if s.chains[row].stage != NONE:
            _follow(s, row, gap, slot, n, t, h, low, c)
        if s.swept[1 - row].side != 0:
            _begin(s, row, n, t, h, low, c)
