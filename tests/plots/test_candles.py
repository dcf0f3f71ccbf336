import pandas as pd
import pytest
from builders import HOUR, from_ohlc

from opportunity.plots.candles import candles
from opportunity.plots.looks import DARK, holoviews

pytestmark = pytest.mark.filterwarnings("default")


def test_rising_candles_are_hollow_and_stand_in_the_middle_of_their_bar():
    bars = from_ohlc([(10, 12, 9, 11), (11, 11, 8, 9), (9, 10, 9, 10)])
    hv = holoviews()
    wicks, up, down = candles(hv, bars, DARK, hollow=True, centred=True)
    assert (len(wicks), len(up), len(down)) == (3, 2, 1)
    middle = pd.to_datetime(bars.time[1] + HOUR // 2, unit="ms")
    assert down.dimension_values("time")[0] == middle - pd.Timedelta(0.4 * HOUR, "ms")
    fill = {k: hv.Store.lookup_options("bokeh", e, "style").kwargs["color"]
            for k, e in (("up", up), ("down", down))}
    assert fill == {"up": DARK.panel, "down": DARK.bear}
    assert hv.Store.lookup_options("bokeh", up, "style").kwargs["line_color"] == DARK.bull
