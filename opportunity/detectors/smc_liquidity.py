"""Liquidity: prices beyond which stops are thought to lie, and sweeps that reach for them.

Pools are the last swing pivots, equal highs and lows, and the extremes of the previous day, week
and Asian session. A bar that reaches beyond a pool and closes back, on the same bar or the next,
sweeps it; each pool is swept once. Two closes beyond use it up without a sweep.

Source: Huddleston (ICT lectures); LuxAlgo for equal levels. Osler (2003) finds stop orders just
beyond obvious prices, and price running on through them rather than turning.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID
from opportunity.detectors.evidence import place
from opportunity.detectors.leg_items import end_item, is_live
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point
from opportunity.detectors.smc_clock import DAYS, WEEKS
from opportunity.detectors.smc_gaps import LAST
from opportunity.detectors.smc_kinds import EQUAL, SWEEP, mark_line, next_serial
from opportunity.detectors.smc_zones import row_of
from opportunity.detectors.swings import pivot
from opportunity.kernels import kernel

SWING_POOL, EQUAL_INTERNAL, EQUAL_SWING, DAY_POOL, WEEK_POOL, ASIA_POOL = range(6)
N_POOLS: Final = 6
FIRST_SWEEP, LAST_SWEEP = 6, 10
"""Slots of the sweeps among the items, after the breaks."""

SWEEP_WEIGHT: Final = 0.10
SWEEP_HALF_LIFE: Final = 6.0

POOL: Final = np.dtype(
    [
        ("time", "i8"),
        ("beyond", "f8"),  # how far the bar before reached beyond it
        ("serial", "i8"),  # of the event of equal levels, 0 for other pools
    ],
    align=True,
)
"""What few bars need of a pool. Its price is in `levels`; `late` tells that the bar before closed
beyond it, so that this one has the last chance to close back."""

SWEPT: Final = np.dtype(
    [("quality", "f8"), ("tip", "f8"), ("side", "i1")], align=True
)
"""The sweep of one side on the current bar; `side` is 0 without one."""


@kernel
def clear_pools(s: Any) -> None:
    """Empty every pool; an empty one's price is NaN, which no comparison is true for."""
    for row in range(2):
        for i in range(N_POOLS):
            s.levels[row, i] = np.nan


@kernel
def _end_pool(s: Any, row: Any, i: Any, condition: Any, scales: Any, n: Any, t: Any) -> None:
    """Empty a pool; equal levels are reported."""
    pool = s.pools[row, i]
    price = s.levels[row, i]
    if pool.serial != 0:
        k = mark_line(
            s, EQUAL, 2 * row - 1, condition, pool.serial, n, t, 0.0, pool.time, price, price
        )
        mark_number(s, k, 0.0, scales[i - EQUAL_INTERNAL])
        pool.serial = 0
    s.levels[row, i] = np.nan
    s.late[row, i] = 0


@kernel
def set_pool(
    s: Any, row: Any, i: Any, price: Any, time: Any, scales: Any, n: Any, t: Any
) -> None:
    """Fill pool `i` above (row 0) or below (row 1) price anew."""
    if not np.isnan(s.levels[row, i]):
        _end_pool(s, row, i, EXPIRED, scales, n, t)
    s.levels[row, i] = price
    s.pools[row, i].time = time
    s.late[row, i] = 0
    s.pools[row, i].beyond = 0.0
    s.pools[row, i].serial = 0


@kernel
def set_windows(s: Any, ended: Any, scales: Any, n: Any, t: Any) -> None:
    """Fill the pools of the windows that have just ended; see `smc_clock.clock_step`."""
    for i in range(3):
        if (ended >> i) & 1 == 0:
            continue
        place_of = DAY_POOL if i == DAYS else (WEEK_POOL if i == WEEKS else ASIA_POOL)
        w = s.clock.windows[i]
        for row in range(2):
            set_pool(s, row, place_of, w.level[row], w.level_time[row], scales, n, t)


@kernel
def find_equal(s: Any, p: Any, j: Any, scales: Any, n: Any, t: Any, a: Any) -> None:
    """Look whether the newest pivot of scale `j` equals the one of its side before it."""
    swings = s.swings[j]
    if swings.count < 3:
        return
    new = swings.pivots[pivot(swings, 0)]
    old = swings.pivots[pivot(swings, 2)]
    if abs(new.price - old.price) > p.equal * a:
        return
    row = row_of(new.side)
    price = max(new.price, old.price) if row == 0 else min(new.price, old.price)
    set_pool(s, row, EQUAL_INTERNAL + j, price, old.time, scales, n, t)
    serial = next_serial(s)
    s.pools[row, EQUAL_INTERNAL + j].serial = serial
    i = mark_line(s, EQUAL, 2 * row - 1, ACTIVE, serial, n, t, 0.0, old.time, price, price)
    mark_number(s, i, abs(new.price - old.price) / a, scales[j])


@kernel
def _is_reached(s: Any, row: Any, h: Any, low: Any) -> Any:
    """Tell whether a bar touches what is beyond a pool of that row, or one waits for it."""
    count = 0
    for i in range(N_POOLS):
        level = s.levels[row, i]
        count += (h > level if row == 0 else low < level) + s.late[row, i]
    return count > 0


@kernel
def _try_pool(
    s: Any, p: Any, row: Any, i: Any, scales: Any, n: Any, t: Any, tip: Any, c: Any, a: Any
) -> Any:
    """Hold a pool against a bar; return how far a sweep went beyond it, -1 for no sweep."""
    pool = s.pools[row, i]
    out = 1 - 2 * row
    level = s.levels[row, i]
    beyond = out * (tip - level)
    if s.late[row, i] != 0:
        beyond = max(beyond, pool.beyond)
    if out * (level - c) > 0.0:
        s.late[row, i] = 0
        if beyond > 0.0 and beyond >= p.pierce * a:
            return beyond
    elif s.late[row, i] != 0:
        _end_pool(s, row, i, INVALID, scales, n, t)
    elif beyond > 0.0:
        s.late[row, i] = 1
        pool.beyond = beyond
    return -1.0


@kernel
def sweep_pools(
    s: Any, p: Any, scales: Any, n: Any, t: Any, h: Any, low: Any, c: Any, a: Any
) -> None:
    """Hold the pools against a bar; the best sweep of each side becomes evidence and an event.

    Parameters
    ----------
    s, p : record
        State with `levels`, `pools`, `swept`, `items` and events; parameters `pierce` and
        `equal`.
    scales : pair of float
        The internal and the swing scale, ATR.
    n, t, h, low, c, a
        Number, opening time and prices of the bar, and the ATR, > 0.
    """
    for k in range(2):
        row = row_of(s.lead) if k == 0 else 1 - row_of(s.lead)
        s.swept[row].side = 0
        if not _is_reached(s, row, h, low):
            continue
        tip = h if row == 0 else low
        best = -1
        quality = -1.0
        reach = 0.0
        for i in range(N_POOLS):
            if np.isnan(s.levels[row, i]):
                continue
            beyond = _try_pool(s, p, row, i, scales, n, t, tip, c, a)
            if beyond < 0.0:
                continue
            bonus = 0.25 if i in (EQUAL_INTERNAL, EQUAL_SWING) else 0.0
            worth = min(0.5 + 0.25 * (beyond / a) + bonus, 1.0)
            if best >= 0:
                worse = i if worth <= quality else best
                _end_pool(s, row, worse, DONE, scales, n, t)
            if worth > quality:
                best = i
                quality = worth
                reach = beyond
        if best >= 0:
            here = (1 - 2 * row) * (tip - s.levels[row, best])
            _record_sweep(s, row, best, quality, reach, here, scales, n, t, c, a)


@kernel
def _record_sweep(
    s: Any, row: Any, i: Any, quality: Any, beyond: Any, here: Any, scales: Any, n: Any, t: Any,
    c: Any, a: Any,
) -> None:  # fmt: skip
    """Report a sweep that reached `beyond` the pool, this bar `here`, and make it evidence."""
    side = 2 * row - 1  # away from the extreme that was swept
    level = s.levels[row, i]
    tip = level - side * beyond
    time = s.pools[row, i].time
    serial = next_serial(s)
    k = mark(s, SWEEP + i, side, ACTIVE, serial, n, t, quality)
    mark_point(s, k, time, level)
    mark_point(s, k, t if here >= beyond else s.times[(n - 1) & LAST], tip)
    mark_levels(s, k, c, tip, np.nan)
    mark_number(s, k, beyond / a, scales[1] if i == SWING_POOL else 0.0)
    _end_pool(s, row, i, DONE, scales, n, t)
    s.swept[row].side = side
    s.swept[row].quality = quality
    s.swept[row].tip = tip
    slot = place(
        s.items[FIRST_SWEEP:LAST_SWEEP], side, SWEEP_WEIGHT, quality, SWEEP_HALF_LIFE, SWEEP + i,
        n, time, serial,
    )  # fmt: skip
    if slot >= 0:
        s.live |= 1 << (FIRST_SWEEP + slot)
        s.items[FIRST_SWEEP + slot].level = tip
        s.items[FIRST_SWEEP + slot].x = beyond / a


@kernel
def check_sweeps(s: Any, n: Any, t: Any, c: Any, scales: Any) -> None:
    """Take back sweeps whose extreme the bar closed beyond."""
    for slot in range(FIRST_SWEEP, LAST_SWEEP):
        item = s.items[slot]
        if is_live(s, slot) and item.side * (item.level - c) > 0.0:
            k = mark_line(
                s, item.kind, item.side, INVALID, item.serial, n, t, item.quality, item.time,
                item.level, item.level,
            )  # fmt: skip
            mark_number(s, k, item.x, scales[1] if item.kind == SWEEP + SWING_POOL else 0.0)
            end_item(s, slot)
