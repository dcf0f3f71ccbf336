import math

import numpy as np
import pytest

from opportunity.backtest.equal_weights import sharpe_difference


def pair(better, n=1_000, seed=1):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(n) * 0.01
    one, other = (common + rng.standard_normal(n) * 0.003 for _ in range(2))
    return one + better, other


def test_a_clear_difference_is_sure():
    found = sharpe_difference(*pair(0.002))
    assert found.better == 1.0
    assert 0.0 < found.low < found.difference < found.high


def test_pairs_see_what_each_alone_would_not():
    """The market moves both: only what they do not share counts."""
    one, other = pair(0.0006)
    paired = sharpe_difference(one, other)
    alone = sharpe_difference(one, np.random.default_rng(9).permutation(other))
    assert paired.better > 0.97
    assert alone.high - alone.low > 2 * (paired.high - paired.low) > 0.0


def test_no_difference_is_found_as_often_as_it_should_be():
    found = [sharpe_difference(*pair(0.0, 400, s), n_draws=400, seed=s).better for s in range(120)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.array(found) > 0.95) < 0.12  # by chance 5 %


def test_swapping_turns_the_sign():
    one, other = pair(0.001)
    there, back = sharpe_difference(one, other, 5), sharpe_difference(other, one, 5)
    assert there.difference == -back.difference
    assert there.low == pytest.approx(-back.high)
    assert there.better == pytest.approx(1.0 - back.better)


def test_memory_makes_blocks_longer():
    rng = np.random.default_rng(2)
    slow = np.convolve(rng.standard_normal(1_100), np.ones(20) / 20, "valid")[:1_000]
    assert sharpe_difference(*pair(0.0)).block < sharpe_difference(slow, pair(0.0)[1]).block


def test_returns_that_do_not_vary_have_no_difference():
    found = sharpe_difference(np.zeros(50), pair(0.0, 50)[0])
    assert math.isnan(found.difference)
    assert math.isnan(found.better)


@pytest.mark.parametrize("n", [(5, 6), (1, 1)])
def test_lengths_that_do_not_fit_are_refused(n):
    with pytest.raises(ValueError, match="equal length"):
        sharpe_difference(np.ones(n[0]), np.ones(n[1]))
