import numpy as np
import pandas as pd
import pytest

import opportunity as op
from opportunity.contracts import DETECTOR_NAMES
from opportunity.plots.looks import DARK
from opportunity.plots.research_charts import MOST_DOTS

pytestmark = pytest.mark.filterwarnings("default")


def vectors(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((n, len(DETECTOR_NAMES))), columns=list(DETECTOR_NAMES))
    frame["sharpe"] = 2 * frame["sar"] + rng.normal(0, 0.2, n)
    frame.loc[0, "sharpe"] = np.nan
    return frame


def test_sweep_is_drawn_against_what_it_goes_along_with(elements):
    frame = vectors(500)
    picture = op.plots.sweep(frame)
    (counts,), (dots,) = elements(picture, "Histogram"), elements(picture, "Scatter")
    assert counts.dimension_values("vectors").sum() == 499
    assert dots.kdims[0].name == "sar"
    assert len(dots) == 499
    op.plots.rendered(picture)


def test_sweep_of_many_keeps_the_best_and_the_worst(elements):
    frame = vectors(20_000)
    dots = elements(op.plots.sweep(frame, against="smc", theme="dark"), "Scatter")[0]
    assert len(dots) == MOST_DOTS
    seen = dots.dimension_values("sharpe")
    assert (seen.min(), seen.max()) == (frame["sharpe"].min(), frame["sharpe"].max())
    assert dots.kdims[0].name == "smc"


def test_sweep_tells_what_it_misses():
    with pytest.raises(ValueError, match=r"column must be a known name.*sharpe"):
        op.plots.sweep(vectors(9), "sharp")
    with pytest.raises(ValueError, match="sharpe must have a finite value"):
        op.plots.sweep(vectors(1))


def test_surface_puts_numbers_into_few_cells(elements):
    cells = pd.MultiIndex.from_product([[0.5, 1.0, 2.0], [0, 1, 2]], names=["costs", "delay"])
    frame = pd.DataFrame({"total_return": np.linspace(-0.2, 0.1, 9)}, index=cells)
    picture = op.plots.surface(frame, theme="dark")
    (heat,) = elements(picture, "HeatMap")
    assert len(elements(picture, "Labels")) == 1
    np.testing.assert_allclose(np.sort(heat.dimension_values("total_return")),
                               frame["total_return"])
    model = op.plots.rendered(picture)
    mapper = next(r for r in model.renderers if hasattr(r, "glyph")).glyph.fill_color.transform
    assert (mapper.low, mapper.high) == (-0.2, 0.2)
    assert DARK.panel in mapper.palette  # nothing gained, nothing lost
    red, green = (int(mapper.palette[0][i : i + 2], 16) for i in (1, 3))
    assert red > green
    red, green = (int(mapper.palette[-1][i : i + 2], 16) for i in (1, 3))
    assert green > red


def test_walk_forward_shows_promise_and_choice(elements):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.random((4, len(DETECTOR_NAMES))), columns=list(DETECTOR_NAMES))
    for name in ("in_sample", "out_of_sample", "equal_weights"):
        frame[name] = rng.normal(size=4)
    picture = op.plots.walk_forward(frame)
    assert {c.label for c in elements(picture, "Curve")} == {
        "in sample", "out of sample", "equal weights",
    }
    (heat,) = elements(picture, "HeatMap")
    assert len(heat) == 4 * len(DETECTOR_NAMES)
    op.plots.rendered(picture)
    with pytest.raises(ValueError, match="column must be a known name"):
        op.plots.walk_forward(frame.drop(columns="in_sample"))
