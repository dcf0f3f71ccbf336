"""Structure: closes beyond the last swing high or low, with the trend (BOS) or against it (CHoCH).

Each scale has one reference high and one reference low, the last confirmed pivots that no bar has
closed beyond. A close beyond one is a break and uses it up, until the next pivot of that side.
A wick beyond a reference is no break.

Source: Huddleston (ICT lectures); LuxAlgo, *Smart Money Concepts*. Pivots of the ATR zig-zag take
the place of their bar windows.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, INVALID
from opportunity.detectors.evidence import place
from opportunity.detectors.leg_items import end_item, is_live
from opportunity.detectors.marks import mark_levels, mark_number
from opportunity.detectors.smc_kinds import BREAK, mark_line, next_serial
from opportunity.detectors.smc_zones import row_of
from opportunity.detectors.swings import extreme, pivot
from opportunity.kernels import kernel

BREAK_ITEMS: Final = 3
"""Live breaks of one scale."""

BREAK_WEIGHTS: Final = (0.20, 0.45, 0.15, 0.35)  # internal BOS, swing BOS, the same of CHoCH
BREAK_HALF_LIVES: Final = (24.0, 72.0)
THRUST_BARS: Final = 3
"""Displacement is a thrust on one of so many last bars."""

STRUCTURE: Final = np.dtype(
    [
        ("reference", "f8", (2,)),  # high and low not closed beyond yet, NaN for none
        ("time", "i8", (2,)),
        ("trend", "i1"),  # side of the last break, 0 before the first
    ],
    align=True,
)
"""State of one scale besides its swings."""

NEWS: Final = np.dtype(
    [
        ("side", "i1"),  # of the break on this bar, 0 for none
        ("turned", "i1"),  # it was a CHoCH
        ("thrust", "i1"),  # with displacement
        ("quality", "f8"),
        ("level", "f8"),  # the reference that was broken
        ("price", "f8"),  # where the leg that broke began
        ("bar", "i8"),
        ("time", "i8"),
    ],
    align=True,
)
"""What one scale broke on the current bar."""


@kernel
def broken_side(st: Any, c: Any) -> Any:
    """Return +1 if the close is beyond the reference high, -1 beyond the low, else 0."""
    if c > st.reference[0]:
        return 1
    return -1 if c < st.reference[1] else 0


@kernel
def set_reference(st: Any, point: Any) -> None:
    """Make a pivot that was confirmed on this bar the reference of its side."""
    row = row_of(point.side)
    st.reference[row] = point.price
    st.time[row] = point.time


@kernel
def leg_start(swings: Any, side: Any, n: Any) -> Any:
    """Return price, bar and time where the leg to a break on bar `n` began.

    The last pivot of the other side; before it is confirmed, the extreme of the running leg.
    """
    if swings.direction == side:
        start = swings.pivots[pivot(swings, 0)]
        return start.price, start.bar, start.time
    if swings.count >= 2 and swings.pivots[pivot(swings, 0)].confirmed == n:
        start = swings.pivots[pivot(swings, 1)]  # the bar also ended the leg it broke with
        return start.price, start.bar, start.time
    return extreme(swings)


@kernel
def record_break(
    s: Any, j: Any, scale: Any, n: Any, t: Any, h: Any, low: Any, c: Any, a: Any
) -> None:
    """Turn the break of `s.news[j].side` into evidence and an event.

    Parameters
    ----------
    s : record
        State with `structure`, `swings`, `news`, `thrusts`, `items` and events; swings include
        the bar, references do not.
    j : int
        0 internal, 1 swing.
    scale : float
        Of its swings, ATR.
    n, t, h, low, c, a
        Number, opening time and prices of the bar, and the ATR, > 0.
    """
    st = s.structure[j]
    news = s.news[j]
    side = news.side
    row = row_of(side)
    price, bar, time = leg_start(s.swings[j], side, n)
    news.level = st.reference[row]
    news.price = price
    news.bar = bar
    news.time = time
    news.thrust = 1 if n - s.thrusts[row] < THRUST_BARS else 0
    news.turned = 1 if st.trend == -side else 0
    beyond = side * (c - news.level) / a
    news.quality = min(max(0.4 + 0.3 * beyond + 0.3 * news.thrust, 0.0), 1.0)
    kind = BREAK + 2 * news.turned + j
    serial = next_serial(s)
    i = mark_line(
        s, kind, side, ACTIVE, serial, n, t, news.quality,
        st.time[row], news.level, news.level,
    )  # fmt: skip
    mark_levels(s, i, c, price, np.nan)
    mark_number(s, i, beyond, scale)
    first = j * BREAK_ITEMS
    slot = place(
        s.items[first : first + BREAK_ITEMS], side, BREAK_WEIGHTS[kind - BREAK], news.quality,
        BREAK_HALF_LIVES[j], kind, n, st.time[row], serial,
    )  # fmt: skip
    if slot >= 0:
        s.live |= 1 << (first + slot)
        s.items[first + slot].level = news.level
        s.items[first + slot].x = beyond
    st.trend = side
    st.reference[row] = np.nan


@kernel
def end_opposite(s: Any, j: Any, scale: Any, n: Any, t: Any) -> None:
    """Take back the breaks of scale `j` against which this bar broke."""
    for slot in range(j * BREAK_ITEMS, (j + 1) * BREAK_ITEMS):
        item = s.items[slot]
        if is_live(s, slot) and item.side != s.news[j].side:
            i = mark_line(
                s, item.kind, item.side, INVALID, item.serial, n, t, item.quality, item.time,
                item.level, item.level,
            )  # fmt: skip
            mark_number(s, i, item.x, scale)
            end_item(s, slot)
