"""Reactions: what price does at the levels of a leg, and what the detector makes of it.

A *bounce* is a turn inside a retracement, in the leg's direction; an *extension* is a turn at a
target beyond the leg, against it. Both need a rejection: touching a level says nothing.

Source: retracement practice (Frost and Prechter, *Elliott Wave Principle*; DiNapoli, *Trading
with DiNapoli Levels*). The worth of a depth, the rejection rule and all weights are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.clusters import NEAR, confluence, find_twin
from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, FORMING, INVALID
from opportunity.detectors.leg_items import end_item, is_live, item_slot, put_item
from opportunity.detectors.leg_marks import (
    BOUNCE,
    EXTENSION,
    mark_bounce,
    mark_extension,
    mark_leg,
    mark_lines,
    mark_targets,
)
from opportunity.detectors.legs import (
    CONFIRMED,
    CREATED,
    DEAD,
    DRAWN,
    EXCEEDED,
    FREE,
    LIVE,
    RESTARTED,
    SET,
    length,
    next_serial,
)
from opportunity.detectors.marks import mark_levels
from opportunity.kernels import kernel

WAITING, NEARING, BOUNCED, OVER = range(4)
"""Stages of the bounce on one extreme B: a new extreme begins again at `WAITING`."""

FIRST, DEEP, LAST = 0.382, 0.786, 0.886
DEPTHS: Final = (0.236, 0.382, 0.5, 0.618, 0.65, 0.786, 0.886, 1.0)
WORTHS: Final = (0.0, 0.6, 0.8, 1.0, 0.7, 0.5, 0.25, 0.0)
EXTENSIONS: Final = (1.272, 1.618)

FORMING_WEIGHT: Final = 0.15
BOUNCE_WEIGHTS: Final = (0.5, 0.65)  # swing, major
BOUNCE_HALF_LIVES: Final = (18.0, 48.0)
EXTENSION_WEIGHTS: Final = (0.25, 0.35)
EXTENSION_HALF_LIFE: Final = 8.0
SLACK: Final = 0.25

@kernel
def zone_value(depth: Any) -> Any:
    """Return what a retracement of that depth (fraction of the leg) is worth, in [0, 1].

    Piecewise linear: nothing up to 0.236, the most at 0.618, nothing from 1 on.
    """
    if not DEPTHS[0] < depth < DEPTHS[-1]:
        return 0.0
    for i in range(1, len(DEPTHS)):
        if depth <= DEPTHS[i]:
            part = (depth - DEPTHS[i - 1]) / (DEPTHS[i] - DEPTHS[i - 1])
            return WORTHS[i - 1] + part * (WORTHS[i] - WORTHS[i - 1])
    return 0.0


@kernel
def rejects(side: Any, atr_before: Any, o: Any, h: Any, low: Any, c: Any) -> Any:
    """Tell whether a bar turned towards `side`: of some size, closing back, by body or wick."""
    span = h - low
    if not atr_before > 0.0 or span <= 0.0 or span < 0.6 * atr_before:
        return False
    back = c - low if side > 0 else h - c
    wick = min(o, c) - low if side > 0 else h - max(o, c)
    return back >= 0.35 * span and (side * (c - o) > 0.0 or wick >= 0.5 * span)


@kernel
def _end_extension(
    state: Any, slot: Any, condition: Any, scale: Any, t: Any, c: Any
) -> None:
    """Tell the end of a living reaction beyond a leg and empty its slot."""
    if is_live(state, slot):
        mark_extension(state, state.items[slot], condition, scale, t, c)
        end_item(state, slot)


@kernel
def check_reactions(state: Any, j: Any, scale: Any, t: Any, c: Any) -> None:
    """Take back bounces and extensions that a bar closed beyond, before anything moves."""
    for i in range(state.books[j].used):
        leg = state.books[j].legs[i]
        if leg.status == FREE:
            continue
        if (leg.stage == BOUNCED) & (leg.side * (leg.stop - c) > 0.0):
            mark_bounce(state, leg, INVALID, scale, t, c)
            leg.stage = OVER
            end_item(state, item_slot(j, i, 0))
        slot = item_slot(j, i, 1)
        turn = state.items[slot]
        if turn.side * (turn.level - c) > 0.0:
            _end_extension(state, slot, INVALID, scale, t, c)


@kernel
def _end_bounce(state: Any, leg: Any, slot: Any, scale: Any, t: Any, price: Any) -> None:
    """Close the bounce of an extreme that is history: done if there was one and price got there."""
    if leg.stage == BOUNCED:
        mark_bounce(state, leg, EXPIRED if leg.status >= DEAD else DONE, scale, t, price)
    elif leg.stage == NEARING:
        mark_bounce(state, leg, EXPIRED, scale, t, price)
    end_item(state, slot)
    leg.stage = WAITING
    leg.quality = 0.0
    leg.stop = np.nan


@kernel
def follow_news(state: Any, j: Any, i: Any, scale: Any, t: Any, c: Any) -> None:
    """Report what happened to a leg and end what hung on its old extreme."""
    leg = state.books[j].legs[i]
    slot = item_slot(j, i, 0)
    if leg.news & (RESTARTED | EXCEEDED):
        _end_bounce(state, leg, slot, scale, t, leg.b.price)
    if leg.status >= DEAD:
        _end_bounce(state, leg, slot, scale, t, c)
        _end_extension(state, item_slot(j, i, 1), EXPIRED, scale, t, c)
        mark_leg(state, leg, INVALID if leg.status == DEAD else EXPIRED, scale, t)
        return
    if leg.news & CREATED:
        mark_leg(state, leg, FORMING if leg.status == LIVE else ACTIVE, scale, t)
    elif leg.news & CONFIRMED:
        mark_leg(state, leg, ACTIVE, scale, t)
    if leg.news & DRAWN and leg.status <= SET:
        mark_lines(state, leg, scale, t)
    if leg.news & EXCEEDED:
        mark_targets(state, leg, scale, t)


@kernel
def _confirm_bounce(
    state: Any, j: Any, i: Any, scale: Any, t: Any, c: Any, atr: Any, price: Any
) -> None:
    """Turn a retracement that was rejected at `price` into evidence for the leg's side."""
    leg = state.books[j].legs[i]
    span = length(leg)
    depth = leg.side * (leg.b.price - price) / span
    meets = confluence(state.pool, state.clusters, price, atr)
    leg.stage = BOUNCED
    leg.quality = min(zone_value(depth) * (0.7 + 0.3 * meets), 1.0)
    leg.stop = leg.b.price - leg.side * (LAST * span + SLACK * atr)
    k = mark_bounce(state, leg, ACTIVE, scale, t, price)
    mark_levels(state, k, c, leg.stop, leg.b.price)
    if k >= 0:
        state.events[k].target[1] = price + leg.side * EXTENSIONS[0] * span
        state.events[k].target[2] = price + leg.side * EXTENSIONS[1] * span
    slot = item_slot(j, i, 0)
    put_item(
        state, slot, leg.side, BOUNCE_WEIGHTS[j], leg.quality,
        BOUNCE_HALF_LIVES[j], BOUNCE, t, leg.bounce,
    )  # fmt: skip


@kernel
def has_hope(leg: Any, n: Any) -> Any:
    """Tell whether a leg may still bounce.

    Not on the bar of B: the order of a bar's high and low is not known.
    """
    here = (leg.status >= LIVE) & (leg.status <= SET) & (leg.stage <= NEARING)
    return here & (leg.b.bar != n)


@kernel
def watch_bounce(
    state: Any, j: Any, i: Any, scale: Any, turn: Any, turn_bar: Any, turn_price: Any,
    t: Any, o: Any, h: Any, low: Any, c: Any, atr_before: Any, atr: Any,
) -> None:  # fmt: skip
    """Watch the retracement of a leg that `has_hope`: nearing, then bounced or over.

    `turn` is the side of the internal pivot confirmed on this bar (0 for none), at `turn_bar`
    and `turn_price`: such a pivot inside the zone confirms as a rejection bar does.
    """
    leg = state.books[j].legs[i]
    side = leg.side
    span = length(leg)
    tip = low if side > 0 else h
    depth = side * (leg.b.price - tip) / span
    slot = item_slot(j, i, 0)
    if side * (leg.b.price - c) > LAST * span + SLACK * atr:
        if leg.stage == NEARING:
            mark_bounce(state, leg, INVALID, scale, t, c)
        end_item(state, slot)
        leg.stage = OVER
    if leg.stage == WAITING and depth >= FIRST:
        leg.stage = NEARING
        leg.bounce = next_serial(state)
        mark_bounce(state, leg, FORMING, scale, t, tip)
    if leg.stage != NEARING:
        return
    if FIRST <= depth <= DEEP and rejects(side, atr_before, o, h, low, c):
        _confirm_bounce(state, j, i, scale, t, c, atr, tip)
    elif (
        turn == -side
        and turn_bar > leg.b.bar
        and FIRST <= side * (leg.b.price - turn_price) / span <= DEEP
    ):
        _confirm_bounce(state, j, i, scale, t, c, atr, turn_price)
    else:
        put_item(
            state, slot, side, FORMING_WEIGHT, zone_value(side * (leg.b.price - c) / span), 0.0,
            BOUNCE, t, leg.bounce,
        )  # fmt: skip


@kernel
def watch_extension(
    state: Any, j: Any, i: Any, scale: Any,
    t: Any, o: Any, h: Any, low: Any, c: Any, atr_before: Any, atr: Any,
) -> None:  # fmt: skip
    """Watch for a turn against a leg at 1.272 or 1.618 of its length beyond C, once for each."""
    leg = state.books[j].legs[i]
    side = leg.side
    tip = h if side > 0 else low
    for k in range(len(EXTENSIONS)):
        level = leg.c.price + side * EXTENSIONS[k] * length(leg)
        if leg.tried & (1 << k) or abs(tip - level) > NEAR * atr:
            continue
        if not rejects(-side, atr_before, o, h, low, c):
            continue
        leg.tried |= 1 << k
        slot = item_slot(j, i, 1)
        item = state.items[slot]
        meets = confluence(state.pool, state.clusters, tip, atr)
        put_item(
            state, slot, -side, EXTENSION_WEIGHTS[k], min(0.7 + 0.3 * meets, 1.0),
            EXTENSION_HALF_LIFE, EXTENSION, t, next_serial(state),
        )  # fmt: skip
        item.level = tip
        item.x = EXTENSIONS[k]
        mark_levels(state, mark_extension(state, item, ACTIVE, scale, t, tip), c, tip, leg.b.price)


@kernel
def silence_twins(state: Any, scale: Any, t: Any, c: Any) -> None:
    """Let a leg that both scales see speak once: by the larger scale when that has an item."""
    for i in range(state.books[0].used):
        for which in range(2):
            if not is_live(state, item_slot(0, i, which)):
                continue
            twin = find_twin(state.books, 0, i)
            if twin >= 0 and is_live(state, item_slot(1, twin, which)):
                if which == 1:  # a bounce is followed by its leg, to its own end
                    _end_extension(state, item_slot(0, i, which), EXPIRED, scale, t, c)
                else:
                    end_item(state, item_slot(0, i, which))
