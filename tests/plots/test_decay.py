import numpy as np
import pytest

from opportunity.plots.decay import decay_chart
from opportunity.scoring.decay import watch


@pytest.mark.filterwarnings("default")
def test_decay_shows_every_window_and_alarm(elements):
    values = 0.1 + 0.1 * np.random.default_rng(1).standard_normal(60)
    values[40:] -= 0.6
    start = 1_700_000_000_000 + 345_600_000 * np.arange(60)
    found = watch(start, np.full(60, 40), values)
    assert found.alarm.any()
    picture = decay_chart(found)
    curve, area = elements(picture, "Curve")[0], elements(picture, "Area")[0]
    np.testing.assert_array_equal(curve.dimension_values("coefficient"), values)
    np.testing.assert_array_equal(area.dimension_values("fall"), found.fall)
    assert len(elements(picture, "VLine")) == 2 * np.count_nonzero(found.alarm)
