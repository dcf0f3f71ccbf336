"""Zones: the prices that gaps and order blocks leave behind, and how price comes back to them.

A zone is support (side +1) or resistance (-1). Price enters it through its near edge, the top of
a support; a close beyond its far edge ends it, and once exchanges its side. While price is away
only the near edges matter, so these lie together, apart from the zones themselves.

Source: practice known as smart money concepts (Huddleston's lectures; LuxAlgo). What a zone is
worth, and how it fades with distance, is ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID, TOUCHED
from opportunity.detectors.smc_kinds import BLOCK, BREAKER, GAP, INVERSE, mark_box, next_serial
from opportunity.kernels import kernel

N_GAPS: Final = 8
N_BLOCKS: Final = 6
N_ZONES: Final = N_GAPS + N_BLOCKS
"""Zones of one side: gaps first, then blocks.

A state has a pair of rows of `zones`, and of what every bar reads of them: `near`, their near
edges, and `quality`, [0, 1], what they are worth now.
"""

NEAR: Final = 0.5
"""Distance within which a zone counts, ATR."""

ZONE_WEIGHT: Final = 0.15
REACTED: Final = 1.3
MITIGATED: Final = 0.5
INVERTED: Final = 0.5
BROKEN: Final = 0.6

OPEN, ENTERED, HALF = range(3)

ZONE: Final = np.dtype(
    [
        ("top", "f8"),
        ("bottom", "f8"),
        ("base", "f8"),  # quality when it was found
        ("time", "i8"),  # opening time of the bar that it is drawn from
        ("serial", "i4"),
        ("scale", "f4"),  # of the break that made a block, 0 for gaps
        ("born", "i4"),  # number of the bar on which it became what it is
        ("kind", "i1"),
        ("fill", "i1"),  # how far price came into it: OPEN, ENTERED, HALF
    ],
    align=True,
)


@kernel
def row_of(side: Any) -> Any:
    """Return the row of a side in every pair of this detector: 0 for +1, 1 for -1."""
    return 0 if side > 0 else 1


@kernel
def clear_zones(s: Any) -> None:
    """Make every slot free; a free slot's near edge is NaN, which no comparison is true for."""
    for row in range(2):
        for i in range(N_ZONES):
            s.near[row, i] = np.nan


@kernel
def nearness(side: Any, near: Any, c: Any, a: Any) -> Any:
    """Return 1 for a close inside a zone (or past its near edge), falling to 0 at 0.5 ATR."""
    away = side * (c - near)
    if away <= 0.0:
        return 1.0
    reach = NEAR * a
    return 1.0 - away / reach if away < reach else 0.0


@kernel
def remove_zone(s: Any, row: Any, i: Any) -> None:
    """Make a slot free."""
    s.near[row, i] = np.nan


@kernel
def _pick(s: Any, row: Any, side: Any, first: Any, last: Any, c: Any, a: Any) -> Any:
    """Return a free slot in first..last - 1, or else that of the weakest, of equals the oldest."""
    worst = first
    least = np.inf
    for i in range(first, last):
        if np.isnan(s.near[row, i]):
            return i
        strength = s.quality[row, i] * nearness(side, s.near[row, i], c, a)
        older = strength == least and s.zones[row, i].born < s.zones[row, worst].born
        if strength < least or older:
            worst = i
            least = strength
    return worst


@kernel
def add_zone(
    s: Any, side: Any, kind: Any, top: Any, bottom: Any, quality: Any, scale: Any, time: Any,
    n: Any, t: Any, c: Any, a: Any,
) -> Any:  # fmt: skip
    """Keep a new zone and report it; return its slot.

    Parameters
    ----------
    s : record
        State with `zones`, `near`, `quality`, `serial` and events.
    side, kind : int
        +1 support or -1 resistance; GAP, INVERSE, BLOCK or BREAKER.
    top, bottom, quality, scale, time
        Of the zone, see `ZONE`.
    n, t, c, a
        Number, opening time and close of the bar, and the ATR, > 0.
    """
    row = row_of(side)
    is_gap = kind in (GAP, INVERSE)
    first = 0 if is_gap else N_GAPS
    last = N_GAPS if is_gap else N_ZONES
    i = _pick(s, row, side, first, last, c, a)
    zone = s.zones[row, i]
    if not np.isnan(s.near[row, i]):
        mark_box(s, zone.kind, side, EXPIRED, zone, s.quality[row, i], n, t, 0.0)
    zone.top = top
    zone.bottom = bottom
    zone.base = quality
    zone.scale = scale
    zone.serial = next_serial(s)
    zone.time = time
    zone.born = n
    zone.kind = kind
    zone.fill = OPEN
    s.quality[row, i] = quality
    place_edge(s, row, i)
    mark_box(s, kind, side, ACTIVE, zone, s.quality[row, i], n, t, 0.0)
    return i


@kernel
def place_edge(s: Any, row: Any, i: Any) -> None:
    """Write a zone's near edge where every bar looks."""
    s.near[row, i] = s.zones[row, i].top if row == 0 else s.zones[row, i].bottom


@kernel
def _exchange(s: Any, row: Any, i: Any, n: Any, t: Any, c: Any, a: Any) -> None:
    """End a zone that a bar closed beyond; the first time it goes on with the other side."""
    zone = s.zones[row, i]
    side = 1 - 2 * row
    mark_box(s, zone.kind, side, INVALID, zone, s.quality[row, i], n, t, 1.0)
    remove_zone(s, row, i)
    if zone.kind == GAP:
        add_zone(
            s, -side, INVERSE, zone.top, zone.bottom, INVERTED * zone.base, 0.0, zone.time,
            n, t, c, a,
        )  # fmt: skip
    elif zone.kind == BLOCK:
        s.expiry = min(s.expiry, n + s.lifetime)
        add_zone(
            s, -side, BREAKER, zone.top, zone.bottom, BROKEN * zone.base, zone.scale, zone.time,
            n, t, c, a,
        )  # fmt: skip


@kernel
def visit_zone(
    s: Any, row: Any, i: Any, n: Any, t: Any, h: Any, low: Any, c: Any, a: Any
) -> None:
    """Hold a zone against a bar that came into it: closed beyond, filled, half, touched."""
    zone = s.zones[row, i]
    side = 1 - 2 * row
    tip = low if side > 0 else h
    near = s.near[row, i]
    far = zone.bottom if side > 0 else zone.top
    if side * (far - c) > 0.0:
        _exchange(s, row, i, n, t, c, a)
        return
    if side * (far - tip) > 0.0 and (zone.kind == GAP or zone.kind == INVERSE):
        mark_box(s, zone.kind, side, DONE, zone, s.quality[row, i], n, t, 1.0)
        remove_zone(s, row, i)
        return
    height = zone.top - zone.bottom
    depth = min(side * (near - tip) / height, 1.0) if height > 0.0 else 1.0
    fill = HALF if side * (0.5 * (zone.top + zone.bottom) - tip) > 0.0 else ENTERED
    if fill > zone.fill:
        zone.fill = fill
        if fill == HALF and zone.kind == BLOCK:
            s.quality[row, i] = MITIGATED * s.quality[row, i]
        mark_box(s, zone.kind, side, TOUCHED, zone, s.quality[row, i], n, t, depth)
    if side * (c - near) > 0.0:
        s.quality[row, i] = min(REACTED * s.quality[row, i], 1.0)


@kernel
def follow_zones(s: Any, n: Any, t: Any, h: Any, low: Any, c: Any, a: Any) -> None:
    """Hold every zone against a bar, those of the bar's own side (`s.lead`) first.

    A zone that was found, or exchanged its side, on this bar is not tested against it.
    """
    for k in range(2):
        row = row_of(s.lead) if k == 0 else 1 - row_of(s.lead)
        near = s.near[row]
        entered = 0
        for i in range(N_ZONES):
            entered += low < near[i] if row == 0 else h > near[i]
        if entered == 0:
            continue
        for i in range(N_ZONES):
            inside = low < near[i] if row == 0 else h > near[i]
            if inside and s.zones[row, i].born != n:
                visit_zone(s, row, i, n, t, h, low, c, a)


@kernel
def hush_zones(s: Any, row: Any, calm: Any, c: Any, a: Any) -> Any:
    """Take the zones of one side into the chance that nothing argues for that side."""
    near = s.near[row]
    side = 1 - 2 * row
    edge = c - side * (NEAR * a)
    count = 0
    for i in range(N_ZONES):
        count += near[i] > edge if row == 0 else near[i] < edge
    if count == 0:
        return calm
    for i in range(N_ZONES):
        if near[i] > edge if row == 0 else near[i] < edge:
            calm *= 1.0 - ZONE_WEIGHT * s.quality[row, i] * nearness(side, near[i], c, a)
    return calm
