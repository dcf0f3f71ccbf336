"""The dealing range with its premium and discount, and the retracement band of the swing leg.

The range runs from the last swing low to the last swing high, broken or not, and the running leg
may extend it. Its upper half is premium (bearish), its lower half discount (bullish). After a
swing break the band of 0.62 to 0.79 of the leg that broke is where the break is expected to go
on ("optimal trade entry"), until a close beyond the leg's start.

Source: Huddleston (ICT lectures).
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point, mark_zone
from opportunity.detectors.smc_kinds import OTE, RANGE, next_serial
from opportunity.detectors.smc_zones import row_of
from opportunity.kernels import kernel

RANGE_WEIGHT: Final = 0.10
BALANCED: Final = 0.2
"""Nearer to the middle than this part of half the range is neither premium nor discount."""

OTE_WEIGHT: Final = 0.15
OTE_FIRST, OTE_IDEAL, OTE_LAST = 0.62, 0.705, 0.79

DEALING: Final = np.dtype(
    [
        ("edge", "f8", (2,)),  # the last confirmed swing high and low, NaN before both
        ("time", "i8", (2,)),
        ("serial", "i8"),  # of its event: there is one range, which moves
    ],
    align=True,
)

BAND: Final = np.dtype(
    [
        ("start", "f8"),
        ("tip", "f8"),
        ("start_time", "i8"),
        ("tip_time", "i8"),
        ("tip_bar", "i8"),
        ("serial", "i8"),  # of the event, 0 while price has not come to the band
        ("side", "i1"),  # of the leg, 0 for none
    ],
    align=True,
)


@kernel
def range_now(s: Any) -> Any:
    """Return top and bottom of the dealing range, NaN before two swing pivots."""
    d = s.dealing
    swings = s.swings[1]
    top = d.edge[0]
    bottom = d.edge[1]
    if swings.direction > 0 and swings.high > top:
        top = swings.high
    elif swings.direction < 0 and swings.low < bottom:
        bottom = swings.low
    return top, bottom


@kernel
def set_edge(s: Any, point: Any, scale: Any, n: Any, t: Any, c: Any) -> None:
    """Let a swing pivot that was confirmed on this bar bound the range; report the new range."""
    d = s.dealing
    row = row_of(point.side)
    d.edge[row] = point.price
    d.time[row] = point.time
    top, bottom = range_now(s)
    if not top > bottom:  # also while one side is not known
        return
    if d.serial == 0:
        d.serial = next_serial(s)
    i = mark(s, RANGE, 0, ACTIVE, d.serial, n, t, 0.0)
    mark_point(s, i, d.time[0], top)
    mark_point(s, i, d.time[1], bottom)
    mark_zone(s, i, top, bottom)
    mark_number(s, i, (c - bottom) / (top - bottom), scale)


@kernel
def premium(s: Any, c: Any) -> Any:
    """Return where the close is in the range: -1 its low, 0 its middle, 1 its high; NaN without."""
    top, bottom = range_now(s)
    half = 0.5 * (top - bottom)
    if not half > 0.0:
        return np.nan
    return min(max((c - 0.5 * (top + bottom)) / half, -1.0), 1.0)


@kernel
def _depth(b: Any, price: Any) -> Any:
    return b.side * (b.tip - price) / (b.side * (b.tip - b.start))


@kernel
def _mark_band(s: Any, condition: Any, scale: Any, n: Any, t: Any) -> None:
    b = s.band
    span = b.tip - b.start
    first = b.tip - OTE_FIRST * span
    last = b.tip - OTE_LAST * span
    i = mark(s, OTE, b.side, condition, b.serial, n, t, 1.0)
    mark_point(s, i, b.start_time, b.start)
    mark_point(s, i, b.tip_time, b.tip)
    mark_zone(s, i, max(first, last), min(first, last))
    mark_levels(s, i, b.tip - OTE_IDEAL * span, b.start, b.tip)
    mark_number(s, i, OTE_IDEAL, scale)


@kernel
def _leave(s: Any, condition: Any, scale: Any, n: Any, t: Any) -> None:
    """End the report of the band if there is one."""
    if s.band.serial != 0:
        _mark_band(s, condition, scale, n, t)
        s.band.serial = 0


@kernel
def set_band(s: Any, scale: Any, n: Any, t: Any, h: Any, low: Any) -> None:
    """Measure the band on the leg that broke swing structure on this bar (`s.news[1]`)."""
    news = s.news[1]
    swings = s.swings[1]
    b = s.band
    _leave(s, EXPIRED, scale, n, t)
    b.side = news.side
    b.start = news.price
    b.start_time = news.time
    b.tip = h if news.side > 0 else low
    b.tip_bar = n
    b.tip_time = t
    if swings.direction == news.side:
        up = news.side > 0
        b.tip = swings.high if up else swings.low
        b.tip_bar = swings.high_bar if up else swings.low_bar
        b.tip_time = swings.high_time if up else swings.low_time
    if not b.side * (b.tip - b.start) > 0.0:
        b.side = 0


@kernel
def follow_band(s: Any, scale: Any, n: Any, t: Any, h: Any, low: Any, c: Any) -> None:
    """Carry the band over a bar: over, moved on by a new extreme, or entered.

    A bar that makes the extreme is not tested against the band: which came first is not known.
    """
    b = s.band
    if b.side == 0:
        return
    tip = h if b.side > 0 else low
    back = low if b.side > 0 else h
    if b.side * (b.start - c) > 0.0:
        _leave(s, INVALID, scale, n, t)
        b.side = 0
    elif b.side * (tip - b.tip) > 0.0:
        _leave(s, DONE, scale, n, t)
        b.tip = tip
        b.tip_bar = n
        b.tip_time = t
    elif b.serial == 0 and _depth(b, back) >= OTE_FIRST:
        b.serial = next_serial(s)
        _mark_band(s, ACTIVE, scale, n, t)


@kernel
def band_quality(b: Any, c: Any) -> Any:
    """Rate a close in the band: 1 at 0.705 of the leg, 0.5 at its edges, 0 outside."""
    if b.side == 0:
        return 0.0
    depth = _depth(b, c)
    if not OTE_FIRST <= depth <= OTE_LAST:
        return 0.0
    return 1.0 - 0.5 * abs(depth - OTE_IDEAL) / (OTE_IDEAL - OTE_FIRST)
