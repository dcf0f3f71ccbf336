"""Columns of what is drawn over the candles, and how events become rows of them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from opportunity.detectors.events import Event
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms

Columns = dict[str, list[Any]]

ENDED: Final = frozenset({"done", "invalid", "expired"})
SIDE_TONE: Final = {1: "bull", 0: "dim", -1: "bear"}
AHEAD_BARS: Final = 3
"""How far lines reach past the newest bar."""

SHOWN_BARS: Final = 110
"""Bars in view at first; the rest is reached by dragging or the wheel."""

LABELLED_BARS: Final = 52
"""Bars that are in view even on a smaller screen: labels of what began earlier stand there."""

BAR_PX: Final = 5.0
PLOT_PX: Final = 320.0
"""Width of a bar and height of the figure on a usual screen, by which overlaps are judged."""

CHAR_PX: Final = 6.2
ROOM: Final = 1.18
"""Height of the figure in ranges of the bars in view."""

MARK_PX: Final = 10.0
MOST_STACKED: Final = 3
"""Marks that stand on one side of one bar; more would say less."""

GLYPHS: Final = {1: "triangle", 0: "circle", -1: "inverted_triangle"}
PLAIN: Final = 0.11
FAINT: Final = 0.05
"""How strongly a band is filled."""


@dataclass
class Overlay:
    """Columns of everything that is drawn over the candles; equal lengths within a table.

    `pins` stand in a lane at the bottom: their `y` is a part of the height, not a price. `offset`
    and `size` are pixels.
    """

    bands: Columns = field(
        default_factory=lambda: _columns("left right top bottom tone label label_x strength")
    )
    areas: Columns = field(default_factory=lambda: _columns("xs ys tone"))
    lines: Columns = field(default_factory=lambda: _columns("xs ys tone"))
    dashes: Columns = field(default_factory=lambda: _columns("xs ys tone"))
    levels: Columns = field(
        default_factory=lambda: _columns("x0 x1 y tone label offset label_x align")
    )
    marks: Columns = field(default_factory=lambda: _columns("x y tone glyph label text offset"))
    bubbles: Columns = field(default_factory=lambda: _columns("x y tone size text"))
    pins: Columns = field(default_factory=lambda: _columns("x y tone glyph fill text"))
    letters: Columns = field(default_factory=lambda: _columns("x y tone label offset"))
    dots: Columns = field(default_factory=lambda: _columns("x y tone"))

    def tables(self) -> dict[str, Columns]:
        """Return the tables by name."""
        return dict(vars(self))


class Frame:
    """Where bars lie on the time axis, and how large things are on a usual screen."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.length = length_ms(bars.timeframe) if bars.timeframe else 60_000
        self.half = self.length / 2
        self.first = float(bars.time[0]) + self.half
        self.right = float(bars.time[-1]) + self.half + AHEAD_BARS * self.length
        shown = bars[-SHOWN_BARS:]
        self.view = float(bars.time[-min(len(bars), LABELLED_BARS)]) + self.half
        span = float(shown.high.max() - shown.low.min()) or 1.0
        self.pixel = span * ROOM / PLOT_PX  # quote currency
        self._stacked: Counter[tuple[int, bool]] = Counter()

    def x(self, time: int) -> float:
        """Return the middle of the bar that opened at `time`; bars out of view lie at the left."""
        return max(float(time) + self.half, self.first)

    def width(self, label: str) -> float:
        """Return about how much of the time axis a label takes, ms."""
        return len(label) * CHAR_PX / BAR_PX * self.length

    def row(self, time: int) -> int | None:
        """Return the number of the bar that opened at `time`, None out of view."""
        at = int(np.searchsorted(self.bars.time, time))
        return at if at < len(self.bars) and self.bars.time[at] == time else None

    def beside(self, row: int, below: bool) -> float | None:
        """Return the next free price beside a bar, None when enough stands there."""
        place = self._stacked[row, below]
        if place == MOST_STACKED:
            return None
        self._stacked[row, below] += 1
        gap = (1 + place) * MARK_PX * self.pixel
        return float(self.bars.low[row]) - gap if below else float(self.bars.high[row]) + gap


def line(drawn: Overlay, event: Event, tone: str, frame: Frame) -> None:
    """Join the points of an event that are in view."""
    points = [(t, p) for t, p, _ in event.points if t >= frame.bars.time[0]]
    if len(points) > 1:
        append(
            drawn.lines, xs=[frame.x(t) for t, _ in points], ys=[p for _, p in points], tone=tone
        )


def band(
    drawn: Overlay, event: Event, tone: str, label: str, frame: Frame, since: int | None = None,
    strength: float = PLAIN,
) -> None:
    """Shade an event's zone from its first point on, or from a time.

    Its label stands where it begins, or at the left of the bars that are in view at first.
    """
    if event.zone is not None:
        top, bottom = event.zone
        left = frame.x(
            since if since is not None else event.points[0][0] if event.points else event.time
        )
        append(
            drawn.bands, left=left, right=frame.right, top=max(top, bottom),
            bottom=min(top, bottom), tone=tone, label=label,
            label_x=min(max(left, frame.view), frame.right - frame.width(label)),
            strength=strength,
        )


def level(
    drawn: Overlay, x0: float, x1: float, price: float, tone: str, label: str = ""
) -> None:
    """Draw a dashed line at a price, with its label over the right end."""
    append(
        drawn.levels, x0=x0, x1=x1, y=price, tone=tone, label=label, offset=-7, label_x=x1,
        align="right",
    )


def mark(
    drawn: Overlay, event: Event, label: str, frame: Frame, glyph: str | None = None
) -> None:
    """Set a mark beside the bar on which an event became known; its text shows on hovering."""
    row = frame.row(event.time)
    below = event.side >= 0
    price = None if row is None else frame.beside(row, below)
    if price is not None:
        append(
            drawn.marks, x=frame.x(event.time), y=price, tone=SIDE_TONE[event.side],
            glyph=glyph or GLYPHS[event.side],
            label=label, text=event.text, offset=12 if below else -12,
        )


def letters(drawn: Overlay, event: Event, tone: str, frame: Frame) -> None:
    """Write the letters of an event's points beside them: above the highs, below the lows."""
    prices = [price for _, price, _ in event.points]
    for i, (time, price, label) in enumerate(event.points):
        if not label or frame.row(time) is None:
            continue
        beside = [prices[j] for j in (i - 1, i + 1) if 0 <= j < len(prices)]
        above = price >= max(beside, default=price)
        append(
            drawn.letters, x=frame.x(time), y=price, tone=tone, label=label,
            offset=-9 if above else 9,
        )


def newest_first(events: list[Event]) -> list[Event]:
    """Sort by the time of being known, newest first; of equal ones the better first."""
    return sorted(events, key=lambda e: (-e.time, -e.quality))


def _columns(names: str) -> Columns:
    return {name: [] for name in names.split()}


def append(columns: Columns, **values: Any) -> None:
    """Add a row to a table."""
    for name, value in values.items():
        columns[name].append(value)
