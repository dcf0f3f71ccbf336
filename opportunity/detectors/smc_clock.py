"""The clock: UTC days and weeks, the Asian session, and what a session is worth.

All from the opening times of the bars. Windows are fixed in UTC, so New York's summer time moves
its true hours one hour earlier. The length of a bar is the smallest step between opening times so
far; a gap never makes it shorter.

Source: Huddleston's "kill zones" (ICT lectures); authors differ by an hour or two. The factors
follow the mean range by hour on BTC since 2022.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
MONDAY: Final = 3 * DAY
"""What the first Monday at 00:00 lacks to a whole week: 1 January 1970 was a Thursday."""

DAYS, WEEKS, ASIA = range(3)
ASIA_END: Final = 4 * HOUR
LONGEST: Final = (4 * HOUR, DAY, HOUR)
"""Bars longer than this are too few in a window to call its extreme a level."""

SESSION_BARS: Final = HOUR
"""Sessions are told apart on bars up to this length."""

WINDOW: Final = np.dtype(
    [
        ("price", "f8", (2,)),  # highest high and lowest low since it began
        ("time", "i8", (2,)),
        ("level", "f8", (2,)),  # the same of the one before, when it is over
        ("level_time", "i8", (2,)),
        ("begin", "i8"),  # when the running one began, ms UTC
        ("open", "i1"),  # one is running
        ("whole", "i1"),  # and was seen from its begin
    ],
    align=True,
)

CLOCK: Final = np.dtype(
    [
        ("last", "i8"),  # opening time of the bar before
        ("length", "i8"),  # of a bar, ms; 0 while unknown
        ("next", "i8"),  # when a window begins or ends
        ("windows", WINDOW, (3,)),
    ],
    align=True,
)


@kernel
def session_factor(t: Any, length: Any) -> Any:
    """Return what the session is worth that holds opening time `t`, in [0.5, 1].

    New York (12-15 UTC) 1, London close (15-17) 0.8, Asia's first two hours 0.7, London (07-10)
    0.6, else 0.5. Bars longer than an hour, or of a length not known yet, have no session: 1.
    """
    if length == 0 or length > SESSION_BARS:
        return 1.0
    hour = (t % DAY) // HOUR
    if 12 <= hour < 15:
        return 1.0
    if 15 <= hour < 17:
        return 0.8
    if hour < 2:
        return 0.7
    return 0.6 if 7 <= hour < 10 else 0.5


@kernel
def _begin_of(i: Any, t: Any) -> Any:
    """Return when the window of kind `i` that holds time `t` began, -1 for none."""
    day = t - t % DAY
    if i == WEEKS:
        return t - (t + MONDAY) % WEEK
    return day if i == DAYS or t - day < ASIA_END else np.int64(-1)


@kernel
def _end(w: Any) -> None:
    w.level[0] = w.price[0]
    w.level[1] = w.price[1]
    w.level_time[0] = w.time[0]
    w.level_time[1] = w.time[1]
    w.open = 0


@kernel
def _turn(clock: Any, first: Any, t: Any) -> Any:
    """End and begin the windows that a bar at a border does; return the bits of the ended ones."""
    ended = 0
    for i in range(3):
        w = clock.windows[i]
        begin = _begin_of(i, t)
        if w.open != 0 and begin != w.begin:
            _end(w)
            if w.whole != 0 and clock.length <= LONGEST[i]:
                ended |= 1 << i
        if w.open == 0 and begin >= 0:
            w.begin = begin
            w.open = 1
            w.whole = 1 if begin == t or not first else 0
            w.price[0] = -np.inf
            w.price[1] = np.inf
    day = t - t % DAY
    clock.next = day + (ASIA_END if t - day < ASIA_END else DAY)
    return ended


@kernel
def clock_step(clock: Any, n: Any, t: Any, h: Any, low: Any) -> Any:
    """Carry the clock over a bar that opens at `t`.

    Parameters
    ----------
    clock : CLOCK record
        State, changed in place.
    n, t : int
        Number of the bar (from 0) and its opening time, ms UTC.
    h, low : float
        Its high and low, which belong to the windows that hold `t`.

    Returns
    -------
    int
        A bit for each of DAYS, WEEKS and ASIA that ended before this bar, was seen from its
        begin and has short enough bars: its `level` prices may be used on this very bar.
    """
    if n > 0:
        ahead = t - clock.last
        if clock.length == 0 or ahead < clock.length:
            clock.length = ahead
    clock.last = t
    ended = 0
    if n == 0 or t >= clock.next:
        ended = _turn(clock, n == 0, t)
    for i in range(3):
        w = clock.windows[i]
        if w.open != 0:
            if h > w.price[0]:
                w.price[0] = h
                w.time[0] = t
            if low < w.price[1]:
                w.price[1] = low
                w.time[1] = t
    return ended
