import numpy as np
import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.plots.contribution_rows import COLUMNS, REACH, bucketed, contribution_rows
from opportunity.plots.looks import DARK, holoviews

pytestmark = pytest.mark.filterwarnings("default")
HOUR = 3_600_000
N = len(DETECTOR_NAMES)


def test_few_decisions_keep_their_values():
    values = np.random.default_rng(0).normal(size=(5, N))
    values[:, 3] = np.nan
    starts, ends, means = bucketed(HOUR * np.arange(1, 6), values)
    np.testing.assert_array_equal(starts, HOUR * np.arange(5))
    np.testing.assert_array_equal(ends, HOUR * np.arange(1, 6))
    np.testing.assert_array_equal(means, values)


def test_many_decisions_become_means_without_a_hole():
    values = np.random.default_rng(0).normal(size=(1_001, N))
    starts, ends, means = bucketed(HOUR * np.arange(1, 1_002), values)
    assert means.shape == (COLUMNS, N)
    np.testing.assert_array_equal(starts[1:], ends[:-1])
    assert (starts[0], ends[-1]) == (0, 1_001 * HOUR)
    np.testing.assert_allclose(means[0], values[:5].mean(axis=0))


def test_bullish_stands_above_its_line_and_bearish_below(result, elements):
    span = int(result.time[0]), int(result.time[-1])
    drawn = contribution_rows(holoviews(), result.decisions, 0, DARK, span)
    up, down = elements(drawn, "Rectangles")
    assert (up.dimension_values("top") > up.dimension_values("row")).all()
    assert (down.dimension_values("top") < down.dimension_values("row")).all()
    reach = max(np.abs(e.dimension_values("top") - e.dimension_values("row")).max()
                for e in (up, down))
    assert reach == pytest.approx(REACH)
    assert len(up) + len(down) <= COLUMNS * N


def test_nothing_decided_is_nothing_drawn(result):
    assert contribution_rows(holoviews(), result.decisions, 0, DARK, (0, 1)) is None
