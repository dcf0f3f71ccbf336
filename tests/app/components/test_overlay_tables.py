import numpy as np

from app.components.overlay_tables import MOST_STACKED, Frame, Overlay, append
from opportunity.market.bars import Bars

HOUR = 3_600_000


def test_rows_go_to_all_columns_of_a_table() -> None:
    drawn = Overlay()
    append(drawn.dots, x=1.0, y=2.0, tone="bull")
    assert drawn.tables()["dots"] == {"x": [1.0], "y": [2.0], "tone": ["bull"]}
    assert Overlay().dots["x"] == []  # no table is shared


def test_frame_places_bars_at_their_middle_and_older_ones_at_the_edge() -> None:
    values = np.tile([100.0, 101.0, 99.0, 100.0, 1.0], (10, 1))
    at = Frame(Bars((20 + np.arange(10)) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))
    assert at.x(25 * HOUR) == 25.5 * HOUR
    assert at.x(3 * HOUR) == 20.5 * HOUR
    assert (at.row(25 * HOUR), at.row(3 * HOUR), at.row(25 * HOUR + 1)) == (5, None, None)


def test_marks_of_one_bar_stand_above_each_other_until_there_are_enough() -> None:
    values = np.tile([100.0, 101.0, 99.0, 100.0, 1.0], (10, 1))
    at = Frame(Bars(np.arange(10) * HOUR, values, timeframe="1h", symbol="BTC/USDT"))
    below = [at.beside(4, below=True) for _ in range(MOST_STACKED + 1)]
    assert below[-1] is None
    assert [b < 99.0 for b in below[:-1]] == [True] * MOST_STACKED
    heights = [b for b in below if b is not None]
    assert heights == sorted(heights, reverse=True)
    above = at.beside(4, below=False)
    assert above is not None
    assert above > 101.0
