"""Breakouts of the range of the last bars, their failure and their retest.

Sources: Donchian's channel rule, *Trend Following Methods in Commodity Price Analysis* (1957);
Edwards and Magee (1948) on volume and on the return to a broken level. Sizes are our own.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, INVALID, TOUCHED
from opportunity.detectors.evidence import drop, revalue
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point
from opportunity.detectors.rolling import N_RING, stands_out
from opportunity.detectors.slots import put
from opportunity.kernels import kernel

BREAKOUT, FAILED = 11, 12
BREAKOUT_WEIGHT: Final = 0.40
BREAKOUT_HALF_LIFE: Final = 24.0
FAILED_WEIGHT: Final = 0.20
FAILED_HALF_LIFE: Final = 6.0
NARROW: Final = 4.0
"""Range of the bars before, in ATR, below which they are a narrow base."""

FAIL_BARS: Final = 3
RETEST_BARS: Final = 24
RETEST_REACH: Final = 0.3
RETEST_BONUS: Final = 0.2


@kernel
def find_breakout(s: Any, p: Any, n: Any, t: Any, c: Any, a: Any, v: Any) -> None:
    """Place an item if the bar closed beyond the bars before it and the last one did not.

    Parameters
    ----------
    s : record
        State; `s.base` holds the extremes of the bars before this one, `s.beyond` the side to
        which the last bar closed beyond its own.
    p : record
        Parameters; `margin` is how far beyond in ATR, `volume` a multiple of the median.
    n, t : int
        Number and opening time of the bar.
    c, a : float
        Its close and the ATR, > 0.
    v : float
        Its volume; `s.volumes` holds those before it.
    """
    d = 0
    level = 0.0
    start = 0
    if c - s.base.high >= p.margin * a:
        d, level, start = 1, s.base.high, s.base.high_bar
    if s.base.low - c >= p.margin * a:  # cannot both hold: a close has one place
        d, level, start = -1, s.base.low, s.base.low_bar
    if d != 0 and d != s.beyond:
        beyond = (d * (c - level) - p.margin * a) / a
        quality = 0.4 + 0.25 * min(max(beyond, 0.0), 1.0)
        if stands_out(s.volumes, n, p.volume, v):
            quality += 0.2
        if s.base.high - s.base.low < NARROW * a:
            quality += 0.15
        s.serial += 1
        slot = put(s, d, BREAKOUT_WEIGHT, quality, BREAKOUT_HALF_LIFE, BREAKOUT, n, t, s.serial)
        if slot >= 0:
            s.items[slot].level = level
            s.items[slot].x = 0.0  # not retested yet
        i = mark(s, BREAKOUT, d, ACTIVE, s.serial, n, t, quality)
        mark_point(s, i, s.times[start & (N_RING - 1)], level)
        mark_point(s, i, t, level)
        mark_levels(s, i, c, level - d * (p.margin * a), np.nan)
        mark_number(s, i, beyond + p.margin, 0.0)
    s.beyond = d


@kernel
def is_open(item: Any) -> Any:
    """Tell whether a breakout may still fail or be retested."""
    return item.age <= FAIL_BARS or (item.x == 0.0 and item.age <= RETEST_BARS)


@kernel
def follow_breakout(
    s: Any, p: Any, k: Any, n: Any, t: Any, h: Any, l: Any, c: Any, a: Any  # noqa: E741
) -> None:
    """Test the breakout in slot `k` against a later bar: it may fail or be retested.

    Within 3 bars a close back inside by `margin` ATR removes it and argues for the other side.
    Within 24 bars a wick that returns to the level, with a close that holds it, adds quality
    once.
    """
    item = s.items[k]
    d = item.side
    level = item.level
    serial = item.serial
    time = item.time  # copied: the slot may be given to the opposite item below
    back = d * (level - c)
    if item.age <= FAIL_BARS and back >= p.margin * a:
        i = mark(s, BREAKOUT, d, INVALID, serial, n, t, item.quality)
        mark_point(s, i, time, level)
        mark_point(s, i, t, level)
        drop(s.items, k)
        s.serial += 1
        put(s, -d, FAILED_WEIGHT, 1.0, FAILED_HALF_LIFE, FAILED, n, t, s.serial)
        i = mark(s, FAILED, -d, ACTIVE, s.serial, n, t, 1.0)
        mark_point(s, i, time, level)
        mark_point(s, i, t, level)
        mark_levels(s, i, c, level + d * (p.margin * a), np.nan)
        return
    wick = l if d > 0 else h
    returned = d * (wick - level) <= RETEST_REACH * a and back <= 0.0
    if item.x == 0.0 and item.age <= RETEST_BARS and returned:
        item.x = 1.0
        revalue(s.items, k, min(item.quality + RETEST_BONUS, 1.0))
        i = mark(s, BREAKOUT, d, TOUCHED, serial, n, t, item.quality)
        mark_point(s, i, time, level)
        mark_point(s, i, t, level)
