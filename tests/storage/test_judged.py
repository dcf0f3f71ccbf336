import math

import pytest

from opportunity.storage.judged import TrialCount


def test_variance_shrinks_with_the_bars():
    count = TrialCount(10, 0.1, 2.0, 1, 2)
    assert count.variance(100) == pytest.approx(0.04)
    assert count.variance(400) == pytest.approx(0.01)


def test_nothing_tried_has_no_variance():
    assert math.isnan(TrialCount().variance(10))


def test_bars_must_be_there():
    with pytest.raises(ValueError, match="bars must be >= 1"):
        TrialCount().variance(0)
