"""Minutes of prints summed over bars, and kept as hours when they are old."""

from typing import Any, Final

import numpy as np

from opportunity.detectors.prints import MINUTE, add_minute, clear_minute
from opportunity.detectors.records import place_near, place_of
from opportunity.detectors.vpin import (
    LEAST_HOURS,
    N_BUCKETS,
    N_DAYS,
    REACH_MS,
    VPIN_GUESS,
    usual_day,
    vpin,
)
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

COLUMNS: Final = ("buy", "sell", "large_buy", "large_sell", "largest", "price", "vpin")
"""Columns that `fill_flow` writes: base currency, but the price and VPIN."""

N_HOURS: Final = 24 * N_DAYS

SCRATCH: Final = np.dtype(
    [
        ("total", MINUTE),
        ("hour", MINUTE),
        ("opened", "i8"),  # place behind the minutes of the bar before
        ("newest", "i8"),  # place behind what was known at its close
        ("days", "f8", (N_DAYS,)),
        ("known", np.dtype([("hour", "i8"), ("volume", "f8")]), (N_HOURS,)),  # days, by their end
        ("vpin", VPIN_GUESS),
    ],
    align=True,
)
"""Room for sums, and where to look first; all bytes zero before the first bar."""


@kernel
def _next_hour(minutes: Any, i: Any, closed: Any, total: Any) -> Any:
    """Sum the minutes from place `i` on that lie in one hour; return the place behind them.

    Always minute by minute into an empty sum, so that an hour is the same number whether it was
    kept as an hour or is still made of minutes.
    """
    clear_minute(total)
    total.time = minutes[i].time - minutes[i].time % HOUR_MS
    end = min(total.time + HOUR_MS, closed)
    while i < minutes.size and minutes[i].time + MINUTE_MS <= end:
        add_minute(total, minutes[i])
        i += 1
    return i


@kernel
def close_hours(minutes: Any, hours: Any, n: Any, until: Any) -> Any:
    """Append the hours from `until` on that are over, by the newest minute; return their number.

    `hours` has room for them behind the first `n`.
    """
    i = place_of(minutes, until)
    newest = minutes[minutes.size - 1].time
    over = newest - newest % HOUR_MS
    while minutes[i].time < over:
        i = _next_hour(minutes, i, over, hours[n])
        n += 1
    return n


@kernel
def sum_span(
    minutes: Any, hours: Any, until: Any, opened: Any, closed: Any, scratch: Any
) -> None:
    """Sum what was printed from `opened` on in minutes that are over at `closed`.

    Parameters
    ----------
    minutes, hours : array of MINUTE
        Ascending; `hours` are complete up to `until`.
    opened, closed : int
        Of a bar, ms UTC; one that is longer than an hour lies on the grid of hours.
    scratch : SCRATCH record
        Its `total` becomes the sum.
    """
    total = scratch.total
    clear_minute(total)
    if closed - opened <= HOUR_MS:
        i = place_near(minutes, opened, scratch.opened)
        while i < minutes.size and minutes[i].time + MINUTE_MS <= closed:
            add_minute(total, minutes[i])
            i += 1
        scratch.opened = i
        return
    k = place_of(hours, opened)
    while k < hours.size and hours[k].time + HOUR_MS <= closed:
        add_minute(total, hours[k])
        k += 1
    i = place_of(minutes, max(opened, until))
    while i < minutes.size and minutes[i].time + MINUTE_MS <= closed:
        i = _next_hour(minutes, i, closed, scratch.hour)
        add_minute(total, scratch.hour)


@kernel
def day_before(minutes: Any, hours: Any, until: Any, end: Any, hour: Any) -> Any:
    """Return the volume of the 24 hours that lead up to `end`, a full hour.

    NaN where fewer than `LEAST_HOURS` of them had prints: a feed that was not there. `hour` is
    room for a sum.
    """
    start = end - DAY_MS
    known = 0
    total = 0.0
    k = place_of(hours, start)
    while k < hours.size and hours[k].time + HOUR_MS <= end:
        total += hours[k].buy + hours[k].sell
        known += 1
        k += 1
    i = place_of(minutes, max(start, until))
    while i < minutes.size and minutes[i].time + MINUTE_MS <= end:
        i = _next_hour(minutes, i, end, hour)
        total += hour.buy + hour.sell
        known += 1
    return total if known >= LEAST_HOURS else np.nan


@kernel
def _usual(minutes: Any, hours: Any, until: Any, end: Any, scratch: Any) -> Any:
    """Return the usual volume of a day as of `end`, a full hour; 0 while unknown.

    The day that ends an hour is the last one for it, and the one before that a day later: what
    was summed for a close before is looked up.
    """
    for d in range(N_DAYS):
        n = end // HOUR_MS - 24 * d
        kept = scratch.known[n % N_HOURS]
        if kept.hour != n:
            kept.hour = n
            kept.volume = day_before(minutes, hours, until, n * HOUR_MS, scratch.hour)
        scratch.days[d] = kept.volume
    return usual_day(scratch.days)


@kernel
def fill_flow(
    minutes: Any, hours: Any, until: Any, opened: Any, closed: Any, which: Any, room: Any,
    rows: Any,
) -> None:  # fmt: skip
    """Write the first columns of rows, see `COLUMNS`; NaN where nothing was printed.

    Parameters
    ----------
    minutes, hours, until
        As of `sum_span`.
    opened, closed : ndarray of int64
        Of all bars, ms UTC.
    which : ndarray of int64
        Bars of this symbol; the value of VPIN is worked out once for those that close together.
    room : array of SCRATCH, shape (1,)
        All bytes zero. An array, because numba takes 3 us to look at a record.
    rows : ndarray, shape (n_bars, n_columns)
        Changed in place; NaN before.
    """
    scratch = room[0]
    total = scratch.total
    day_end = np.int64(-1)
    size = 0.0
    vpin_at = np.int64(-1)
    value = np.nan
    for j in which:
        end = closed[j]
        if minutes.size == 0 or (minutes[0].time >= end and until >= end):
            continue
        sum_span(minutes, hours, until, opened[j], end, scratch)
        if total.count == 0:
            continue
        row = rows[j]
        row[0] = total.buy
        row[1] = total.sell
        if total.threshold > 0.0:
            row[2] = total.large_buy
            row[3] = total.large_sell
        row[4] = total.largest
        row[5] = total.price
        if end - end % HOUR_MS != day_end:
            day_end = end - end % HOUR_MS
            size = _usual(minutes, hours, until, day_end, scratch) / N_BUCKETS
        if end != vpin_at:
            vpin_at = end
            value = np.nan
            if size > 0.0:
                newest = place_near(minutes, end - MINUTE_MS + 1, scratch.newest)
                scratch.newest = newest
                value = vpin(minutes, newest, end - REACH_MS, size, scratch.vpin)
        row[6] = value
