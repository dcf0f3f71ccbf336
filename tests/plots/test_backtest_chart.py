import numpy as np
import pytest
from builders import random_bars

import opportunity as op
from opportunity.plots.backtest_chart import CANDLES
from opportunity.plots.looks import LOOKS
from opportunity.plots.zoom import POINTS

pytestmark = pytest.mark.filterwarnings("default")


def figures(model):
    return [figure for figure, *_ in model.children]


def test_four_figures_share_one_time_axis_and_few_points(result):
    model = op.plots.rendered(result.plot())
    drawn = figures(model)
    assert len(drawn) == 4
    assert len({f.x_range.id for f in drawn}) == 1
    drawn_by = [r for f in drawn for r in f.renderers if hasattr(r, "glyph")]
    lines = [r for r in drawn_by if type(r.glyph).__name__ == "Line"]
    assert lines
    assert all(len(r.data_source.data["time"]) <= POINTS for r in lines)
    assert [f.frame_width or f.width for f in drawn] == [900] * 4


def test_invented_data_is_stamped(result):
    price = op.plots.rendered(result.plot()).children[0][0]
    assert price.title.text == "SIMULATED MARKET · TEST/USDT 1h"


def test_equity_stands_beside_buy_and_hold(result, elements):
    curves = {c.label: c for c in elements(result.plot(), "Curve") if c.label}
    assert set(curves) >= {"equity", "buy and hold"}
    assert curves["equity"].dimension_values("equity")[-1] == result.equity[-1]


def test_drawdown_is_that_of_the_frame(result, elements):
    fall = next(c for c in elements(result.plot(), "Curve") if "drawdown" in c)
    assert fall.dimension_values("drawdown").min() == pytest.approx(
        -100 * result.to_frame()["drawdown"].max()
    )


def test_other_symbol_and_a_part_of_the_time_as_candles(result, elements):
    start, end = int(result.time[100]), int(result.time[100 + CANDLES - 1])
    picture = result.plot(symbol="ZED/USDT", start=start, end=end)
    candles = elements(picture[0], "Rectangles")
    assert sum(len(c) for c in candles) == CANDLES
    assert "ZED/USDT" in op.plots.rendered(picture).children[0][0].title.text
    low = np.concatenate([w.dimension_values("low") for w in elements(picture[0], "Segments")[:1]])
    np.testing.assert_array_equal(low, result.bars[1].low[100 : 100 + CANDLES])


@pytest.mark.parametrize("theme", LOOKS)
def test_themes_colour_every_figure(result, theme):
    for figure in figures(op.plots.rendered(result.plot(theme=theme, price="candles"))):
        assert figure.background_fill_color == LOOKS[theme].panel
        assert figure.xaxis[0].major_label_text_color == LOOKS[theme].dim


def test_signal_has_no_contributions():
    bars = random_bars(200)
    found = op.backtest(bars, signal=np.resize([1.0] * 20 + [0.0] * 20 + [-1.0] * 20, 200))
    assert len(found.plot()) == 3
    assert len(figures(op.plots.rendered(found.plot(width=None)))) == 3


def test_run_without_a_trade_is_drawn():
    bars = random_bars(300)
    found = op.backtest(bars, signal=np.zeros(300))
    assert len(figures(op.plots.rendered(found.plot()))) == 3


@pytest.mark.parametrize(("options", "told"), [
    ({"symbol": "TEST/USD"}, "symbol of the backtest must be a known name.*TEST/USDT"),
    ({"theme": "blue"}, "theme must be a known name"),
    ({"price": "candle"}, "price must be a known name.*candles"),
    ({"start": "2015-01-01", "end": "2015-02-01"}, "start and end must hold bars"),
])
def test_wrong_options_are_told(result, options, told):
    with pytest.raises(ValueError, match=told):
        result.plot(**options)
