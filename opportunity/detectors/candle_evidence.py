"""Candle patterns as evidence: the strongest of a bar, its confirmation, armed mother bars.

A pattern argues for 6 bars' half-life, until a close beyond its own low (mirrored for bearish
ones). A close beyond its high on the very next bar confirms it. Inside bars, outside bars and
dojis have no side: they arm their mother bar, whose break is shown but carries no score.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.candles import (
    DOJI,
    INSIDE,
    LENGTH,
    N_CANDLES,
    OUTSIDE,
    WEIGHT,
    in_context,
    neutral,
    reach,
    recognise,
)
from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, FORMING, INVALID
from opportunity.detectors.evidence import drop, revalue
from opportunity.detectors.levels import is_supported
from opportunity.detectors.marks import mark, mark_levels, mark_point, mark_zone
from opportunity.detectors.rolling import N_RING, stands_out
from opportunity.detectors.slots import put
from opportunity.kernels import kernel

HALF_LIFE: Final = 6.0
PLAIN: Final = 0.4
"""Quality of a pattern with nothing else to say for it."""

AT_LEVEL: Final = 0.3
WITH_VOLUME: Final = 0.15
CONFIRMED: Final = 0.15
MOTHER_BARS: Final = 10
"""Bars for which a mother bar stays armed."""

MOTHER: Final = np.dtype(
    [
        ("serial", "i8"),
        ("kind", "i4"),
        ("armed", "i1"),
        ("born", "i8"),
        ("time", "i8"),
        ("top", "f8"),
        ("bottom", "f8"),
    ],
    align=True,
)


@kernel
def find_candle(s: Any, p: Any, d: Any, n: Any, t: Any, a: Any, v: Any) -> None:
    """Place the strongest pattern of side `d` that ends with this bar.

    Parameters
    ----------
    s : record
        State with `bars`, `times`, `volumes`, `bands`, `items` and `serial`.
    p : record
        Parameters; `near` is the reach of a level in ATR, `volume` a multiple of the median.
    d, n, t : int
        Side, number and opening time of the bar.
    a : float
        ATR, > 0.
    v : float
        The bar's volume; `volumes` holds those before it.
    """
    found = recognise(s.bars, n, d)
    if found != 0:
        found = in_context(s.bars, n, d, a, found)
    if found == 0:
        return
    best = -1
    best_quality = 0.0
    best_strength = 0.0
    for k in range(N_CANDLES):
        if found >> k & 1 == 0:
            continue
        _, near = reach(s.bars, n, LENGTH[k], d)
        quality = PLAIN
        if is_supported(s, d, near, p.near * a, n):
            quality += AT_LEVEL
        if stands_out(s.volumes, n, p.volume, v):
            quality += WITH_VOLUME
        if WEIGHT[k] * quality > best_strength:
            best = k
            best_quality = quality
            best_strength = WEIGHT[k] * quality
    if best >= 0:
        _place(s, d, best, best_quality, n, t)


@kernel
def _place(s: Any, d: Any, kind: Any, quality: Any, n: Any, t: Any) -> None:
    far, near = reach(s.bars, n, LENGTH[kind], d)
    s.serial += 1
    slot = put(s, d, WEIGHT[kind], quality, HALF_LIFE, kind, n, t, s.serial)
    if slot >= 0:
        s.items[slot].level = near
        s.items[slot].x = far
    i = mark(s, kind, d, ACTIVE, s.serial, n, t, quality)
    for k in range(n - LENGTH[kind] + 1, n + 1):
        at = k & (N_RING - 1)
        mark_point(s, i, s.times[at], s.bars[at, 2 if d > 0 else 1])
    mark_zone(s, i, max(far, near), min(far, near))
    mark_levels(s, i, far, near, np.nan)


@kernel
def follow_candle(s: Any, k: Any, n: Any, t: Any, c: Any) -> None:
    """Test the pattern in slot `k` against a later close: refuted or, one bar on, confirmed."""
    item = s.items[k]
    d = item.side
    if d * (c - item.level) < 0.0:
        i = mark(s, item.kind, d, INVALID, item.serial, n, t, item.quality)
        mark_point(s, i, item.time, item.level)
        drop(s.items, k)
    elif item.age == 1 and d * (c - item.x) > 0.0:
        revalue(s.items, k, min(item.quality + CONFIRMED, 1.0))
        i = mark(s, item.kind, d, DONE, item.serial, n, t, item.quality)
        mark_point(s, i, item.time, item.x)


@kernel
def mother_step(s: Any, n: Any, t: Any, c: Any) -> None:
    """Tell whether the armed mother bar broke; arm a new one if this bar is neutral."""
    m = s.mother
    if m.armed != 0:
        side = 0
        if c > m.top:
            side = 1
        if c < m.bottom:
            side = -1
        if side != 0:
            m.armed = 0
            _show(s, side, DONE, n, t)
        elif n - m.born >= MOTHER_BARS:
            m.armed = 0
            _show(s, 0, EXPIRED, n, t)
    found = neutral(s.bars, n)
    if m.armed != 0 or found == 0:
        return
    kind = DOJI
    if found >> INSIDE & 1 != 0:
        kind = INSIDE
    elif found >> OUTSIDE & 1 != 0:
        kind = OUTSIDE
    mother = (n - 1 if kind == INSIDE else n) & (N_RING - 1)
    s.serial += 1
    m.serial = s.serial
    m.kind = kind
    m.armed = 1
    m.born = n
    m.time = s.times[mother]
    m.top = s.bars[mother, 1]
    m.bottom = s.bars[mother, 2]
    _show(s, 0, FORMING, n, t)


@kernel
def _show(s: Any, side: Any, state: Any, n: Any, t: Any) -> None:
    m = s.mother
    i = mark(s, m.kind, side, state, m.serial, n, t, 0.0)
    mark_point(s, i, m.time, 0.5 * (m.top + m.bottom))
    mark_zone(s, i, m.top, m.bottom)
