"""Kinds of chart events of the smc detector, and the record that all of them open with."""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import Kind
from opportunity.detectors.marks import mark, mark_levels, mark_number, mark_point, mark_zone
from opportunity.kernels import kernel

BREAK: Final = 0  # internal BOS, swing BOS, internal CHoCH, swing CHoCH
GAP, INVERSE, BLOCK, BREAKER, EQUAL = range(4, 9)
SWEEP: Final = 9  # one for each of `smc_liquidity.POOLS`
RANGE, OTE, ICT = range(15, 18)

KINDS: Final = (
    Kind(
        "bos", "{side} internal BOS at {price}, {x:.1f} ATR beyond ({state})",
        ("pivot", "BOS"), badge="BOS",
    ),
    Kind(
        "bos", "{side} swing BOS at {price}, {x:.1f} ATR beyond ({state})",
        ("pivot", "BOS"), badge="BOS",
    ),
    Kind(
        "choch", "{side} internal CHoCH at {price}, {x:.1f} ATR beyond ({state})",
        ("pivot", "CHoCH"), badge="CHoCH",
    ),
    Kind(
        "choch", "{side} swing CHoCH at {price}, {x:.1f} ATR beyond ({state})",
        ("pivot", "CHoCH"), badge="CHoCH",
    ),
    Kind("fvg", "{side} fair value gap, {x:.0%} filled ({state})", badge="FVG", lasting=True),
    Kind(
        "inverse_fvg", "{side} inverted fair value gap, {x:.0%} filled ({state})",
        badge="Inverse FVG", lasting=True,
    ),
    Kind("order_block", "{side} order block, {x:.0%} entered ({state})", badge="Order block"),
    Kind("breaker", "{side} breaker block, {x:.0%} entered ({state})", badge="Breaker"),
    Kind(
        "equal_levels", "{side} at {price} ({state})", ("", "equal"), badge="Equal highs/lows",
        words=("Equal levels", "Equal lows", "Equal highs"), lasting=True,
    ),
    *(
        Kind(
            "sweep", f"{{side}} sweep of {pool} to {{price}} ({{state}})", ("pool", "sweep"),
            badge="Sweep",
        )
        for pool in (
            "a swing pivot", "internal equal levels", "swing equal levels",
            "the previous day's extreme", "the previous week's extreme", "the Asian session",
        )
    ),
    Kind("dealing_range", "Dealing range, price at {x:.0%} of it ({state})", ("high", "low")),
    Kind(
        "ote", "{side} retracement to 0.62-0.79 of the swing leg ({state})",
        ("start", "extreme"), badge="OTE", lasting=True,
    ),
    Kind(
        "ict", "{side} ICT sequence, stage {x:.0f} of 4 ({state})",
        ("sweep", "CHoCH", "return"), badge="ICT",
    ),
)  # fmt: skip
"""In the order of the numbers above."""


@kernel
def next_serial(s: Any) -> Any:
    """Return a number for the next thing that this stream has seen, from 1."""
    s.serial += 1
    return s.serial


@kernel
def mark_line(
    s: Any, kind: Any, side: Any, condition: Any, serial: Any, n: Any, t: Any, quality: Any,
    time: Any, price: Any, end: Any,
) -> Any:  # fmt: skip
    """Report something with two points: (`time`, `price`) and the bar's time at `end`."""
    i = mark(s, kind, side, condition, serial, n, t, quality)
    mark_point(s, i, time, price)
    mark_point(s, i, t, end)
    return i


@kernel
def mark_box(
    s: Any, kind: Any, side: Any, condition: Any, zone: Any, quality: Any, n: Any, t: Any, x: Any
) -> None:
    """Report a zone; entry is its near edge, and a close beyond its far edge (stop) ends it."""
    near = zone.top if side > 0 else zone.bottom
    far = zone.bottom if side > 0 else zone.top
    i = mark(s, kind, side, condition, zone.serial, n, t, quality)
    mark_point(s, i, zone.time, near)
    mark_zone(s, i, zone.top, zone.bottom)
    mark_levels(s, i, near, far, np.nan)
    mark_number(s, i, x, zone.scale)
