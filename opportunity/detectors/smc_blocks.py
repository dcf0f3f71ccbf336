"""Order blocks: the last candle of the other colour before a move that broke structure.

Made by a break with displacement. Fresh until price enters it, worth half after price has been
past its middle, and once closed beyond it goes on as a *breaker* with the other side.

Source: Huddleston (ICT lectures); LuxAlgo, *Smart Money Concepts*. Authors disagree between the
last opposite candle (here) and the extreme candle of the leg.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, EXPIRED, TOUCHED
from opportunity.detectors.smc_gaps import LAST
from opportunity.detectors.smc_kinds import BLOCK, mark_box
from opportunity.detectors.smc_zones import (
    HALF,
    MITIGATED,
    N_GAPS,
    N_ZONES,
    OPEN,
    add_zone,
    remove_zone,
    row_of,
)
from opportunity.kernels import kernel

BACK: Final = 15
"""Bars before the break that are searched."""

WIDE: Final = 2.0
"""A candle taller than this, in ATR, is cut to its body."""


@kernel
def _last_opposite(s: Any, side: Any, start: Any, n: Any) -> Any:
    """Return the number of the last bar of the other colour, -1 for none.

    The bar before that of the leg's first extreme, `start`, is searched too: when a rise begins
    with the low of its own first bar, the last falling candle is the one before.
    """
    for k in range(n - 1, max(start - 1, n - BACK, 0) - 1, -1):
        bar = s.bars[k & LAST]
        if side * (bar[3] - bar[0]) < 0.0:
            return k
    return -1


@kernel
def _known(s: Any, row: Any, time: Any) -> Any:
    """Return the slot of the living block of that candle, -1 for none."""
    for i in range(N_GAPS, N_ZONES):
        zone = s.zones[row, i]
        if not np.isnan(s.near[row, i]) and zone.kind == BLOCK and zone.time == time:
            return i
    return -1


@kernel
def find_block(
    s: Any, side: Any, start: Any, quality: Any, scale: Any, n: Any, t: Any, c: Any, a: Any
) -> None:
    """Find the order block of a break that began at bar `start`.

    A candle that an earlier break has already made a block keeps it, with the better of both
    qualities and the larger scale.
    """
    k = _last_opposite(s, side, start, n)
    if k < 0:
        return
    bar = s.bars[k & LAST]
    time = s.times[k & LAST]
    row = row_of(side)
    i = _known(s, row, time)
    if i >= 0:
        zone = s.zones[row, i]
        if quality > zone.base:
            zone.base = quality
            s.quality[row, i] = quality * (MITIGATED if zone.fill == HALF else 1.0)
        if scale > zone.scale:
            zone.scale = scale
            condition = ACTIVE if zone.fill == OPEN else TOUCHED
            mark_box(s, BLOCK, side, condition, zone, s.quality[row, i], n, t, 0.0)
        return
    wide = bar[1] - bar[2] > WIDE * a
    top = max(bar[0], bar[3]) if wide else bar[1]
    bottom = min(bar[0], bar[3]) if wide else bar[2]
    s.expiry = min(s.expiry, n + s.lifetime)
    add_zone(s, side, BLOCK, top, bottom, quality, scale, time, n, t, c, a)


@kernel
def expire_blocks(s: Any, n: Any, t: Any) -> None:
    """End blocks and breakers that lived their `s.lifetime` bars, and note when to look again."""
    s.expiry = n + s.lifetime
    for k in range(2):
        row = row_of(s.lead) if k == 0 else 1 - row_of(s.lead)
        for i in range(N_GAPS, N_ZONES):
            if np.isnan(s.near[row, i]):
                continue
            zone = s.zones[row, i]
            if n - zone.born >= s.lifetime:
                mark_box(
                    s, zone.kind, 1 - 2 * row, EXPIRED, zone, s.quality[row, i], n, t, 0.0
                )
                remove_zone(s, row, i)
            else:
                s.expiry = min(s.expiry, zone.born + s.lifetime)
