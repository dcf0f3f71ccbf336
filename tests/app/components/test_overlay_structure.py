from typing import Any

import numpy as np

from app.components.overlay_structure import MOST_BREAKS, MOST_ZONES, draw_structure
from app.components.overlay_tables import FAINT, PLAIN, Frame, Overlay
from opportunity.detectors.events import Event
from opportunity.market.bars import Bars

HOUR = 3_600_000
HALF = HOUR / 2


def frame() -> Frame:
    close = np.full(80, 100.0)
    values = np.stack([close, close + 1, close - 1, close, np.ones(80)], axis=1)
    return Frame(Bars(np.arange(80) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))


def event(kind: str, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": "smc-1", "detector": "smc", "kind": kind, "side": 1, "state": "active",
        "scale": 3.0, "bar": 55, "time": 55 * HOUR, "quality": 0.5,
        "points": ((40 * HOUR, 101.0, ""), (55 * HOUR, 101.5, "")), "zone": None, "entry": None,
        "stop": None, "targets": (), "text": f"Bullish {kind}",
    }
    return Event(**(values | changes))


def draw(*events: Event) -> Overlay:
    drawn = Overlay()
    draw_structure(drawn, list(events), frame())
    for columns in drawn.tables().values():
        assert len({len(values) for values in columns.values()}) == 1
    return drawn


def test_break_runs_from_its_pivot_to_the_breaking_bar() -> None:
    drawn = draw(event("choch"), event("bos", scale=1.5, side=-1))
    assert drawn.levels["x0"] == [40 * HOUR + HALF] * 2
    assert drawn.levels["x1"] == [55 * HOUR + HALF] * 2
    assert drawn.levels["y"] == [101.0, 101.0]
    assert drawn.levels["label"] == ["CHoCH", "bos"]  # small letters for internal structure
    assert drawn.levels["tone"] == ["bull", "bear"]


def test_zones_near_the_price_are_drawn_by_their_state() -> None:
    zones = [
        event("fvg", zone=(90.0 - i, 89.0 - i), state="touched" if i else "active")
        for i in range(MOST_ZONES + 3)
    ]
    drawn = draw(*zones, event("order_block", zone=(99.0, 98.0), state="invalid"))
    assert len(drawn.bands["left"]) == MOST_ZONES
    assert drawn.bands["label"][:2] == ["FVG", "FVG touched"]
    assert drawn.bands["strength"][:2] == [PLAIN, FAINT]
    assert min(drawn.bands["top"]) == 90.0 - MOST_ZONES + 1


def test_newest_breaks_win() -> None:
    breaks = [
        event("bos", time=(20 + i) * HOUR, points=((5 * HOUR, 100.0 + i, ""),
                                                   ((20 + i) * HOUR, 101.0, "")))
        for i in range(MOST_BREAKS + 4)
    ]
    assert min(draw(*breaks).levels["y"]) == 104.0


def test_pools_sweeps_and_the_middle_of_the_range() -> None:
    drawn = draw(
        event("equal_levels"), event("sweep", side=-1), event("ict"),
        event("dealing_range", points=((10 * HOUR, 110.0, "high"), (30 * HOUR, 90.0, "low"))),
    )
    assert drawn.levels["label"] == ["EQL", "50 %"]
    assert drawn.levels["y"] == [101.0, 100.0]
    assert sorted(drawn.marks["label"]) == ["ICT", "Sweep"]


def test_other_detectors_are_left_alone() -> None:
    assert draw(event("bos", detector="price_action")).levels["y"] == []
