import numpy as np
import pytest
from scipy import stats

from opportunity.risk.monte_carlo import drawn_losses


def test_the_same_seed_gives_the_same_losses_and_another_gives_others():
    weights, covariance = np.array([1_000.0, -500.0]), np.diag([4e-4, 9e-4])
    one = drawn_losses(weights, covariance, 5, 3_000)
    np.testing.assert_array_equal(one, drawn_losses(weights, covariance, 5, 3_000))
    assert (one != drawn_losses(weights, covariance, 6, 3_000)).all()


@pytest.mark.parametrize("side", [1, -1])
def test_one_asset_is_lognormal(side):
    sd = 0.2
    losses = drawn_losses(np.array([side * 100.0]), np.array([[sd**2]]), 1, 200_000)
    for level in (0.95, 0.99):
        q = stats.norm.ppf(1 - level if side > 0 else level)
        wanted = -side * 100 * np.expm1(sd * q - sd**2 / 2)
        assert np.quantile(losses, level) == pytest.approx(wanted, rel=0.01)
    assert losses.mean() == pytest.approx(0, abs=0.2)
    assert losses.max() < 100 or side < 0


def test_assets_that_move_as_one_are_no_error_and_cancel():
    covariance = np.full((2, 2), 4e-4)
    losses = drawn_losses(np.array([100.0, -100.0]), covariance, 1, 1_000)
    np.testing.assert_allclose(losses, 0, atol=1e-9)


def test_draws_do_not_depend_on_pieces():
    covariance = np.diag([4e-4, 9e-4])
    long = drawn_losses(np.ones(2), covariance, 1, 5_000)
    np.testing.assert_array_equal(long[:2_000], drawn_losses(np.ones(2), covariance, 1, 2_000))


def test_paths_are_counted():
    with pytest.raises(ValueError, match="n_paths must be >= 1"):
        drawn_losses(np.ones(1), np.eye(1), n_paths=0)
