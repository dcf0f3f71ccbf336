import numpy as np

from app.components.overlay_labels import ASIDE, clear_labels
from app.components.overlay_tables import Frame, Overlay, append, level
from opportunity.market.bars import Bars

HOUR = 3_600_000


def frame() -> Frame:
    close = 100 + np.arange(80) % 10
    values = np.stack([close, close + 1, close - 1, close, np.ones(80)], axis=1).astype(float)
    return Frame(Bars(np.arange(80) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))


def _mark(drawn: Overlay, bar: int, y: float, label: str) -> None:
    append(
        drawn.marks, x=bar * HOUR, y=y, tone="bull", glyph="triangle", label=label, text=label,
        offset=12,
    )


def test_newest_of_marks_that_collide_keeps_its_label() -> None:
    drawn, at = Overlay(), frame()
    for bar in (30, 50, 52):
        _mark(drawn, bar, 99.0, f"mark {bar}")
    clear_labels(drawn, at)
    assert drawn.marks["label"] == ["mark 30", "", "mark 52"]
    assert drawn.marks["text"][1] == "mark 50"  # the tooltip stays


def test_levels_turn_their_label_away_from_each_other_and_then_give_it_up() -> None:
    drawn, at = Overlay(), frame()
    for i in range(6):
        level(drawn, 20 * HOUR, at.right, 100.0 + 0.1 * i * at.pixel, "dim", f"T{i}")
    clear_labels(drawn, at)
    placed = {
        (x, o) for x, o, label in zip(
            drawn.levels["label_x"], drawn.levels["offset"], drawn.levels["label"], strict=True
        ) if label
    }
    assert placed == {(x, o) for x in (20 * HOUR, at.right) for o in (-ASIDE, ASIDE)}
    assert drawn.levels["label"].count("") == 2
    assert drawn.levels["align"][:4] == ["right", "right", "left", "left"]


def test_what_lies_apart_is_left_alone() -> None:
    drawn, at = Overlay(), frame()
    append(drawn.letters, x=10 * HOUR, y=100.0, tone="acc", label="X", offset=9)
    level(drawn, 0, at.right, 104.0, "dim", "0.5")
    append(
        drawn.bands, left=0, right=at.right, top=108.0, bottom=106.0, tone="info",
        label="resistance", label_x=40 * HOUR, strength=0.1,
    )
    clear_labels(drawn, at)
    assert drawn.letters["label"] + drawn.levels["label"] + drawn.bands["label"] == [
        "X", "0.5", "resistance",
    ]


def test_letters_win_over_bands() -> None:
    drawn, at = Overlay(), frame()
    append(drawn.letters, x=10 * HOUR, y=100.0, tone="acc", label="X", offset=0)
    append(
        drawn.bands, left=0, right=at.right, top=100.0 + 13 * at.pixel, bottom=90.0, tone="info",
        label="support", label_x=9 * HOUR, strength=0.1,
    )
    clear_labels(drawn, at)
    assert (drawn.letters["label"], drawn.bands["label"]) == (["X"], [""])
