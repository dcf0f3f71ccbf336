"""Chart events of the fibonacci detector: legs, their levels, targets, reactions and clusters."""

from typing import Any, Final

from opportunity.detectors.clusters import BROKEN, GONE, HELD, N_CLUSTERS, NEW
from opportunity.detectors.events import ACTIVE, EXPIRED, INVALID, TOUCHED, Kind
from opportunity.detectors.legs import length, next_serial
from opportunity.detectors.marks import mark, mark_number, mark_point, mark_zone
from opportunity.kernels import kernel

LEG, LEVELS, BOUNCE, CLUSTER, TARGETS, EXTENSION = range(6)
KINDS: Final = (
    Kind("leg", "{side} leg to {price:.6g} ({state})", ("A", "B")),
    Kind(
        "levels",
        "{side} leg, retracement levels to {price:.6g}",
        ("0.236", "0.382", "0.5", "0.618", "0.786", "0.886"),
    ),
    Kind(
        "bounce",
        "{side} reaction at {x:.3f} of the leg, quality {quality:.2f} ({state})",
        ("A", "B", "C"),
        badge="Fib bounce",
        lasting=True,
    ),
    Kind("cluster", "Levels of {x:.0f} legs meet at {price:.6g} ({state})"),
    Kind("targets", "{side} targets to {price:.6g}", ("1.0", "1.272", "1.618", "2.618")),
    Kind(
        "extension", "{side} reaction at the {x:.3f} extension ({state})", badge="Fib extension"
    ),
)
"""Kinds in the order of the numbers above; all but the cluster carry the scale of their leg."""

LINES: Final = (0.236, 0.382, 0.5, 0.618, 0.786, 0.886)
POCKET: Final = (0.618, 0.65)
BEYOND: Final = (1.0, 1.272, 1.618, 2.618)


@kernel
def mark_leg(state: Any, leg: Any, condition: Any, scale: Any, t: Any) -> None:
    """Report a leg that began, was confirmed or ended."""
    i = mark(state, LEG, leg.side, condition, leg.serial, state.n - 1, t, 0.0)
    mark_point(state, i, leg.a.time, leg.a.price)
    mark_point(state, i, leg.b.time, leg.b.price)
    mark_number(state, i, length(leg), scale)


@kernel
def mark_lines(state: Any, leg: Any, scale: Any, t: Any) -> None:
    """Report the retracement levels of a leg; the zone is the golden pocket."""
    if leg.levels == 0:
        leg.levels = next_serial(state)
    i = mark(state, LEVELS, leg.side, ACTIVE, leg.levels, state.n - 1, t, 0.0)
    span = leg.side * length(leg)
    for k in range(len(LINES)):
        mark_point(state, i, leg.b.time, leg.b.price - LINES[k] * span)
    near = leg.b.price - POCKET[0] * span
    far = leg.b.price - POCKET[1] * span
    mark_zone(state, i, max(near, far), min(near, far))
    mark_number(state, i, length(leg), scale)


@kernel
def mark_targets(state: Any, leg: Any, scale: Any, t: Any) -> None:
    """Report the levels beyond a leg that price has just exceeded."""
    serial = next_serial(state)
    i = mark(state, TARGETS, leg.side, ACTIVE, serial, state.n - 1, t, 0.0)
    for k in range(len(BEYOND)):
        mark_point(
            state, i, leg.c.time, leg.c.price + leg.side * BEYOND[k] * length(leg)
        )
    mark_number(state, i, length(leg), scale)


@kernel
def mark_bounce(state: Any, leg: Any, condition: Any, scale: Any, t: Any, price: Any) -> Any:
    """Report a bounce with the price that changed its state; return the record's place."""
    i = mark(state, BOUNCE, leg.side, condition, leg.bounce, state.n - 1, t, leg.quality)
    mark_point(state, i, leg.a.time, leg.a.price)
    mark_point(state, i, leg.b.time, leg.b.price)
    mark_point(state, i, t, price)
    mark_number(state, i, leg.side * (leg.b.price - price) / length(leg), scale)
    return i


@kernel
def mark_extension(
    state: Any, item: Any, condition: Any, scale: Any, t: Any, price: Any
) -> Any:
    """Report a reaction beyond a leg; return the record's place."""
    i = mark(
        state, EXTENSION, item.side, condition, item.serial, state.n - 1, t, item.quality
    )
    mark_point(state, i, t, price)
    mark_number(state, i, item.x, scale)
    return i


@kernel
def mark_clusters(state: Any, t: Any) -> None:
    """Report the clusters that have news; what finds no room on this bar waits for the next."""
    for k in range(N_CLUSTERS):
        cluster = state.clusters[k]
        if cluster.news == 0:
            continue
        condition = TOUCHED
        if cluster.news & BROKEN:
            condition = INVALID
        elif cluster.news & GONE:
            condition = EXPIRED
        elif cluster.news & (HELD | NEW):
            condition = ACTIVE
        quality = min(max((cluster.count - 1) / 3.0, 0.0), 1.0)
        i = mark(state, CLUSTER, 0, condition, cluster.serial, state.n - 1, t, quality)
        if i < 0:
            return
        mark_point(state, i, t, cluster.price)
        mark_zone(state, i, cluster.top, cluster.bottom)
        mark_number(state, i, cluster.count, 0.0)
        cluster.news = 0
