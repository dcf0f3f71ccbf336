import numpy as np
import pytest

from opportunity.plots.looks import holoviews, rendered
from opportunity.plots.zoom import DETAIL, POINTS, Series, curve

pytestmark = pytest.mark.filterwarnings("default")
HOUR = 3_600_000


def series(n: int) -> Series:
    values = np.random.default_rng(0).normal(size=n).cumsum()
    return Series(HOUR * np.arange(n), values)


def test_thinned_series_keeps_its_ends_and_extremes():
    full = series(50_000)
    few = full.thinned()
    assert len(few.time) <= POINTS
    assert (few.time[0], few.time[-1]) == (full.time[0], full.time[-1])
    assert few.values.min() == full.values.min()
    assert few.values.max() == full.values.max()


@pytest.mark.parametrize(("n", "detail", "travels"), [
    (50_000, True, True), (50_000, False, False), (POINTS, True, False),
])
def test_all_points_travel_only_where_they_are_needed(n, detail, travels):
    figure = rendered(curve(holoviews(), series(n), "price", detail=detail))
    (source,) = {r.data_source for r in figure.renderers}
    assert len(source.data["time"]) <= POINTS
    found = figure.x_range.js_property_callbacks.get("change:start", [])
    mine = [c for c in found if "values" in c.args]
    assert len(mine) == travels
    if travels:
        assert mine[0].args["name"] in source.data
        assert POINTS < len(mine[0].args["time"]) <= DETAIL
