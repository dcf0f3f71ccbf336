"""What was said and what large traders did: pins in a lane, bubbles at the prices of prints."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.components.overlay_tables import (
    GLYPHS,
    SIDE_TONE,
    Frame,
    Overlay,
    append,
    newest_first,
)
from opportunity.detectors.events import Event

MOST_PINS: Final = 30
MOST_BUBBLES: Final = 14
LANES: Final = {"whales": 0.12, "sentiment": 0.075, "news": 0.03}
"""Height of each lane, as a part of the figure's; the names are those of the detectors."""

FILLS: Final = {"whales": 0.4, "sentiment": 0.0, "news": 1.0}
"""How full a pin is: its shape tells its side, its lane and filling who set it."""

PRINTS: Final = "large prints"
SMALLEST_PX: Final = 7.0
LARGEST_PX: Final = 18.0

Titles = Mapping[int, Sequence[str]]
"""Headlines by the opening time of the bar during which they became known."""


def draw_news(drawn: Overlay, events: list[Event], frame: Frame, titles: Titles) -> None:
    """Pin headlines, and turns of sentiment, below the bar from which on they were known."""
    for name in ("news", "sentiment"):
        _pins(drawn, [e for e in events if e.detector == name], frame, titles)


def draw_whales(drawn: Overlay, events: list[Event], frame: Frame, _titles: Titles) -> None:
    """Set bubbles at the prices of large prints, larger for more; pin transfers and bursts."""
    found = [e for e in events if e.detector == "whales"]
    prints = [e for e in found if e.kind == PRINTS and e.points]
    for event in newest_first(prints)[:MOST_BUBBLES]:
        if frame.row(event.time) is not None:
            append(
                drawn.bubbles, x=frame.x(event.time), y=event.points[0][1],
                tone=SIDE_TONE[event.side], text=event.text,
                size=SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * event.quality,
            )
    _pins(drawn, [e for e in found if e.kind != PRINTS], frame, {})


def _pins(drawn: Overlay, events: list[Event], frame: Frame, titles: Titles) -> None:
    """Set one pin a bar; its words are those of all that came with the bar."""
    bars: dict[int, list[Event]] = {}
    for event in newest_first(events):
        if frame.row(event.time) is not None:
            bars.setdefault(event.time, []).append(event)
    for time, together in list(bars.items())[:MOST_PINS]:
        best = max(together, key=lambda e: e.quality)
        said = titles.get(time, ()) if best.detector == "news" else ()
        words = [*said, *dict.fromkeys(e.text for e in together)]
        append(
            drawn.pins, x=frame.x(time), y=LANES[best.detector], tone=SIDE_TONE[best.side],
            glyph=GLYPHS[best.side], fill=FILLS[best.detector], text="\n".join(words),
        )
