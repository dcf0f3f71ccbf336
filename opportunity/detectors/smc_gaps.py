"""Fair value gaps: prices that three bars in a row jumped across.

A bullish gap lies between the high of the bar before last and the low of the last bar when the
bar between them closed up. Price that returns fills it: touched, half, filled; a close beyond it
inverts it. What happens to a gap later is `smc_zones`' business.

Source: Huddleston (ICT lectures); `smartmoneyconcepts` for the condition on the middle bar. The
least size in ATR and the quality are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, TOUCHED
from opportunity.detectors.smc_kinds import GAP, mark_box
from opportunity.detectors.smc_zones import (
    ENTERED,
    HALF,
    OPEN,
    add_zone,
    place_edge,
    row_of,
)
from opportunity.kernels import kernel

WEAK: Final = 0.6
"""What a gap is worth whose middle bar has a body below one ATR."""

N_BARS: Final = 16
"""Bars that the detector remembers; a power of two: bar `n` is at `n & (N_BARS - 1)`."""

LAST: Final = N_BARS - 1


@kernel
def gap_quality(size: Any, strong: Any, a: Any) -> Any:
    """Rate a gap by its size in ATR, in [0.15, 1]; `strong` says whether its body was."""
    return min(max(size / a, 0.25), 1.0) * (1.0 if strong else WEAK)


@kernel
def _merge(
    s: Any, row: Any, i: Any, top: Any, bottom: Any, tip: Any, n: Any, t: Any, a: Any
) -> None:
    """Widen the newest gap by another one of its side; how far it is filled is seen anew."""
    zone = s.zones[row, i]
    zone.top = max(zone.top, top)
    zone.bottom = min(zone.bottom, bottom)
    zone.born = n
    zone.base = max(zone.base, gap_quality(zone.top - zone.bottom, s.strong != 0, a))
    s.quality[row, i] = max(s.quality[row, i], zone.base)
    place_edge(s, row, i)
    side = 1 - 2 * row
    middle = 0.5 * (zone.top + zone.bottom)
    depth = side * (s.near[row, i] - tip) / (zone.top - zone.bottom)
    if side * (middle - tip) > 0.0:
        zone.fill = HALF
    elif depth > 0.0 or zone.fill != OPEN:
        zone.fill = ENTERED
    condition = ACTIVE if zone.fill == OPEN else TOUCHED
    mark_box(
        s, GAP, side, condition, zone, s.quality[row, i], n, t, abs(depth)
    )


@kernel
def find_gap(
    s: Any, p: Any, n: Any, t: Any, h: Any, low: Any, c: Any, before: Any, a: Any
) -> Any:
    """Look for a gap that the bar completes; return its side (0 for none) and its slot.

    Parameters
    ----------
    s : record
        State with zones, the ring `bars` and `times` of the bars before this one, `strong`,
        `gap_bar` and `gap_slot`.
    p : record
        `least_gap` in ATR, `merge` in bars: a gap this soon after one of its side widens it.
    n, t, h, low, c
        Number, opening time and prices of the bar.
    before, a : float
        ATR before the bar and with it, > 0.
    """
    first = s.bars[(n - 2) & LAST]
    middle = s.bars[(n - 1) & LAST]
    up = low - first[1]
    down = first[2] - h
    least = p.least_gap * before
    is_up = up > 0.0 and up >= least and middle[3] > middle[0]
    is_down = down > 0.0 and down >= least and middle[3] < middle[0]
    if not is_up and not is_down:
        return 0, -1
    side = 1 if is_up else -1
    row = row_of(side)
    top = low if is_up else first[2]
    bottom = first[1] if is_up else h
    tip = low if is_up else h
    i = s.gap_slot[row]
    zone = s.zones[row, i]
    alive = not np.isnan(s.near[row, i]) and zone.kind == GAP and zone.born == s.gap_bar[row]
    if alive and n - s.gap_bar[row] <= p.merge:
        _merge(s, row, i, top, bottom, tip, n, t, a)
    else:
        quality = gap_quality(top - bottom, s.strong != 0, a)
        time = s.times[(n - 1) & LAST]
        i = add_zone(s, side, GAP, top, bottom, quality, 0.0, time, n, t, c, a)
        s.gap_slot[row] = i
    s.gap_bar[row] = n
    return side, i
