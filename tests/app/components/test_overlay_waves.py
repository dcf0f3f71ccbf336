from typing import Any

import numpy as np

from app.components.overlay_tables import AHEAD_BARS, Frame, Overlay
from app.components.overlay_waves import MOST_COUNTS, draw_elliott, draw_harmonic
from opportunity.detectors.events import Event
from opportunity.market.bars import Bars

HOUR = 3_600_000
HALF = HOUR / 2
PIVOTS = ((10, 90.0, "X"), (20, 110.0, "A"), (30, 98.0, "B"), (40, 106.0, "C"), (50, 94.0, "D"))


def frame(n: int = 80) -> Frame:
    close = 100 + 10 * np.sin(np.arange(n) / 6)
    values = np.stack([close, close + 1, close - 1, close, np.ones(n)], axis=1)
    return Frame(Bars(np.arange(n) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))


def event(detector: str, kind: str, points=PIVOTS, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": f"{detector}-1", "detector": detector, "kind": kind, "side": 1, "state": "active",
        "scale": 3.0, "bar": 55, "time": 55 * HOUR, "quality": 0.5,
        "points": tuple((bar * HOUR, price, label) for bar, price, label in points),
        "zone": None, "entry": None, "stop": None, "targets": (), "text": f"Bullish {kind}",
    }
    return Event(**(values | changes))


def test_pattern_joins_its_pivots_and_names_them() -> None:
    drawn, at = Overlay(), frame()
    draw_harmonic(drawn, [event("harmonic", "gartley", state="done")], at)
    assert drawn.lines["xs"] == [[b * HOUR + HALF for b, _, _ in PIVOTS]]
    assert drawn.letters["label"] == ["X", "A", "B", "C", "D"]
    above = [offset < 0 for offset in drawn.letters["offset"]]
    assert above == [False, True, False, True, False]
    assert drawn.marks["label"] == ["Gartley"]
    assert drawn.bands["left"] == drawn.dashes["xs"] == []  # it is over: nothing is expected


def test_forming_pattern_shows_where_its_end_is_expected() -> None:
    drawn, at = Overlay(), frame()
    draw_harmonic(drawn, [event(
        "harmonic", "Bat", PIVOTS[:4], state="forming", zone=(93.0, 91.0), stop=89.0,
        targets=(97.0, 100.0),
    )], at)
    assert drawn.bands["left"] == [55 * HOUR + HALF]  # from the bar on which it was known
    assert drawn.dashes["xs"] == [[40 * HOUR + HALF, at.right]]
    assert drawn.dashes["ys"] == [[106.0, 92.0]]
    assert dict(zip(drawn.levels["label"], drawn.levels["y"], strict=True)) == {
        "T1": 97.0, "T2": 100.0, "invalid beyond": 89.0,
    }
    assert at.right == 79 * HOUR + HALF + AHEAD_BARS * HOUR


def test_one_set_of_pivots_is_drawn_once_and_failures_not_at_all() -> None:
    drawn = Overlay()
    draw_harmonic(drawn, [
        event("harmonic", "gartley", id="1", quality=0.4, state="done"),
        event("harmonic", "ab_cd", id="2", quality=0.8, state="done"),
        event("harmonic", "Crab", id="3", state="invalid"),
        event("harmonic", "Shark", id="4", time=2 * HOUR, state="done"),
        event("elliott", "wave 3"),
    ], frame())
    assert drawn.marks["label"] == ["AB=CD"]


def test_count_of_most_weight_is_solid_and_others_are_faint() -> None:
    drawn, at = Overlay(), frame()
    counts = [
        event("elliott", f"wave {i}", id=str(i), quality=q, stop=88.0, targets=(120.0,))
        for i, q in enumerate([0.1, 0.4, 0.2, 0.05])
    ]
    draw_elliott(drawn, [*counts, event("elliott", "old", quality=0.9, state="invalid")], at)
    assert drawn.marks["label"] == ["wave 1 40%"]
    assert len(drawn.lines["xs"]) == 1
    assert len(drawn.dashes["xs"]) == MOST_COUNTS - 1
    assert set(drawn.dashes["tone"]) == {"dim"}
    assert sorted(drawn.levels["y"]) == [88.0, 120.0]
    assert len({len(v) for v in drawn.levels.values()}) == 1


def test_points_out_of_view_are_left_out() -> None:
    drawn = Overlay()
    late = frame()
    late.bars = late.bars[35:]
    draw_harmonic(drawn, [event("harmonic", "gartley", state="done")], late)
    assert drawn.letters["label"] == ["C", "D"]
    assert len(drawn.lines["xs"][0]) == 2


def test_wings_are_shaded_and_only_one_ladder_is_drawn() -> None:
    drawn, other = Overlay(), tuple((b + 1, p, n) for b, p, n in PIVOTS)
    draw_harmonic(drawn, [
        event("harmonic", "gartley", targets=(97.0,), stop=89.0),
        event("harmonic", "bat", other, id="harmonic-2", targets=(98.0,), time=54 * HOUR),
        event("harmonic", "ab_cd", PIVOTS[1:], id="harmonic-3", time=53 * HOUR),
    ], frame())
    assert [len(xs) for xs in drawn.areas["xs"]] == [3, 3, 3, 3]  # two patterns of two wings
    assert drawn.levels["y"] == [97.0, 89.0]


def test_forming_pattern_does_not_draw_a_point_that_is_not_there_yet() -> None:
    drawn = Overlay()
    draw_harmonic(drawn, [event("harmonic", "bat", state="forming", zone=(95.0, 93.0))], frame())
    assert drawn.letters["label"] == ["X", "A", "B", "C"]
    assert len(drawn.lines["xs"][0]) == 4
    assert drawn.dashes["ys"] == [[106.0, 94.0]]


def test_pattern_whose_stop_was_crossed_since_is_not_drawn() -> None:
    at = frame()
    lowest = float(at.bars.close[55:].min())
    for stop, drawn_ones in ((lowest - 0.1, 1), (lowest + 0.1, 0)):
        drawn = Overlay()
        draw_harmonic(drawn, [event("harmonic", "crab", state="touched", stop=stop)], at)
        assert len(drawn.lines["xs"]) == drawn_ones
