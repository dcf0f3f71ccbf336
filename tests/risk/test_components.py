import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import drawn

from opportunity.risk.components import components
from opportunity.risk.covariance import ledoit_wolf
from opportunity.risk.value_at_risk import Asked, deviation, parametric

COVARIANCE = ledoit_wolf(drawn(200, 4)).covariance


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), st.sampled_from((0.95, 0.99)))
def test_parts_add_up_to_the_whole(weights, level):
    held, asked = np.array(weights), Asked(level, 5.0)
    found = components(held, COVARIANCE, asked)
    total = 0.0
    for part in found.parts.tolist():
        total += part
    assert total == found.var  # not a bit apart
    whole = parametric(deviation(held, COVARIANCE), asked).var
    assert found.var == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert found.var <= found.alone.sum() * (1 + 1e-9) + 1e-9
    assert 0 <= found.diversified <= 1


def test_marginal_is_the_slope():
    held, asked = np.array([500.0, -200.0, 300.0, 50.0]), Asked(0.95)
    found, step = components(held, COVARIANCE, asked), 1e-4
    for i in range(4):
        moved = held.copy()
        moved[i] += step
        slope = (components(moved, COVARIANCE, asked).var - found.var) / step
        assert found.marginal[i] == pytest.approx(slope, rel=1e-4)


def test_a_hedge_takes_away():
    covariance = np.array([[4e-4, 3.8e-4], [3.8e-4, 4e-4]])
    found = components(np.array([1_000.0, -300.0]), covariance, Asked())
    assert found.parts[1] < 0 < found.parts[0]


def test_independent_equal_positions_share_alike_and_diversify():
    found = components(np.full(4, 100.0), np.eye(4) * 1e-4, Asked())
    np.testing.assert_allclose(found.parts, found.var / 4, rtol=1e-12)
    assert found.diversified == pytest.approx(1 - 1 / math.sqrt(4))


def test_nothing_held_has_no_parts():
    found = components(np.zeros(2), np.eye(2), Asked())
    assert found.var == 0
    assert found.diversified == 0
    np.testing.assert_array_equal(found.parts, 0)
