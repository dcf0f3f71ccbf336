"""What detectors saw, as plain columns for the chart: bands, lines, levels, marks and dots.

Everything is drawn at the middle of its bar. Colours are named by tone (`bull`, `bear`, `info`,
`warn`, `acc`, `dim`), so that a theme can give them their colour.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from app.components.overlay_labels import clear_labels
from app.components.overlay_news import Titles, draw_news, draw_whales
from app.components.overlay_structure import draw_structure
from app.components.overlay_tables import (
    ENDED,
    FAINT,
    SIDE_TONE,
    Frame,
    Overlay,
    append,
    band,
    level,
    line,
    mark,
)
from app.components.overlay_waves import draw_elliott, draw_harmonic
from opportunity.detectors.events import Event
from opportunity.indicators.sar import sar
from opportunity.market.bars import Bars

LAYERS: Final[dict[str, str]] = {
    "harmonic": "Harmonic", "elliott": "Elliott", "structure": "SMC", "fibonacci": "Fib",
    "levels": "S/R", "patterns": "Patterns", "sar": "SAR", "news": "News", "whales": "Whales",
}
"""Overlays that can be switched, with their labels."""

LAYER_HINTS: Final[dict[str, str]] = {
    "harmonic": "Harmonic patterns from X to D, their targets and stop",
    "elliott": "Wave count of most weight, the next two faint",
    "structure": "Breaks of structure, zones, pools, sweeps and the dealing range",
    "fibonacci": "Legs with retracements, clusters, reactions",
    "levels": "Support and resistance near the price",
    "patterns": "Candle patterns, breakouts, double tops and shoulders",
    "sar": "Stops of the parabolic SAR",
    "news": "Headlines (filled) and turns of sentiment (hollow), pinned at the bottom",
    "whales": "Large prints as bubbles at their price, bursts and transfers",
}
"""What each overlay draws."""

DEFAULT_LAYERS: Final = ("harmonic", "structure", "levels", "news")
"""Those shown at first: all nine at once would hide the candles."""

RETRACEMENTS: Final = (0.236, 0.382, 0.5, 0.618, 0.786)
POCKET: Final = (0.618, 0.65)
MOST_LEGS: Final = 2
MOST_LEVELS: Final = 4
MOST_CLUSTERS: Final = 3
MOST_MARKS: Final = 16
CANDLES: Final[dict[str, str]] = {
    "pin_bar": "Pin", "engulfing": "Engulf", "piercing": "Pierce", "harami": "Harami",
    "star": "Star", "tweezer": "Tweezer", "soldiers": "3 bars", "marubozu": "Thrust",
}
BREAKS: Final = {"breakout": "Break", "failed_breakout": "Failed"}
FIGURES: Final = {"double": "Double", "head_shoulders": "H&S"}


def overlay(
    events: Sequence[Event],
    bars: Bars,
    layers: Iterable[str] = DEFAULT_LAYERS,
    titles: Titles | None = None,
) -> Overlay:
    """Turn events into columns.

    Parameters
    ----------
    events : sequence of Event
        Oldest first; of one thing only the newest record counts.
    bars : Bars
        What the chart shows; needs a timeframe.
    layers : iterable of str
        Keys of `LAYERS` to draw.
    titles : mapping of int to sequence of str, optional
        Headlines by the opening time of the bar during which they became known.
    """
    drawn = Overlay()
    if len(bars) == 0:
        return drawn
    frame = Frame(bars)
    newest = list({_thing(e): e for e in events}.values())
    for layer in LAYERS:
        if layer in set(layers):
            if layer in _TITLED:
                _TITLED[layer](drawn, newest, frame, titles or {})
            else:
                _DRAW[layer](drawn, newest, frame)
    clear_labels(drawn, frame)
    return drawn


def _thing(event: Event) -> tuple[str, str]:
    """Tell records of one thing from others; a wave count becomes another kind as it grows."""
    return event.id, "" if event.detector == "elliott" else event.kind


def _fibonacci(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    found = [e for e in events if e.detector == "fibonacci"]
    legs = {}
    for event in found:
        if event.kind == "leg" and event.state not in ENDED and len(event.points) > 1:
            leg = _leg(event, frame)
            legs[leg[:2]] = (*leg, event.side)  # both scales may see the same leg
    for start, end, begin, extreme, side in list(legs.values())[-MOST_LEGS:]:
        append(drawn.lines, xs=[start, end], ys=[begin, extreme], tone=SIDE_TONE[side])
    if legs:
        # One ladder is read, two are noise: that of the largest leg.
        _ladder(drawn, max(list(legs.values())[-MOST_LEGS:], key=lambda g: abs(g[3] - g[2])), frame)
    clusters = [e for e in found if e.kind == "cluster" and e.state not in ENDED and e.zone]
    for event in sorted(clusters, key=lambda e: e.quality)[-MOST_CLUSTERS:]:
        band(drawn, event, "acc", "cluster", frame)
    for event in [e for e in found if e.kind in ("bounce", "extension")][-MOST_MARKS // 2 :]:
        mark(drawn, event, "Fib", frame)


def _leg(event: Event, frame: Frame) -> tuple[float, float, float, float]:
    """Return start and end of a living leg on both axes; its end is the extreme so far."""
    (start, begin, _), (end, extreme, _) = event.points[:2]
    since = int(np.searchsorted(frame.bars.time, start))
    side = frame.bars.high if event.side > 0 else -frame.bars.low
    if since < len(side):
        at = since + int(side[since:].argmax())
        if side[at] >= event.side * extreme:
            end, extreme = int(frame.bars.time[at]), abs(float(side[at]))
    return frame.x(start), frame.x(end), begin, extreme


def _ladder(
    drawn: Overlay, leg: tuple[float, float, float, float, int], frame: Frame
) -> None:
    start, _, begin, extreme, _ = leg
    for ratio in RETRACEMENTS:
        level(
            drawn, start, frame.right, extreme + ratio * (begin - extreme), "dim", f"{ratio:g}"
        )
    edges = sorted(extreme + ratio * (begin - extreme) for ratio in POCKET)
    append(
        drawn.bands, left=start, right=frame.right, top=edges[1], bottom=edges[0], tone="warn",
        label="", label_x=start, strength=FAINT,
    )


def _levels(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    bands = [
        e for e in events
        if e.detector == "price_action" and e.kind == "level" and e.state not in ENDED and e.zone
    ]
    last = float(frame.bars.close[-1])
    near = sorted(bands, key=lambda e: abs(e.points[0][1] - last))[: 2 * MOST_LEVELS]
    for event in sorted(near, key=lambda e: e.quality)[-MOST_LEVELS:]:
        band(drawn, event, "info", "support" if event.side > 0 else "resistance", frame)


def _patterns(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    found = [e for e in events if e.detector == "price_action"]
    marks = [
        (e, (CANDLES | BREAKS)[e.kind]) for e in found if e.kind in CANDLES or e.kind in BREAKS
    ]
    for event, label in marks[-MOST_MARKS:]:
        mark(drawn, event, label, frame)
    for event in [e for e in found if e.kind in FIGURES and len(e.points) > 2]:
        line(drawn, event, SIDE_TONE[event.side], frame)
        mark(drawn, event, FIGURES[event.kind], frame)


def _sar(drawn: Overlay, events: list[Event], frame: Frame) -> None:
    stops = sar(frame.bars)
    below = stops < frame.bars.close
    turns = np.flatnonzero(np.diff(below.astype(np.int8)))
    # The recursion forgets where it began once it has turned twice.
    first = int(turns[1]) + 1 if turns.size > 1 else len(stops)
    for i in range(first, len(stops)):
        append(
            drawn.dots, x=frame.x(int(frame.bars.time[i])), y=float(stops[i]),
            tone="bull" if below[i] else "bear",
        )


_DRAW: Final = {
    "harmonic": draw_harmonic, "elliott": draw_elliott, "structure": draw_structure,
    "fibonacci": _fibonacci, "levels": _levels, "patterns": _patterns, "sar": _sar,
}
_TITLED: Final = {"news": draw_news, "whales": draw_whales}

