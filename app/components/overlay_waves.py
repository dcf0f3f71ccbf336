"""Harmonic patterns and wave counts over the candles: letters at the pivots, zones, forecasts."""

from dataclasses import replace
from typing import Final

import numpy as np

from app.components.overlay_tables import (
    ENDED,
    SIDE_TONE,
    Frame,
    Overlay,
    append,
    band,
    letters,
    level,
    line,
    mark,
    newest_first,
)
from opportunity.detectors.events import Event

MOST_PATTERNS: Final = 2
MOST_COUNTS: Final = 3
LEAST_WEIGHT: Final = 0.1
"""A count of less weight is not worth a line."""

NAMES: Final = {"ab_cd": "AB=CD", "five_o": "5-0"}
FAILED: Final = frozenset({"invalid", "expired"})
RECENT_BARS: Final = 60
"""A finished pattern stays drawn for so many bars after its last record."""

STOP_LABEL: Final = "invalid beyond"


def draw_harmonic(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    """Draw the newest patterns: X to D, the zone in which D is expected, targets and stop."""
    since = int(frame.bars.time[max(0, len(frame.bars) - RECENT_BARS)])
    found = [
        e for e in events
        if e.detector == "harmonic" and e.state not in FAILED and e.time >= since
        and not _refuted(e, frame)
    ]
    seen: set[tuple[tuple[int, float, str], ...]] = set()
    for event in newest_first(found):
        pivots = event.points[:4]
        if pivots in seen or len(seen) == MOST_PATTERNS:
            continue  # one set of pivots may feed several patterns: the best of them is drawn
        _pattern(drawn, event, frame, forecast=not seen)
        seen.add(pivots)


def _refuted(event: Event, frame: Frame) -> bool:
    """Tell whether a bar closed beyond the stop since: once a target was reached, it stays open."""
    if event.stop is None or event.side == 0:
        return False
    after = frame.bars.close[int(np.searchsorted(frame.bars.time, event.time)) :]
    return bool((event.side * (after - event.stop) < 0).any())


def _pattern(drawn: Overlay, event: Event, frame: Frame, forecast: bool) -> None:
    """Draw a pattern; targets and stop only where two ladders would not lie on each other."""
    waiting = event.state == "forming"
    # D is a guess until it is there: the band says where it is expected.
    known = [p for p in event.points if p[2] != "D"] if waiting else list(event.points)
    seen = replace(event, points=tuple(known))
    _wings(drawn, seen, frame)
    line(drawn, seen, "acc", frame)
    letters(drawn, seen, "acc", frame)
    name = NAMES.get(event.kind, event.kind.replace("_", " ").title())
    mark(drawn, event, name, frame)
    if waiting and event.zone is not None and known:
        band(drawn, event, "acc", f"{name}: D", frame, since=event.time)
        time, price, _ = known[-1]
        append(
            drawn.dashes, xs=[frame.x(time), frame.right], ys=[price, sum(event.zone) / 2],
            tone="acc",
        )
    if forecast and event.state not in ENDED:
        _forecast(drawn, event, frame)


def _wings(drawn: Overlay, event: Event, frame: Frame) -> None:
    """Shade X to B and B to D, as such patterns are drawn; AB=CD has no wings."""
    points = event.points
    for wing in (points[0:3], points[2:5]):
        if points[0][2] == "X" and len(wing) == 3 and wing[0][0] >= frame.bars.time[0]:
            append(
                drawn.areas, xs=[frame.x(t) for t, _, _ in wing], ys=[p for _, p, _ in wing],
                tone="acc",
            )


def draw_elliott(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    """Draw the count of most weight solid with its forecast, the next two as faint lines."""
    found = [e for e in events if e.detector == "elliott" and e.state not in ENDED]
    for place, event in enumerate(sorted(found, key=lambda e: -e.quality)[:MOST_COUNTS]):
        points = [(t, p) for t, p, _ in event.points if t >= frame.bars.time[0]]
        if place == 0:
            tone = SIDE_TONE[event.side]
            line(drawn, event, tone, frame)
            letters(drawn, event, tone, frame)
            mark(drawn, event, f"{event.kind} {event.quality:.0%}", frame)
            _forecast(drawn, event, frame)
        elif len(points) > 1 and event.quality >= LEAST_WEIGHT:
            xs, ys = [frame.x(t) for t, _ in points], [p for _, p in points]
            append(drawn.dashes, xs=xs, ys=ys, tone="dim")


def _forecast(drawn: Overlay, event: Event, frame: Frame) -> None:
    """Draw targets, and the price that would prove the event wrong."""
    x0 = frame.x(event.time)
    for i, target in enumerate(event.targets, 1):
        level(drawn, x0, frame.right, target, SIDE_TONE[event.side], f"T{i}")
    if event.stop is not None:
        level(drawn, x0, frame.right, event.stop, "warn", STOP_LABEL)
