"""What detectors saw, as plain columns for the chart: bands, lines, levels, marks and dots.

Everything is drawn at the middle of its bar. Colours are named by tone (`bull`, `bear`, `info`,
`warn`, `acc`, `dim`), so that a theme can give them their colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from opportunity.detectors.events import Event
from opportunity.indicators.sar import sar
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms

Columns = dict[str, list[Any]]

LAYERS: Final[dict[str, str]] = {
    "fibonacci": "Fib", "levels": "S/R", "patterns": "Patterns", "sar": "SAR",
}
"""Overlays that can be switched, with their labels."""

DEFAULT_LAYERS: Final = ("fibonacci", "levels", "patterns", "sar")
ENDED: Final = frozenset({"done", "invalid", "expired"})
SIDE_TONE: Final = {1: "bull", 0: "dim", -1: "bear"}
AHEAD_BARS: Final = 3
"""How far lines reach past the newest bar."""

RETRACEMENTS: Final = (0.236, 0.382, 0.5, 0.618, 0.786)
POCKET: Final = (0.618, 0.65)
MOST_LEGS: Final = 2
MOST_LEVELS: Final = 5
MOST_CLUSTERS: Final = 3
MOST_MARKS: Final = 24
LABEL_BARS: Final = 8
"""Labels of one side closer than this would lie on each other; marks stay, with their tooltip."""

CANDLES: Final[dict[str, str]] = {
    "pin_bar": "Pin", "engulfing": "Engulf", "piercing": "Pierce", "harami": "Harami",
    "star": "Star", "tweezer": "Tweezer", "soldiers": "3 bars", "marubozu": "Thrust",
}
SILENT: Final = frozenset({"leg", "level", "levels", "targets"})
BREAKS: Final = {"breakout": "Break", "failed_breakout": "Failed"}
FIGURES: Final = {"double": "Double", "head_shoulders": "H&S"}


@dataclass
class Overlay:
    """Columns of everything that is drawn over the candles; equal lengths within a table."""

    bands: Columns = field(default_factory=lambda: _columns("left right top bottom tone label"))
    lines: Columns = field(default_factory=lambda: _columns("xs ys tone"))
    levels: Columns = field(default_factory=lambda: _columns("x0 x1 y tone label"))
    marks: Columns = field(default_factory=lambda: _columns("x y tone glyph label text offset"))
    dots: Columns = field(default_factory=lambda: _columns("x y tone"))

    def tables(self) -> dict[str, Columns]:
        """Return the five tables by name."""
        return dict(vars(self))


def overlay(
    events: Sequence[Event], bars: Bars, layers: Iterable[str] = DEFAULT_LAYERS
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
    """
    drawn = Overlay()
    if len(bars) == 0:
        return drawn
    frame = _Frame(bars)
    newest = list({(e.id, e.kind): e for e in events}.values())
    for layer in LAYERS:
        if layer in set(layers):
            _DRAW[layer](drawn, newest, frame)
    _thin_labels(drawn.marks, LABEL_BARS * 2 * frame.half)
    return drawn


def _thin_labels(marks: Columns, apart: float) -> None:
    """Keep the label of the newest mark where several would lie on each other."""
    taken: list[tuple[float, str]] = []
    for i in sorted(range(len(marks["x"])), key=lambda i: -marks["x"][i]):
        x, glyph = marks["x"][i], marks["glyph"][i]
        if any(abs(x - other) < apart and glyph == kind for other, kind in taken):
            marks["label"][i] = ""
        else:
            taken.append((x, glyph))


class _Frame:
    """Where bars lie on the time axis."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        length = length_ms(bars.timeframe) if bars.timeframe else 60_000
        self.half = length / 2
        self.first = float(bars.time[0]) + self.half
        self.right = float(bars.time[-1]) + self.half + AHEAD_BARS * length
        self.span = float(bars.high.max() - bars.low.min()) or 1.0

    def x(self, time: int) -> float:
        return max(float(time) + self.half, self.first)

    def leg(self, event: Event) -> tuple[float, float, float, float]:
        """Return start and end of a living leg on both axes; its end is the extreme so far."""
        (start, begin, _), (end, extreme, _) = event.points[:2]
        since = int(np.searchsorted(self.bars.time, start))
        side = self.bars.high if event.side > 0 else -self.bars.low
        if since < len(side):
            at = since + int(side[since:].argmax())
            if side[at] >= event.side * extreme:
                end, extreme = int(self.bars.time[at]), abs(float(side[at]))
        return self.x(start), self.x(end), begin, extreme

    def row(self, time: int) -> int | None:
        at = int(np.searchsorted(self.bars.time, time))
        return at if at < len(self.bars) and self.bars.time[at] == time else None


def _fibonacci(drawn: Overlay, events: list[Event], frame: _Frame) -> None:
    found = [e for e in events if e.detector == "fibonacci"]
    legs = {}
    for event in found:
        if event.kind == "leg" and event.state not in ENDED and len(event.points) > 1:
            leg = frame.leg(event)
            legs[leg[:2]] = (*leg, event.side)  # both scales may see the same leg
    for start, end, begin, extreme, side in list(legs.values())[-MOST_LEGS:]:
        _append(drawn.lines, xs=[start, end], ys=[begin, extreme], tone=SIDE_TONE[side])
    if legs:
        # One ladder is read, two are noise: that of the largest leg.
        _ladder(drawn, max(list(legs.values())[-MOST_LEGS:], key=lambda g: abs(g[3] - g[2])), frame)
    clusters = [e for e in found if e.kind == "cluster" and e.state not in ENDED and e.zone]
    for event in sorted(clusters, key=lambda e: e.quality)[-MOST_CLUSTERS:]:
        _band(drawn, event, "acc", "cluster", frame)
    for event in [e for e in found if e.kind in ("bounce", "extension")][-MOST_MARKS // 2 :]:
        _mark(drawn, event, "Fib", frame)


def _ladder(
    drawn: Overlay, leg: tuple[float, float, float, float, int], frame: _Frame
) -> None:
    start, _, begin, extreme, _ = leg
    for ratio in RETRACEMENTS:
        _append(
            drawn.levels, x0=start, x1=frame.right, y=extreme + ratio * (begin - extreme),
            tone="dim", label=f"{ratio:g}",
        )
    edges = sorted(extreme + ratio * (begin - extreme) for ratio in POCKET)
    _append(
        drawn.bands, left=start, right=frame.right, top=edges[1], bottom=edges[0], tone="warn",
        label="",
    )


def _levels(drawn: Overlay, events: list[Event], frame: _Frame) -> None:
    bands = [e for e in events if e.kind == "level" and e.state not in ENDED and e.zone]
    last = float(frame.bars.close[-1])
    near = sorted(bands, key=lambda e: abs(e.points[0][1] - last))[: 2 * MOST_LEVELS]
    for event in sorted(near, key=lambda e: e.quality)[-MOST_LEVELS:]:
        _band(drawn, event, "info", "support" if event.side > 0 else "resistance", frame)


def _patterns(drawn: Overlay, events: list[Event], frame: _Frame) -> None:
    found = [e for e in events if e.detector not in ("fibonacci", "sar")]
    marks = [
        (e, (CANDLES | BREAKS)[e.kind]) for e in found if e.kind in CANDLES or e.kind in BREAKS
    ]
    for event, label in marks[-MOST_MARKS:]:
        _mark(drawn, event, label, frame)
    for event in [e for e in found if e.kind in FIGURES and len(e.points) > 2]:
        _line(drawn, event, SIDE_TONE[event.side], frame)
        _mark(drawn, event, FIGURES[event.kind], frame)


def _sar(drawn: Overlay, events: list[Event], frame: _Frame) -> None:
    stops = sar(frame.bars)
    below = stops < frame.bars.close
    turns = np.flatnonzero(np.diff(below.astype(np.int8)))
    # The recursion forgets where it began once it has turned twice.
    first = int(turns[1]) + 1 if turns.size > 1 else len(stops)
    for i in range(first, len(stops)):
        _append(
            drawn.dots, x=frame.x(int(frame.bars.time[i])), y=float(stops[i]),
            tone="bull" if below[i] else "bear",
        )


_DRAW: Final = {"fibonacci": _fibonacci, "levels": _levels, "patterns": _patterns, "sar": _sar}


def _line(drawn: Overlay, event: Event, tone: str, frame: _Frame) -> None:
    points = [(t, p) for t, p, _ in event.points if t >= frame.bars.time[0]]
    if len(points) > 1:
        _append(
            drawn.lines, xs=[frame.x(t) for t, _ in points], ys=[p for _, p in points], tone=tone
        )


def _band(drawn: Overlay, event: Event, tone: str, label: str, frame: _Frame) -> None:
    if event.zone is not None:
        top, bottom = event.zone
        left = frame.x(event.points[0][0] if event.points else event.time)
        room = frame.right - left > LABEL_BARS * 2 * frame.half
        _append(
            drawn.bands, left=left, right=frame.right, top=max(top, bottom),
            bottom=min(top, bottom), tone=tone, label=label if room else "",
        )


def _mark(drawn: Overlay, event: Event, label: str, frame: _Frame) -> None:
    row = frame.row(event.time)
    if row is None:
        return
    gap, bars = 0.02 * frame.span, frame.bars
    price = float(bars.low[row]) - gap if event.side >= 0 else float(bars.high[row]) + gap
    _append(
        drawn.marks, x=frame.x(event.time), y=price, tone=SIDE_TONE[event.side],
        glyph={1: "triangle", 0: "circle", -1: "inverted_triangle"}[event.side],
        label=label, text=event.text, offset=14 if event.side >= 0 else -14,
    )


def _columns(names: str) -> Columns:
    return {name: [] for name in names.split()}


def _append(columns: Columns, **values: Any) -> None:
    for name, value in values.items():
        columns[name].append(value)


def words(events: Sequence[Event]) -> dict[tuple[str, int], str]:
    """Return the newest living thing that each detector saw on each side, in words.

    The key is the detector's name and the side, +1 or -1.
    """
    told: dict[tuple[str, int], Event] = {}
    for event in {(e.id, e.kind): e for e in events}.values():
        # What is only drawn, such as ladders of levels, says nothing about why.
        if event.side != 0 and event.state not in ENDED and event.kind not in SILENT:
            before = told.get((event.detector, event.side))
            if before is None or event.time >= before.time:
                told[event.detector, event.side] = event
    return {key: event.text for key, event in told.items()}
