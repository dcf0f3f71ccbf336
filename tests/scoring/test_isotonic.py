import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from opportunity.scoring.isotonic import isotonic

NUMBERS = st.floats(-100, 100, allow_subnormal=False)


@given(st.lists(st.tuples(NUMBERS, st.floats(0.01, 100)), min_size=1, max_size=40))
def test_fit_equals_scikit_learn(rows):
    y, weights = (np.array(column) for column in zip(*rows, strict=True))
    peer = IsotonicRegression().fit_transform(np.arange(y.size), y, sample_weight=weights)
    np.testing.assert_allclose(isotonic(y, weights), peer, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [1_000, 60_000])
def test_long_noisy_rows_equal_scikit_learn(n):
    rng = np.random.default_rng(n)
    y = (rng.random(n) < np.linspace(0.4, 0.6, n)).astype(float)
    weights = rng.uniform(0.1, 1, n)
    peer = IsotonicRegression().fit_transform(np.arange(n), y, sample_weight=weights)
    np.testing.assert_allclose(isotonic(y, weights), peer, atol=1e-12)


def test_rising_values_stay_and_falling_ones_become_their_mean():
    ones = np.ones(4)
    np.testing.assert_array_equal(isotonic(np.array([1.0, 2, 3, 4]), ones), [1, 2, 3, 4])
    np.testing.assert_array_equal(isotonic(np.array([4.0, 3, 2, 1]), ones), [2.5] * 4)
    np.testing.assert_array_equal(
        isotonic(np.array([1.0, 3, 2, 4]), np.array([1.0, 3, 1, 1])), [1, 2.75, 2.75, 4]
    )


def test_what_is_given_is_not_changed():
    y, weights = np.array([2.0, 1.0]), np.array([1.0, 1.0])
    isotonic(y, weights)
    assert (y.tolist(), weights.tolist()) == ([2, 1], [1, 1])
