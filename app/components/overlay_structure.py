"""Market structure over the candles: breaks, zones by their state, pools, sweeps, the range."""

from collections.abc import Callable
from typing import Final

from app.components.overlay_tables import (
    ENDED,
    FAINT,
    PLAIN,
    SIDE_TONE,
    Frame,
    Overlay,
    band,
    level,
    mark,
    newest_first,
)
from opportunity.detectors.events import Event

ZONES: Final = {
    "fvg": "FVG", "inverse_fvg": "iFVG", "order_block": "OB", "breaker": "Breaker", "ote": "OTE",
}
BREAKS: Final = {"bos": "BOS", "choch": "CHoCH"}
MOST_ZONES: Final = 4
MOST_BREAKS: Final = 6
MOST_MARKS: Final = 4
MOST_POOLS: Final = 3
SWING_ATR: Final = 3.0
"""Scale from which a break is one of the swing structure; smaller ones are internal."""


def draw_structure(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    """Draw what the smc detector holds to be alive, nearest zones and newest breaks first."""
    found = [e for e in events if e.detector == "smc"]
    _zones(drawn, found, frame)
    for event in newest_first([e for e in found if e.kind in BREAKS])[:MOST_BREAKS]:
        _break(drawn, event, frame)
    pools = [e for e in found if e.kind == "equal_levels" and e.state not in ENDED and e.points]
    for event in _nearest(pools, lambda e: e.points[0][1], frame)[:MOST_POOLS]:
        time, price, _ = event.points[0]
        level(drawn, frame.x(time), frame.right, price, "info", "EQH" if event.side < 0 else "EQL")
    for event in newest_first([e for e in found if e.kind in ("sweep", "ict")])[:MOST_MARKS]:
        mark(drawn, event, "Sweep" if event.kind == "sweep" else "ICT", frame)
    ranges = [e for e in found if e.kind == "dealing_range" and e.state not in ENDED]
    for event in newest_first(ranges)[:1]:
        _range(drawn, event, frame)


def _zones(drawn: Overlay, found: list[Event], frame: Frame) -> None:
    alive = [e for e in found if e.kind in ZONES and e.state not in ENDED and e.zone]
    for event in _nearest(alive, lambda e: sum(e.zone or (0.0,)) / 2, frame)[:MOST_ZONES]:
        fresh = event.state in ("forming", "active")
        band(
            drawn, event, SIDE_TONE[event.side], ZONES[event.kind] + ("" if fresh else " touched"),
            frame, strength=PLAIN if fresh else FAINT,
        )


def _nearest(
    events: list[Event], price: Callable[[Event], float], frame: Frame
) -> list[Event]:
    """Sort by distance from the newest close."""
    last = float(frame.bars.close[-1])
    return sorted(events, key=lambda e: abs(price(e) - last))


def _break(drawn: Overlay, event: Event, frame: Frame) -> None:
    """Draw the broken level from its pivot to the bar that closed beyond it."""
    if len(event.points) < 2:
        return
    (since, price, _), (until, _, _) = event.points[:2]
    if frame.row(until) is None:
        return
    swing = event.scale is not None and event.scale >= SWING_ATR
    name = BREAKS[event.kind]
    level(
        drawn, frame.x(since), frame.x(until), price, SIDE_TONE[event.side],
        name if swing else name.lower(),
    )


def _range(drawn: Overlay, event: Event, frame: Frame) -> None:
    """Draw the middle of the dealing range: discount below, premium above."""
    prices = [price for _, price, _ in event.points]
    if len(prices) > 1:
        x0 = frame.x(min(time for time, _, _ in event.points))
        middle = (max(prices) + min(prices)) / 2
        level(drawn, x0, frame.right, middle, "dim", "50 %")
