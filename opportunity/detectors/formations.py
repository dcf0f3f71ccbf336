"""Double tops and bottoms, head and shoulders, from the swing pivots of scale 3.

A formation waits without a score until a close breaks its neckline; then it is evidence until a
close comes back beyond its middle. All tests are on differences of prices, seen from the side of
the break, so tops and bottoms are exact mirror images.

Sources: Edwards and Magee (1948); Bulkowski, *Encyclopedia of Chart Patterns* (2005). The
tolerances in ATR are our own.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, FORMING, INVALID
from opportunity.detectors.evidence import drop
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point
from opportunity.detectors.slots import put
from opportunity.detectors.swings import pivot
from opportunity.kernels import kernel

DOUBLE, SHOULDERS = 14, 15
WEIGHT: Final = 0.40
HALF_LIFE: Final = 36.0
EQUAL: Final = 0.5
"""The two tops of a double top lie within this many ATR."""

DEEP: Final = 2.5
"""The neckline is at least this many ATR from them."""

HEAD: Final = 1.0
"""The head exceeds both shoulders by this many ATR, and they lie within as many."""

SHORTEST: Final = 10
LONGEST: Final = 120
"""Bars from the first to the last top; a formation waits no longer than the latter."""

FORMATION: Final = np.dtype(
    [
        ("serial", "i8"),
        ("side", "i1"),  # of the break: -1 for tops
        ("waiting", "i1"),
        ("n_points", "i1"),
        ("born", "i8"),  # number of the bar on which it was complete
        ("bar", "i8", (5,)),
        ("time", "i8", (5,)),
        ("price", "f8", (5,)),
        ("slope", "f8"),  # of the neckline, price per bar
        ("height", "f8"),  # from the neckline to the farthest point, > 0
        ("peak", "f8"),  # the farthest point: a close beyond it ends the waiting
    ],
    align=True,
)
"""One waiting formation; a state has a row for each kind and side."""


@kernel
def find_formation(s: Any, n: Any, t: Any, a: Any) -> None:
    """Look at the newest pivots, of which one was confirmed on this bar.

    Parameters
    ----------
    s : record
        State with `swings` (scale 3), `formations` of shape (2, 2) and `serial`.
    n, t : int
        Number and opening time of the bar.
    a : float
        ATR, > 0.
    """
    w = s.swings
    if w.count < 3:
        return
    last = w.pivots[pivot(w, 0)]
    neck = w.pivots[pivot(w, 1)]
    first = w.pivots[pivot(w, 2)]
    d = -last.side  # a top breaks down
    depth = min(-d * (last.price - neck.price), -d * (first.price - neck.price))
    apart = last.bar - first.bar
    fits = apart >= SHORTEST and apart <= LONGEST
    if fits and abs(last.price - first.price) <= EQUAL * a and depth >= DEEP * a:
        f = _begin(s, DOUBLE, d, 3, n, t)
        f.slope = 0.0
        f.height = -d * (0.5 * (last.price + first.price) - neck.price)
        f.peak = -d * max(-d * last.price, -d * first.price)
        _report(s, f, DOUBLE, FORMING, n, t, 0.0)
    if w.count < 5:
        return
    neck_before = w.pivots[pivot(w, 3)]
    left = w.pivots[pivot(w, 4)]
    apart = last.bar - left.bar
    fits = apart >= SHORTEST and apart <= LONGEST
    head = first
    over = min(-d * (head.price - last.price), -d * (head.price - left.price))
    if fits and over >= HEAD * a and abs(last.price - left.price) <= HEAD * a:
        slope = (neck.price - neck_before.price) / (neck.bar - neck_before.bar)
        height = -d * ((head.price - neck.price) - slope * (head.bar - neck.bar))
        if height >= DEEP * a:
            f = _begin(s, SHOULDERS, d, 5, n, t)
            f.slope = slope
            f.height = height
            f.peak = head.price
            _report(s, f, SHOULDERS, FORMING, n, t, 0.0)


@kernel
def _begin(s: Any, kind: Any, d: Any, n_points: Any, n: Any, t: Any) -> Any:
    """Take the row of this kind and side, which ends what waited there."""
    f = s.formations[kind - DOUBLE, 0 if d > 0 else 1]
    if f.waiting != 0:
        _report(s, f, kind, EXPIRED, n, t, 0.0)
    s.serial += 1
    f.serial = s.serial
    f.side = d
    f.waiting = 1
    f.n_points = n_points
    f.born = n
    for i in range(n_points):
        q = s.swings.pivots[pivot(s.swings, n_points - 1 - i)]
        f.bar[i] = q.bar
        f.time[i] = q.time
        f.price[i] = q.price
    return f


@kernel
def formations_step(s: Any, lead: Any, n: Any, t: Any, c: Any) -> None:
    """Test the waiting formations against a close: broken, refuted or too old.

    `lead` is the side that is handled first; it mirrors with the prices, so that the order of
    the slots does.
    """
    for kind in range(DOUBLE, SHOULDERS + 1):
        for turn in range(2):
            d = lead if turn == 0 else -lead
            f = s.formations[kind - DOUBLE, 0 if d > 0 else 1]
            if f.waiting == 0:
                continue
            past = _past_neckline(f, n, c)
            if d * past > 0.0:
                f.waiting = 0
                _break(s, f, kind, n, t, c - past)
            elif d * (c - f.peak) < 0.0:
                f.waiting = 0
                _report(s, f, kind, INVALID, n, t, 0.0)
            elif n - f.born > LONGEST:
                f.waiting = 0
                _report(s, f, kind, EXPIRED, n, t, 0.0)


@kernel
def _past_neckline(f: Any, n: Any, c: Any) -> Any:
    """Return how far a close on bar `n` is above the neckline."""
    neck = f.n_points - 2
    return (c - f.price[neck]) - f.slope * (n - f.bar[neck])


@kernel
def _break(s: Any, f: Any, kind: Any, n: Any, t: Any, neckline: Any) -> None:
    slot = put(s, f.side, WEIGHT, 1.0, HALF_LIFE, kind, n, t, f.serial)
    if slot >= 0:
        item = s.items[slot]
        item.level = neckline - f.side * (0.5 * f.height)
        item.x = neckline + f.side * f.height
    _report(s, f, kind, ACTIVE, n, t, neckline)


@kernel
def follow_formation(
    s: Any, k: Any, n: Any, t: Any, h: Any, l: Any, c: Any  # noqa: E741
) -> None:
    """Test the broken formation in slot `k`: back beyond its middle, or at its target."""
    item = s.items[k]
    d = item.side
    state = ACTIVE
    far = h if d > 0 else l
    if d * (c - item.level) < 0.0:
        state = INVALID
    elif d * (far - item.x) >= 0.0 and item.top != 1.0:
        state = DONE
    if state == ACTIVE:
        return
    i = mark(s, item.kind, d, state, item.serial, n, t, 1.0)
    mark_levels(s, i, np.nan, item.level, item.x)
    if state == INVALID:
        drop(s.items, k)
    else:
        item.top = 1.0  # reported once; the evidence fades by its half-life


@kernel
def _report(s: Any, f: Any, kind: Any, state: Any, n: Any, t: Any, neckline: Any) -> None:
    """Mark the formation; with its levels once the neckline is broken."""
    i = mark(s, kind, f.side, state, f.serial, n, t, 1.0)
    for j in range(f.n_points):
        mark_point(s, i, f.time[j], f.price[j])
    if state == ACTIVE:
        target = neckline + f.side * f.height
        mark_levels(s, i, neckline, neckline - f.side * (0.5 * f.height), target)
    mark_number(s, i, f.height, 3.0)
