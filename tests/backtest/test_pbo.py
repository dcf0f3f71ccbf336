import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import linregress, rankdata

from opportunity.backtest.pbo import overfitting


def brute_force(returns, n_blocks):
    """The definition, cut by cut, with none of what makes it fast."""
    n = len(returns) // n_blocks
    blocks = np.array_split(returns[-n * n_blocks :], n_blocks)
    rows = []
    for some in combinations(range(n_blocks), n_blocks // 2):
        past = np.concatenate([blocks[i] for i in some])
        future = np.concatenate([blocks[i] for i in range(n_blocks) if i not in some])
        before = past.mean(axis=0) / past.std(axis=0, ddof=1)
        after = future.mean(axis=0) / future.std(axis=0, ddof=1)
        best = int(np.argmax(before))
        rank = rankdata(after)[best] / (returns.shape[1] + 1)
        rows.append((math.log(rank / (1 - rank)), before[best], after[best], best))
    return np.array(rows)


def noise(n=320, k=20, seed=1):
    return np.random.default_rng(seed).standard_normal((n, k)) * 0.01


@pytest.mark.parametrize(("n", "k", "n_blocks"), [(61, 7, 6), (160, 2, 8), (100, 30, 2)])
def test_equal_to_brute_force(n, k, n_blocks):
    returns = noise(n, k) + np.linspace(-0.002, 0.002, k)
    found, wanted = overfitting(returns, n_blocks), brute_force(returns, n_blocks)
    np.testing.assert_allclose(found.logits, wanted[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.past, wanted[:, 1], rtol=1e-9)
    np.testing.assert_allclose(found.future, wanted[:, 2], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.chosen, wanted[:, 3])
    assert found.probability == (wanted[:, 0] <= 0).mean()
    assert found.loss == (wanted[:, 2] < 0).mean()
    line = linregress(wanted[:, 1], wanted[:, 2])
    assert found.slope == pytest.approx(line.slope)
    assert found.intercept == pytest.approx(line.intercept)
    assert found.fit == pytest.approx(line.rvalue**2)


def test_sixteen_blocks_are_all_12870_cuts():
    assert overfitting(noise()).logits.size == math.comb(16, 8) == 12_870


def test_noise_is_a_coin_toss():
    found = [overfitting(noise(480, 24, seed), 12).probability for seed in range(24)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_a_true_winner_is_found_again():
    returns = noise()
    returns[:, 7] += 0.005
    found = overfitting(returns)
    assert found.probability < 0.01
    assert found.loss < 0.01
    assert (found.chosen == 7).mean() > 0.99


def test_what_wins_in_half_of_the_past_only_is_overfitting():
    """Every configuration is good in one block and bad in all others."""
    returns = noise(320, 16) * 0.1
    for i in range(16):
        returns[:, i] -= 0.001
        returns[20 * i : 20 * (i + 1), i] += 0.05
    assert overfitting(returns).probability == 1.0


def test_configurations_that_never_trade_earn_nothing():
    returns = noise(64, 3)
    returns[:, 1:] = 0.0
    returns[:, 0] -= 0.1  # the only one that trades loses
    found = overfitting(returns, 4)
    assert (found.past == 0.0).all()
    assert (found.future == 0.0).all()
    assert math.isnan(found.slope)


def test_twins_stand_at_the_median_which_is_no_success():
    one = noise(64, 1) + 0.01
    found = overfitting(np.hstack([one, one]), 4)
    np.testing.assert_array_equal(found.logits, 0.0)
    assert found.probability == 1.0


def test_the_oldest_periods_that_fill_no_block_are_left_out():
    returns = noise(67, 5)
    whole, cut = overfitting(returns, 4), overfitting(returns[3:], 4)
    np.testing.assert_array_equal(whole.logits, cut.logits)


@pytest.mark.parametrize(
    ("returns", "n_blocks"),
    [
        (noise(), 15), (noise(), 0), (noise(), 22), (noise(31), 16), (noise(320, 1), 16),
        (np.ones(100), 4), (np.full((100, 3), np.nan), 4),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_refused(returns, n_blocks):
    with pytest.raises(ValueError, match="must be"):
        overfitting(returns, n_blocks)
