import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import drawn
from sklearn.covariance import ledoit_wolf as reference

from opportunity.errors import CoverageError
from opportunity.risk.covariance import correlations, ledoit_wolf, sample_covariance


@given(st.integers(2, 120), st.integers(1, 25), st.integers(0, 99), st.sampled_from((0.1, 1, 50)))
def test_shrinkage_is_that_of_scikit_learn(n, p, seed, spread):
    values = drawn(n, p, seed, 0.6, 0.02 * spread) + 0.01
    found = ledoit_wolf(values, least=2)
    wanted, shrinkage = reference(values)
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found.covariance, wanted, rtol=0, atol=1e-10 * max(scale, 1))
    assert found.shrinkage == pytest.approx(shrinkage, abs=1e-10)


def test_sample_covariance_is_that_of_numpy():
    values = drawn(60, 4)
    np.testing.assert_allclose(sample_covariance(values), np.cov(values.T), atol=1e-15)


def test_shrinkage_is_all_for_a_spherical_market_of_few_rows_and_little_for_many():
    rng = np.random.default_rng(3)
    assert ledoit_wolf(rng.standard_normal((30, 20))).shrinkage > 0.8
    assert ledoit_wolf(drawn(20_000, 5)).shrinkage < 0.01


def test_a_market_that_never_moves_has_no_variance():
    found = ledoit_wolf(np.zeros((40, 3)))
    np.testing.assert_array_equal(found.covariance, 0.0)
    assert found.shrinkage == 0.0


def test_shrunk_covariance_stays_positive_definite_with_more_assets_than_rows():
    values = drawn(30, 60)
    assert np.linalg.eigvalsh(sample_covariance(values))[0] < 1e-12
    assert np.linalg.eigvalsh(ledoit_wolf(values).covariance)[0] > 1e-6


def test_correlations_are_those_of_numpy_and_unknown_for_what_never_moved():
    values = drawn(60, 3)
    np.testing.assert_allclose(
        correlations(sample_covariance(values)), np.corrcoef(values.T), atol=1e-12
    )
    values[:, 1] = 0.0
    found = correlations(sample_covariance(values))
    assert np.isnan(found[0, 1])
    assert np.isnan(found[1, 2])
    assert np.isfinite(found[0, 2])
    np.testing.assert_array_equal(np.diag(found), 1.0)


@pytest.mark.parametrize("function", [ledoit_wolf, sample_covariance])
def test_too_few_rows_name_the_least(function):
    with pytest.raises(CoverageError, match="at least 30 rows for a covariance, were 29"):
        function(drawn(29, 2))


@pytest.mark.parametrize("function", [ledoit_wolf, sample_covariance])
def test_what_is_no_table_of_numbers_is_refused(function):
    with pytest.raises(ValueError, match="shape"):
        function(np.zeros(40))
    values = drawn(40, 2)
    values[3, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        function(values)
