from typing import Any

import numpy as np
import pytest

from app.components.overlay_tables import Overlay
from app.components.overlays import DEFAULT_LAYERS, LAYERS, overlay
from opportunity.detectors.events import Event
from opportunity.indicators import sar
from opportunity.market.bars import Bars

HOUR = 3_600_000
HALF = HOUR / 2


def _bars(n: int = 120) -> Bars:
    rng = np.random.default_rng(4)
    close = 100 + np.cumsum(rng.normal(0, 1, n))
    opened = np.r_[100, close[:-1]]
    high, low = np.maximum(opened, close) + 0.3, np.minimum(opened, close) - 0.3
    values = np.stack([opened, high, low, close, np.ones(n)], axis=1)
    return Bars(np.arange(n) * HOUR, values, timeframe="1h", symbol="BTC/USDT")


def _event(kind: str, detector: str = "price_action", **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": f"{detector}-1", "detector": detector, "kind": kind, "side": 1, "state": "active",
        "scale": None, "bar": 50, "time": 50 * HOUR, "quality": 0.5,
        "points": ((50 * HOUR, 100.0, ""),), "zone": None, "entry": None, "stop": None,
        "targets": (), "text": f"Bullish {kind}",
    }
    return Event(**(values | changes))


def _equal_lengths(drawn: Overlay) -> None:
    for columns in drawn.tables().values():
        assert len({len(values) for values in columns.values()}) == 1


def test_level_becomes_a_band_to_the_right_edge() -> None:
    bars = _bars()
    level = _event(
        "level", side=-1, points=((10 * HOUR, 101.0, ""), (50 * HOUR, 101.0, "")),
        zone=(102.0, 100.0),
    )
    drawn = overlay([level], bars, ["levels"])
    assert drawn.bands["left"] == [10 * HOUR + HALF]
    assert drawn.bands["right"] == [119 * HOUR + HALF + 3 * HOUR]
    assert (drawn.bands["top"], drawn.bands["bottom"]) == ([102.0], [100.0])
    assert drawn.bands["label"] == ["resistance"]
    _equal_lengths(drawn)


def test_only_the_newest_record_of_a_thing_counts() -> None:
    zone = {"zone": (102.0, 100.0)}
    ended = [_event("level", **zone), _event("level", state="expired", **zone)]
    assert overlay(ended, _bars(), ["levels"]).bands["left"] == []
    flipped = [_event("level", side=1, **zone), _event("level", side=-1, **zone)]
    assert overlay(flipped, _bars(), ["levels"]).bands["label"] == ["resistance"]


def test_leg_grows_to_the_extreme_and_carries_its_ladder() -> None:
    bars = _bars()
    at = 60 + int(bars.high[60:].argmax())
    leg = _event(
        "leg", "fibonacci", points=((60 * HOUR, 80.0, "A"), (61 * HOUR, 80.5, "B")),
    )
    drawn = overlay([leg], bars, ["fibonacci"])
    top = float(bars.high[at])
    assert drawn.lines["ys"] == [[80.0, top]]
    assert drawn.lines["xs"] == [[60 * HOUR + HALF, at * HOUR + HALF]]
    by_ratio = dict(zip(drawn.levels["label"], drawn.levels["y"], strict=True))
    assert by_ratio["0.5"] == pytest.approx((80 + top) / 2)
    assert by_ratio["0.618"] == pytest.approx(top - 0.618 * (top - 80))
    assert drawn.bands["top"][0] == pytest.approx(by_ratio["0.618"])


def test_bearish_leg_is_the_mirror() -> None:
    bars = _bars()
    low = float(bars.low[60:].min())
    leg = _event(
        "leg", "fibonacci", side=-1, points=((60 * HOUR, 130.0, "A"), (61 * HOUR, 129.0, "B")),
    )
    drawn = overlay([leg], bars, ["fibonacci"])
    assert drawn.lines["ys"] == [[130.0, low]]
    by_ratio = dict(zip(drawn.levels["label"], drawn.levels["y"], strict=True))
    assert by_ratio["0.236"] == pytest.approx(low + 0.236 * (130 - low))


def test_marks_point_by_shape_as_well_as_by_colour() -> None:
    bars = _bars()
    events = [
        _event("engulfing"),
        _event("breakout", id="x", side=-1, time=90 * HOUR),
        _event("breakout", id="y", time=-HOUR),  # before the first bar: nowhere to stand
    ]
    marks = overlay(events, bars, ["patterns"]).marks
    assert marks["glyph"] == ["triangle", "inverted_triangle"]
    assert marks["label"] == ["Engulf", "Break"]
    assert marks["y"][0] < bars.low[50]
    assert marks["y"][1] > bars.high[90]


def test_labels_that_would_lie_on_each_other_are_left_out() -> None:
    events = [_event("engulfing", id=f"e{i}", time=(50 + i) * HOUR) for i in range(4)]
    labels = overlay(events, _bars(), ["patterns"]).marks["label"]
    assert labels == ["", "", "", "Engulf"]


def test_dots_are_the_stops_of_the_indicator() -> None:
    bars = _bars()
    dots = overlay([], bars, ["sar"]).dots
    stops = sar(bars)
    assert dots["y"] == stops[-len(dots["y"]) :].tolist()
    assert len(dots["y"]) > 60
    side = np.where(stops < bars.close, "bull", "bear")[-len(dots["y"]) :]
    assert dots["tone"] == side.tolist()


SEEN = {
    "harmonic": [_event("Bat", "harmonic", time=100 * HOUR)],
    "elliott": [_event("wave 3", "elliott")],
    "structure": [_event("fvg", "smc", zone=(102.0, 100.0))],
    "fibonacci": [_event("bounce", "fibonacci")],
    "levels": [_event("level", zone=(102.0, 100.0))],
    "patterns": [_event("engulfing")],
    "sar": [],
    "news": [_event("headline", "news")],
    "whales": [_event("prints", "whales")],
}


def _size(drawn: Overlay) -> int:
    return sum(len(next(iter(c.values()))) for c in drawn.tables().values())


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_draws_what_is_its_own_and_nothing_else(layer: str) -> None:
    others = [e for name, events in SEEN.items() if name != layer for e in events]
    bars = _bars()
    assert _size(overlay(SEEN[layer], bars, [layer])) > 0
    assert _size(overlay([*SEEN[layer], *others], bars, [layer])) == _size(
        overlay(SEEN[layer], bars, [layer])
    )
    assert overlay(SEEN[layer], bars[:0]).tables() == Overlay().tables()
    assert set(DEFAULT_LAYERS) < set(LAYERS)


def test_a_count_that_becomes_another_kind_is_drawn_once() -> None:
    grown = [_event("wave 3", "elliott"), _event("wave 4", "elliott", time=60 * HOUR)]
    drawn = overlay(grown, _bars(), ["elliott"])
    assert drawn.marks["label"] == ["wave 4 50%"]
    assert drawn.dashes["xs"] == []
