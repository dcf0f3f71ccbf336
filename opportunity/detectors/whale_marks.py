"""Chart events of the whales detector: bubbles, bursts, pins, one-sided volume, and the proxy."""

from typing import Any, Final

from opportunity.detectors.events import ACTIVE, DONE, Kind
from opportunity.detectors.marks import mark, mark_number, mark_point
from opportunity.kernels import kernel

PRINTS, BURST, TRANSFER, TOXIC, PROXY = range(5)
KINDS: Final = (
    Kind(
        "large prints",
        "{side}: {x:.0%} of the bar's volume above the 99th percentile",
        ("largest",),
        badge="Large prints",
        words=("Large prints", "Large buys", "Large sells"),
    ),
    Kind(
        "flow burst",
        "{side}: net flow of 24 bars {x:.1f} deviations from usual ({state})",
        badge="Flow burst",
        lasting=True,
        words=("Aggressive flow", "Aggressive buying", "Aggressive selling"),
    ),
    Kind(
        "transfer",
        "{side}: {x:,.0f} coins",
        badge="Transfer",
        words=(
            "Large transfer, no side", "Large transfer out of an exchange",
            "Large transfer to an exchange",
        ),
    ),
    Kind("VPIN high", "One-sided volume: VPIN {x:.2f} is high for this market ({state})"),
    Kind(
        "proxy flow",
        "{side}, a proxy from bars without prints: {x:.2f} ({state})",
        badge="Flow (proxy)",
        lasting=True,
        words=("Flow", "Buying", "Selling"),
    ),
)
"""Kinds in the order of the numbers above."""

@kernel
def next_serial(s: Any) -> Any:
    """Return the id of the next thing that the stream sees."""
    s.serial += 1
    return s.serial


@kernel
def mark_prints(s: Any, side: Any, share: Any, quality: Any, price: Any, t: Any) -> None:
    """Report a bar with large prints; `share` is what they are of its volume."""
    i = mark(s, PRINTS, side, ACTIVE, next_serial(s), s.n - 1, t, quality)
    mark_point(s, i, t, price)
    mark_number(s, i, share, 0.0)


@kernel
def mark_transfer(s: Any, side: Any, amount: Any, quality: Any, price: Any, t: Any) -> None:
    """Report a transfer that became known during the bar."""
    i = mark(s, TRANSFER, side, ACTIVE, next_serial(s), s.n - 1, t, quality)
    mark_point(s, i, t, price)
    mark_number(s, i, amount, 0.0)


@kernel
def follow_spell(
    s: Any, spell: Any, kind: Any, side: Any, on: Any, off: Any, x: Any, quality: Any,
    price: Any, t: Any,
) -> None:  # fmt: skip
    """Report that something lasting began or ended.

    Parameters
    ----------
    s : record
        The detector's state.
    spell : record with `active`, `side`, `serial`
        What is going on.
    kind, side : int
        What would begin now, and its side.
    on, off : bool
        Whether it is strong enough to begin, and too weak to go on; it also ends when the other
        side begins.
    x, quality, price : float
        Of the event.
    """
    if spell.active != 0 and (off or (on and side != spell.side)):
        spell.active = 0
        i = mark(s, kind, spell.side, DONE, spell.serial, s.n - 1, t, quality)
        mark_point(s, i, t, price)
        mark_number(s, i, x, 0.0)
    if on and spell.active == 0:
        spell.active = 1
        spell.side = side
        spell.serial = next_serial(s)
        i = mark(s, kind, side, ACTIVE, spell.serial, s.n - 1, t, quality)
        mark_point(s, i, t, price)
        mark_number(s, i, x, 0.0)
