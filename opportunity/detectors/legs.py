"""Legs: the moves between swing pivots that retracements and extensions are measured on.

A leg runs from a pivot A to the extreme B of the move that began there. It is *live* while B may
still move, as soon as it spans enough ATR; it is *set* when B is confirmed as a pivot, under the
same serial number; and it is *extended* when price later goes beyond B, which fixes C, the
farthest point of the retracement. A live leg is not a prediction: its A is confirmed and its B
has happened. To wait for B's confirmation would miss most of the retracement.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.swings import EXTREME, extreme, pivot
from opportunity.kernels import kernel

ALIVE_LEGS: Final = 3
N_LEGS: Final = 5
"""Slots a scale: three living legs, and room for two that end on a bar with two new ones."""

FREE, LIVE, SET, EXTENDED, DEAD, OLD = range(6)
"""A leg's status; `DEAD` (closed beyond its start) and `OLD` stay for the bar of the end only."""

CREATED, RESTARTED, CONFIRMED, EXCEEDED, DRAWN, ERASED, PINNED = 1, 2, 4, 8, 16, 32, 64
"""What happened to a leg on this bar, added up in `news`.

A leg is drawn when price first comes back by 0.236 of it, erased when a new extreme moves a drawn
one, and pinned when C is confirmed as a pivot or the leg exceeded.
"""

SHALLOW: Final = 0.236
WHOLE: Final = 2.618
"""Extension at which a leg has said all it can."""

LEG: Final = np.dtype(
    [
        ("serial", "i8"),
        ("side", "i1"),  # +1 from a low up to a high, -1 down
        ("status", "i1"),
        ("news", "i1"),
        ("drawn", "i1"),  # price has come back far enough from B for its levels to matter
        ("pinned", "i1"),  # C will not move, so the levels beyond B are known
        ("a", EXTREME),
        ("b", EXTREME),
        ("c", EXTREME),  # farthest retracement since B; NaN while there is none
        # The rest belongs to the reactions that are watched on the leg.
        ("stage", "i1"),
        ("tried", "i1"),  # extensions that price has reached: 1 and 2, added up
        ("bounce", "i8"),  # serial numbers of its events
        ("levels", "i8"),
        ("quality", "f8"),
        ("stop", "f8"),  # a close beyond it ends the bounce
    ],
    align=True,
)

BOOK: Final = np.dtype(
    [("used", "i8"), ("buried", "i8"), ("legs", LEG, (N_LEGS,))], align=True
)
"""Legs of one scale; all slots from `used` on are free. `buried` is the bar on which a live leg
ended: no B up to it lives on."""


@kernel
def is_alive(leg: Any) -> Any:
    """Tell whether a leg is live, set or extended."""
    return (leg.status > FREE) & (leg.status < DEAD)


@kernel
def length(leg: Any) -> Any:
    """Return the price distance of A and B, > 0."""
    return leg.side * (leg.b.price - leg.a.price)


@kernel
def next_serial(state: Any) -> Any:
    """Return a number for the next thing that this stream has seen, from 1."""
    state.serial += 1
    return state.serial


@kernel
def _put(e: Any, price: Any, bar: Any, time: Any) -> None:
    e.price = price
    e.bar = bar
    e.time = time


@kernel
def _test(book: Any, leg: Any, max_age: Any, n: Any, t: Any, h: Any, low: Any, c: Any) -> None:
    """Hold a living leg against a bar: exceeded, retraced deeper, closed beyond, too old.

    Conditions are joined by `&` and `|`: legs differ from stream to stream, and a jump that is
    guessed wrongly costs more than the comparisons that it saves.
    """
    side = leg.side
    ahead = h if side > 0 else low
    behind = low if side > 0 else h
    exceeded = (leg.status == SET) & (side * (ahead - leg.b.price) > 0.0)
    if exceeded:
        leg.status = EXTENDED
        leg.pinned = 1
        leg.news |= EXCEEDED
    elif (leg.status == SET) & (side * (leg.c.price - behind) > 0.0):
        _put(leg.c, behind, n, t)
        leg.pinned = 0
    # A set or live leg hangs on A, an extended one on C.
    foot = leg.c.price if leg.status == EXTENDED else leg.a.price
    was_live = leg.status == LIVE
    if side * (foot - c) > 0.0:
        leg.status = DEAD
    elif (n - leg.b.bar > max_age) | (
        (leg.status == EXTENDED) & (side * (ahead - leg.c.price) > WHOLE * length(leg))
    ):
        leg.status = OLD
    if was_live & (leg.status != LIVE):
        book.buried = n


@kernel
def _retire(legs: Any) -> None:
    """Make room for a new leg: of three living ones the one that started first ends."""
    alive = 0
    oldest = -1
    for i in range(N_LEGS):
        if is_alive(legs[i]):
            alive += 1
            if oldest < 0 or legs[i].a.bar < legs[oldest].a.bar:
                oldest = i
    if alive >= ALIVE_LEGS:
        legs[oldest].status = OLD


@kernel
def _create(
    state: Any, book: Any, side: Any, status: Any, start: Any, price: Any, bar: Any, time: Any
) -> Any:
    """Open a leg from pivot `start` to an extreme; return its slot."""
    legs = book.legs
    _retire(legs)
    slot = 0
    for i in range(N_LEGS):
        if legs[i].status == FREE:
            slot = i
            break
    book.used = max(book.used, slot + 1)
    leg = legs[slot]
    leg.serial = next_serial(state)
    leg.side = side
    leg.status = status
    leg.news = CREATED
    _put(leg.a, start.price, start.bar, start.time)
    _put(leg.b, price, bar, time)
    _put(leg.c, np.nan, -1, -1)
    leg.stage = 0
    leg.drawn = 0
    leg.pinned = 0
    leg.tried = 0
    leg.bounce = 0
    leg.levels = 0
    leg.quality = 0.0
    leg.stop = np.nan
    return slot


@kernel
def _restart(leg: Any, price: Any, bar: Any, time: Any) -> None:
    """Move B to a new extreme."""
    _put(leg.b, price, bar, time)
    leg.news |= RESTARTED | (ERASED if leg.drawn != 0 else 0)
    leg.drawn = 0


@kernel
def _settle(state: Any, book: Any, swings: Any, live: Any, reach: Any, c: Any) -> None:
    """Turn the live leg into a set one, or open a set one, when a pivot was confirmed."""
    legs = book.legs
    end = swings.pivots[pivot(swings, 0)]
    slot = live
    if live >= 0:
        if legs[live].b.bar != end.bar:
            _restart(legs[live], end.price, end.bar, end.time)
        legs[live].status = SET
        legs[live].news |= CONFIRMED
    elif swings.count >= 2 and end.bar > book.buried:
        start = swings.pivots[pivot(swings, 1)]
        span = end.side * (end.price - start.price)
        if span >= reach and end.side * (c - start.price) >= 0.0:
            slot = _create(state, book, end.side, SET, start, end.price, end.bar, end.time)
            legs[slot].news |= CONFIRMED
    for i in range(book.used):
        if legs[i].status == SET and legs[i].c.bar == end.bar and legs[i].side != end.side:
            legs[i].pinned = 1
            legs[i].news |= PINNED
    if slot >= 0:
        price, bar, time = extreme(swings)
        _put(legs[slot].c, price, bar, time)


@kernel
def _run_on(
    state: Any, book: Any, swings: Any, live: Any, reach: Any, max_age: Any, n: Any, c: Any
) -> None:
    """Open the live leg of the running move, or carry it to a new extreme."""
    price, bar, time = extreme(swings)
    side = swings.direction
    if live >= 0:
        if book.legs[live].b.bar != bar:
            _restart(book.legs[live], price, bar, time)
        return
    start = swings.pivots[pivot(swings, 0)]
    spans = side * (price - start.price) >= reach
    fresh = bar > book.buried and n - bar <= max_age
    if spans and fresh and side * (c - start.price) >= 0.0:
        _create(state, book, side, LIVE, start, price, bar, time)


@kernel
def _outgrow(book: Any) -> None:
    """End set legs that a newer and longer one of the same side has replaced."""
    legs = book.legs
    for i in range(book.used):
        if legs[i].status == SET:
            for j in range(book.used):
                newer = is_alive(legs[j]) & (legs[j].a.bar > legs[i].a.bar)
                same = legs[j].side == legs[i].side
                if newer & same & (length(legs[j]) > length(legs[i])):
                    legs[i].status = OLD


@kernel
def _draw(leg: Any, n: Any, h: Any, low: Any) -> None:
    """Note the first retracement from B that is worth a look, on a bar after that of B."""
    behind = low if leg.side > 0 else h
    waiting = is_alive(leg) & (leg.drawn == 0) & (leg.b.bar < n)
    if waiting & (leg.side * (leg.b.price - behind) >= SHALLOW * length(leg)):
        leg.drawn = 1
        leg.news |= DRAWN


@kernel
def follow_legs(
    state: Any, book: Any, swings: Any, turned: Any, least: Any, max_age: Any,
    n: Any, t: Any, h: Any, low: Any, c: Any, atr: Any,
) -> Any:  # fmt: skip
    """Carry the legs of one scale over one bar, after the swings were.

    Parameters
    ----------
    state : record with a field `serial`
        Counter of the things seen.
    book, swings : BOOK and SWINGS record
        Legs and pivots of one scale, changed and read.
    turned : int
        What `swings_step` returned for this bar.
    least : float
        Span that makes a move a leg, in ATR.
    max_age : int
        Bars after its extreme B at which a leg ends.
    n, t, h, low, c, atr
        Number and opening time of the bar, its prices, and the ATR that includes it, > 0.

    Returns
    -------
    bool
        Whether the levels to watch have changed: a leg was drawn, erased, set, pinned or ended.
    """
    legs = book.legs
    used = book.used
    book.used = 0
    live = -1
    for i in range(used):
        legs[i].news = 0
        if legs[i].status >= DEAD:
            legs[i].status = FREE
        if legs[i].status != FREE:
            _test(book, legs[i], max_age, n, t, h, low, c)
            book.used = i + 1
        if legs[i].status == LIVE:
            live = i
    reach = least * atr
    if turned != 0:
        _settle(state, book, swings, live, reach, c)
        live = -1
    if swings.direction != 0:
        _run_on(state, book, swings, live, reach, max_age, n, c)
    changed = False
    moved = False
    for i in range(book.used):
        moved |= legs[i].news & (CREATED | RESTARTED | CONFIRMED) != 0
    if moved:
        _outgrow(book)
    for i in range(book.used):
        if legs[i].status == FREE:
            continue
        _draw(legs[i], n, h, low)
        changed |= (legs[i].news & ~(CREATED | RESTARTED) != 0) | (legs[i].status >= DEAD)
    return changed
