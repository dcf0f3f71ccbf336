"""Swing pivots: turning points known at a bar's close, sized by the market's own range.

An ATR zig-zag. While a leg is up its extreme is the highest high so far (the first of equal
highs stays); the pivot high is confirmed at the close of the first bar that closes `k` ATR or
more below it. Extremes are taken by wick and confirmed by close, because the close is the one
price of a bar whose place in time is known. Down legs mirror.

Source: zig-zag filters, e.g. Kaufman, *Trading Systems and Methods* (2013), measured in ATR.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

N_PIVOTS: Final = 12
DEPTH: Final = 6
"""Nested turns that are remembered before their pivots are confirmed.

A falling ATR may confirm several old turns on successive bars. Six are more than any recorded
market needed; only a seventh, in a market that narrows to a standstill, is dated too late.
"""

PIVOT: Final = np.dtype(
    [
        ("bar", "i8"),  # number of the bar of the extreme, from 0
        ("time", "i8"),  # its opening time, ms UTC
        ("price", "f8"),
        ("side", "i1"),  # +1 high, -1 low
        ("confirmed", "i8"),  # number of the bar at whose close the pivot became known
        ("atr", "f8"),  # ATR at that close
    ],
    align=True,
)
"""A confirmed turning point; a consumer may use it from bar `confirmed` on."""

EXTREME: Final = np.dtype([("price", "f8"), ("bar", "i8"), ("time", "i8")], align=True)

SWINGS: Final = np.dtype(
    [
        # Every bar reads what comes before `pivots`, so it lies together.
        ("direction", "i1"),  # of the running leg: +1 up, -1 down, 0 before the first pivot
        ("started", "i1"),
        # Row 0 serves a leg up: its extreme, the lowest low after that, the highest high after
        # that, ... Row 1 mirrors it. Confirming a pivot moves the running row by one place into
        # the other row, so the next leg begins with the extreme of the bars after the pivot.
        ("chain", EXTREME, (2, DEPTH)),
        ("high", "f8"),  # leg up: its extreme; leg down: highest high after the low
        ("high_bar", "i8"),
        ("high_time", "i8"),
        ("low", "f8"),  # leg down: its extreme; leg up: lowest low after the high
        ("low_bar", "i8"),
        ("low_time", "i8"),
        ("count", "i8"),  # pivots confirmed so far
        ("pivots", PIVOT, (N_PIVOTS,)),  # a ring: read it with `pivot`
    ],
    align=True,
)
"""State of one scale; all bytes zero is a stream that has seen no bar."""


@kernel
def pivot(s: Any, i: Any) -> Any:
    """Return the place in `s.pivots` of the `i`-th newest pivot (0 = newest, i < count)."""
    return (s.count - 1 - i) % N_PIVOTS


@kernel
def extreme(s: Any) -> Any:
    """Return price, bar and time of the running leg's extreme so far (NaN, -1, -1 before one)."""
    if s.direction > 0:
        return s.high, s.high_bar, s.high_time
    if s.direction < 0:
        return s.low, s.low_bar, s.low_time
    return np.nan, np.int64(-1), np.int64(-1)


@kernel
def _set(e: Any, price: Any, n: Any, t: Any) -> None:
    e.price = price
    e.bar = n
    e.time = t


@kernel
def _follow(row: Any, up: Any, n: Any, t: Any, h: Any, low: Any, c: Any) -> None:
    """Carry a chain of alternating extremes over one bar.

    A new extreme empties the places behind it: they hold its close at its own bar, which counts
    only if that bar confirms, and the next bar replaces it.
    """
    for i in range(DEPTH):
        high_wanted = up == (i % 2 == 0)
        price = h if high_wanted else low
        beyond = price > row[i].price if high_wanted else price < row[i].price
        empty = i > 0 and row[i].bar == row[i - 1].bar
        if beyond or empty:
            _set(row[i], price, n, t)
            for j in range(i + 1, DEPTH):
                _set(row[j], c, n, t)
            return


@kernel
def _confirm(s: Any, side: Any, n: Any, c: Any, atr: Any) -> None:
    """Make the extreme of the running (or first) leg a pivot and start the opposite leg."""
    old = s.chain[0] if side > 0 else s.chain[1]
    new = s.chain[1] if side > 0 else s.chain[0]
    place = s.pivots[s.count % N_PIVOTS]
    place.bar = old[0].bar
    place.time = old[0].time
    place.price = old[0].price
    place.side = side
    place.confirmed = n
    place.atr = atr
    s.count += 1
    s.direction = -side
    for i in range(DEPTH - 1):
        _set(new[i], old[i + 1].price, old[i + 1].bar, old[i + 1].time)
    _set(new[DEPTH - 1], c, new[DEPTH - 2].bar, new[DEPTH - 2].time)


@kernel
def _publish(s: Any) -> None:
    down = 1 if s.direction < 0 else 0
    up = 1 if s.direction > 0 else 0
    high = s.chain[down, down]
    low = s.chain[1 - up, up]
    s.high = high.price
    s.high_bar = high.bar
    s.high_time = high.time
    s.low = low.price
    s.low_bar = low.bar
    s.low_time = low.time


@kernel
def swings_step(s: Any, k: Any, n: Any, t: Any, o: Any, h: Any, l: Any, c: Any, atr: Any) -> Any:  # noqa: E741 - the bar's own letters
    """Advance one scale by one closed bar.

    Parameters
    ----------
    s : SWINGS record
        State, changed in place.
    k : float
        Reversal that confirms a pivot, in ATR (1.5 internal, 3 swing, 6 major).
    n, t : int
        Number of the bar (from 0) and its opening time.
    o, h, l, c : float
        Prices of the bar; the open is not used.
    atr : float
        ATR that includes this bar; tracking starts at the first bar where it is not NaN.

    Returns
    -------
    int
        +1 if a pivot high was confirmed on this bar, -1 if a low, else 0: at most one a bar.

    Notes
    -----
    Causal; a confirmed pivot never changes. With an ATR of 0 extremes move, nothing confirms.
    Before the first pivot both extremes are tracked; if both are met on one bar the younger
    one is taken, and none if they share their bar, which treats highs and lows alike.
    """
    if np.isnan(atr):
        return 0
    if s.started == 0:
        s.started = 1
        for i in range(DEPTH):
            _set(s.chain[0, i], h if i == 0 else c, n, t)
            _set(s.chain[1, i], l if i == 0 else c, n, t)
    elif s.direction != 0:
        _follow(s.chain[0 if s.direction > 0 else 1], s.direction > 0, n, t, h, l, c)
    else:
        _follow(s.chain[0], True, n, t, h, l, c)
        _follow(s.chain[1], False, n, t, h, l, c)
    high = s.chain[0, 0]
    low = s.chain[1, 0]
    reach = k * atr
    is_high = atr > 0.0 and s.direction >= 0 and high.price - c >= reach
    is_low = atr > 0.0 and s.direction <= 0 and c - low.price >= reach
    if is_high and is_low:
        is_high = high.bar > low.bar
        is_low = low.bar > s.chain[0, 0].bar
    side = 0
    if is_high:
        side = 1
    elif is_low:
        side = -1
    if side != 0:
        _confirm(s, side, n, c, atr)
    _publish(s)
    return side
