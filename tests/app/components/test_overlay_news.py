from typing import Any

import numpy as np

from app.components.overlay_news import (
    LANES,
    LARGEST_PX,
    MOST_PINS,
    PRINTS,
    draw_news,
    draw_whales,
)
from app.components.overlay_tables import Frame, Overlay
from opportunity.detectors.events import Event
from opportunity.market.bars import Bars

HOUR = 3_600_000


def frame() -> Frame:
    values = np.tile([100.0, 101.0, 99.0, 100.0, 1.0], (80, 1))
    return Frame(Bars(np.arange(80) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))


def event(detector: str, bar: int, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": f"{detector}-{bar}", "detector": detector, "kind": "x", "side": 1, "state": "active",
        "scale": None, "bar": bar, "time": bar * HOUR, "quality": 0.5, "points": (), "zone": None,
        "entry": None, "stop": None, "targets": (), "text": f"{detector} at {bar}",
    }
    return Event(**(values | changes))


def test_pins_stand_in_lanes_below_the_bar_on_which_it_was_known() -> None:
    drawn = Overlay()
    draw_news(drawn, [event("news", 50), event("sentiment", 60, side=-1)], frame(), {})
    assert drawn.pins["x"] == [50.5 * HOUR, 60.5 * HOUR]
    assert drawn.pins["glyph"] == ["triangle", "inverted_triangle"]  # not by colour alone
    assert drawn.pins["y"] == [LANES["news"], LANES["sentiment"]]
    assert drawn.pins["text"] == ["news at 50", "sentiment at 60"]


def test_one_pin_a_bar_tells_titles_first() -> None:
    drawn = Overlay()
    together = [event("news", 50, text="Bullish headline"), event("news", 50, text="another")]
    draw_news(drawn, together, frame(), {50 * HOUR: ["Coin soars (Desk)"]})
    assert drawn.pins["text"] == ["Coin soars (Desk)\nBullish headline\nanother"]


def test_newest_pins_win_and_layers_do_not_mix() -> None:
    drawn = Overlay()
    events = [event("whales", bar) for bar in range(20, 20 + MOST_PINS + 5)]
    draw_news(drawn, events, frame(), {})
    assert drawn.pins["x"] == []
    draw_whales(drawn, events, frame(), {})
    assert len(drawn.pins["x"]) == MOST_PINS
    assert max(drawn.pins["x"]) == (20 + MOST_PINS + 4.5) * HOUR


def test_large_prints_are_bubbles_at_their_price_by_their_size() -> None:
    drawn = Overlay()
    prints = [
        event("whales", bar, kind=PRINTS, points=((bar * HOUR, 100.0 + bar, "largest"),), quality=q)
        for bar, q in ((30, 0.5), (40, 1.0))
    ]
    draw_whales(drawn, prints, frame(), {})
    assert drawn.bubbles["y"] == [140.0, 130.0]
    assert drawn.bubbles["size"][0] == LARGEST_PX > drawn.bubbles["size"][1]
    assert drawn.pins["x"] == []
