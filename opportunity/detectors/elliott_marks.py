"""Chart events of wave counts: labels at pivots, invalidation, forecast levels, weight."""

from typing import Any

import numpy as np

from opportunity.detectors.elliott_counts import is_same
from opportunity.detectors.elliott_kinds import (
    COMPLETE,
    ENDING,
    IMPULSE,
    LEADING,
    N_KNOWN,
    TRIANGLE,
    TRUNCATED,
    WAVE_3,
    WAVE_4,
    WAVE_5,
    WAVE_B,
    WAVE_B_FLAT,
    WAVE_C,
    WAVE_C_FLAT,
)
from opportunity.detectors.elliott_rules import take, wave
from opportunity.detectors.events import EXPIRED, INVALID, N_EVENTS
from opportunity.detectors.legs import next_serial
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point
from opportunity.detectors.swings import pivot
from opportunity.kernels import kernel


@kernel
def forecast(kind: Any, p: Any) -> Any:
    """Return three forecast prices of a count on points written for a rise; NaN for none."""
    last = p.price[p.n - 1]
    w1 = wave(p, 1)
    if kind == WAVE_3:
        return last + w1, last + 1.618 * w1, last + 2.618 * w1
    if kind == WAVE_4:
        w3 = wave(p, 3)
        return last - 0.236 * w3, last - 0.382 * w3, last - 0.5 * w3
    if kind == WAVE_5:
        return last + 0.618 * w1, last + w1, last + 1.618 * w1
    if kind in (WAVE_C, WAVE_C_FLAT):
        return last + 0.618 * w1, last + w1, last + 1.618 * w1
    if kind in (WAVE_B, WAVE_B_FLAT):
        return last - 0.5 * w1, last - 0.618 * w1, np.nan
    whole = last - p.price[0]
    if kind in (IMPULSE, TRUNCATED, ENDING):
        return p.price[4], last - 0.382 * whole, last - 0.5 * whole
    if kind == LEADING:
        return last - 0.5 * whole, last - 0.618 * whole, last - 0.786 * whole
    if kind < TRIANGLE:
        return p.price[0], np.nan, np.nan
    widest = 0.0
    for i in range(1, 6):
        widest = max(widest, wave(p, i))
    return last - widest, np.nan, np.nan


@kernel
def telling(kind: Any, p: Any) -> Any:
    """Return the ratio that says most about a count; see the texts of `KINDS`."""
    if kind in (WAVE_3, WAVE_C, WAVE_C_FLAT):
        return wave(p, 2) / wave(p, 1)
    if kind == WAVE_4:
        return wave(p, 3) / wave(p, 1)
    if kind == WAVE_5:
        return wave(p, 4) / wave(p, 3)
    if kind in (ENDING, LEADING):
        return wave(p, 5) / wave(p, 3)
    if kind in (IMPULSE, TRUNCATED):
        return wave(p, 5) / wave(p, 1)
    if kind >= TRIANGLE:
        return wave(p, 5) / wave(p, 4)
    if kind in (WAVE_B, WAVE_B_FLAT):
        return np.nan
    return wave(p, 3) / wave(p, 1)


@kernel
def mark_count(s: Any, j: Any, count: Any, condition: Any, scale: Any, t: Any, c: Any) -> Any:
    """Report a count of scale `j`; return the record's place, or -1 if there was no room."""
    swings = s.swings[j]
    n = N_KNOWN[count.kind]
    skip = swings.count - count.first - n
    p = s.points
    take(p, swings, skip, n)
    i = mark(s, count.kind, count.side, condition, count.serial, s.n - 1, t, count.omega)
    for k in range(n):
        found = swings.pivots[pivot(swings, skip + n - 1 - k)]
        mark_point(s, i, found.time, found.price)
    if i < 0:
        return i
    x = telling(count.kind, p)
    if np.isnan(x):  # wave B: its A is measured against the last wave of what it corrects
        older = swings.pivots[pivot(swings, skip + 2)].price
        x = wave(p, 1) / abs(p.side * older - p.price[0])
    mark_number(s, i, x, scale)
    # A count that has ended, or expects the running leg to turn, gives no entry here.
    onward = (count.side * swings.direction > 0) & (condition != INVALID) & (condition != EXPIRED)
    mark_levels(s, i, c if onward else np.nan, count.stop - count.side * count.slack, np.nan)
    first, second, third = forecast(count.kind, p)
    event = s.events[i]
    event.target[0] = p.side * first
    event.target[1] = p.side * second
    event.target[2] = p.side * third
    return i


@kernel
def end_count(s: Any, j: Any, count: Any, condition: Any, scale: Any, t: Any, c: Any) -> None:
    """Report the end of a count that the chart knows of.

    A complete pattern needs no word when the next pivot replaces it: it stays complete.
    """
    if count.serial > 0 and not (condition == EXPIRED and COMPLETE[count.kind]):
        mark_count(s, j, count, condition, scale, t, c)


@kernel
def end_old(s: Any, j: Any, scale: Any, t: Any, c: Any) -> None:
    """Hand the numbers of the old counts to those that go on, report the others' end."""
    book = s.books[j]
    for i in range(s.fresh.n_old):
        old = s.fresh.old[i]
        goes_on = False
        for k in range(book.used):
            count = book.counts[k]
            if (count.shown != 0) & is_same(old, count):
                count.serial = old.serial
                goes_on = True
        if not goes_on:
            end_count(s, j, old, EXPIRED, scale, t, c)


@kernel
def tell(s: Any, j: Any, scale: Any, t: Any, c: Any) -> None:
    """Report what is new about the best counts; what finds no room waits for the next bar."""
    book = s.books[j]
    book.untold = 0
    for i in range(book.used):
        count = book.counts[i]
        if (count.shown == 0) | (count.told != 0):
            continue
        if s.n_events >= N_EVENTS:
            book.untold = 1
            return
        if count.serial == 0:
            count.serial = next_serial(s)
        mark_count(s, j, count, count.state, scale, t, c)
        count.told = 1
