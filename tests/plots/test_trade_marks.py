import numpy as np
import pytest

from opportunity.plots.looks import LIGHT, holoviews
from opportunity.plots.trade_marks import EXITS, MOST, _some, stop_distances, trade_marks
from opportunity.trading.records import ENTRY, REASONS

pytestmark = pytest.mark.filterwarnings("default")


def whole(result):
    return int(result.time[0]), int(result.time[-1])


def test_every_fill_of_the_symbol_is_marked_once(result, elements):
    marks = holoviews().Overlay(trade_marks(holoviews(), result, 0, LIGHT, whole(result)))
    points = elements(marks, "Points")
    fills = result.fills[result.fills["symbol"] == 0]
    assert sum(len(p) for p in points) == len(fills) > 50
    by_label = {p.label: p for p in points}
    longs = fills[(fills["reason"] == ENTRY) & (fills["side"] == 1)]
    np.testing.assert_array_equal(by_label["long"].dimension_values("price"), longs["price"])
    assert {"long", "short", "stop", "target"} <= set(by_label)


def test_partial_exits_are_smaller_and_say_their_share(result, elements):
    marks = holoviews().Overlay(trade_marks(holoviews(), result, 0, LIGHT, whole(result)))
    target = next(p for p in elements(marks, "Points") if p.label == "target")
    assert "target, 33% of the entry" in set(target.dimension_values("what", expanded=True))
    assert set(target.dimension_values("size")) == {6.0}


def test_entry_shapes_tell_the_side_and_exit_shapes_the_reason():
    assert set(EXITS) == set(range(1, len(REASONS)))
    assert len({glyph for _, glyph, _ in EXITS.values()}) == len(EXITS)


def test_first_stops_lie_where_the_account_put_them(result):
    distances = stop_distances(result, 1)
    trades = result.trades[(result.trades["symbol"] == 1) & np.isfinite(result.trades["r"])]
    assert len(distances) == np.count_nonzero(result.trades["symbol"] == 1)
    for trade in trades[:20]:  # r is the pnl by what was at risk
        at_risk = distances[int(trade["number"])] * trade["quantity"]
        assert trade["pnl"] / at_risk == pytest.approx(trade["r"])


def test_lines_of_losers_are_dashed(result, elements):
    hv = holoviews()
    marks = hv.Overlay(trade_marks(hv, result, 0, LIGHT, whole(result)))
    styles = [hv.Store.lookup_options("bokeh", e, "style").kwargs["line_dash"]
              for e in elements(marks, "Segments")]
    assert styles == ["solid", "dashed", "dotted"]


def test_many_rows_are_thinned_evenly():
    assert _some(np.arange(10)).size == 10
    some = _some(np.arange(100_000))
    assert (some.size, some[0], some[-1]) == (MOST, 0, 99_999)
