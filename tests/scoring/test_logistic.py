import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from opportunity.scoring.logistic import fit_logistic, logistic


def sample(n=3_000, seed=1):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
    right = (rng.random(n) < logistic(x @ [0.2, 0.8, -0.5, 0.0])).astype(float)
    return x, right, rng.uniform(0.05, 1, n)


@pytest.mark.parametrize("prior", [0.05, 0.1, 1.0, 10.0])
def test_coefficients_equal_scikit_learn(prior):
    x, right, weights = sample()
    peer = LogisticRegression(C=prior**2, fit_intercept=False, tol=1e-10, max_iter=1_000)
    peer.fit(x, right, sample_weight=weights)
    np.testing.assert_allclose(fit_logistic(x, right, weights, prior), peer.coef_[0], atol=1e-6)


def test_planted_coefficients_are_found_again():
    x, right, weights = sample(200_000, seed=2)
    found = fit_logistic(x, right, weights, prior=10.0)
    np.testing.assert_allclose(found, [0.2, 0.8, -0.5, 0.0], atol=0.03)


def test_separable_rows_stay_finite():
    x = np.column_stack([np.ones(6), np.arange(6.0)])
    found = fit_logistic(x, (np.arange(6) > 2).astype(float), np.ones(6), prior=1.0)
    assert np.isfinite(found).all()
    assert found[1] > 0


def test_probabilities_of_extreme_odds_do_not_overflow():
    np.testing.assert_allclose(logistic(np.array([-1e9, 0, 1e9])), [0, 0.5, 1], atol=1e-12)
