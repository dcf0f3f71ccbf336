import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from opportunity.scoring.averages import LEAST_BLOCKS, LEAST_OUTCOMES, average, rank_correlation


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 80), levels=st.integers(2, 50))
def test_rank_correlation_is_that_of_scipy(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, levels, (2, n)).astype(float)
    holes = rng.random(n) < 0.1
    x[holes] = np.nan
    left = ~holes
    if left.sum() < 2 or np.ptp(x[left]) == 0 or np.ptp(y[left]) == 0:
        assert np.isnan(rank_correlation(x, y))
        return
    wanted = spearmanr(x[left], y[left]).statistic
    assert rank_correlation(x, y) == pytest.approx(wanted, abs=1e-12)


def test_rank_correlation_without_anything_to_order() -> None:
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5.0)))
    assert np.isnan(rank_correlation(np.array([1.0, np.nan]), np.array([1.0, 2.0])))


def test_too_little_says_nothing() -> None:
    at = np.arange(400)
    few = average(np.ones(LEAST_OUTCOMES - 1), at[: LEAST_OUTCOMES - 1], 1)
    assert few.n == LEAST_OUTCOMES - 1
    assert np.isnan([few.value, few.low, few.high, few.n_effective]).all()
    short = average(np.arange(100.0), at[:100], 100 // LEAST_BLOCKS + 1)
    assert short.value == 49.5
    assert np.isnan([short.low, short.high, short.n_effective]).all()


def test_independent_values_are_worth_their_number_and_copies_are_not() -> None:
    rng = np.random.default_rng(1)
    values, at = rng.standard_normal(3_000), np.arange(3_000)
    alone = average(values, at, 1, 2_000)
    assert alone.n_effective == pytest.approx(3_000, rel=0.1)
    width = 2 * 1.96 / np.sqrt(3_000)
    assert alone.high - alone.low == pytest.approx(width, rel=0.1)
    copied = average(np.repeat(values[:300], 10), np.repeat(at[:300], 10), 1, 2_000)
    assert copied.n_effective == pytest.approx(300, rel=0.15)


def test_values_that_are_alike_for_a_while_are_worth_less() -> None:
    found = []
    for seed in range(12):
        values = np.repeat(np.random.default_rng(seed).standard_normal(300), 10)
        found.append(average(values, np.arange(3_000), 50, 300).n_effective)
    assert np.median(found) == pytest.approx(300, rel=0.3)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        steps = rng.standard_normal(400 + 11)
        values = np.convolve(steps, np.ones(12), "valid")  # outcomes that overlap by twelve
        found = average(values, np.arange(400), 24, 300, seed)
        held += found.low <= 0 <= found.high
    assert 0.86 <= held / 200 <= 0.99


def test_what_is_not_known_is_passed_over_and_all_alike_is_certain() -> None:
    values = np.full(60, 0.25)
    values[::3] = np.nan
    found = average(values, np.arange(60), 2)
    assert (found.n, found.value, found.low, found.high) == (40, 0.25, 0.25, 0.25)
    assert found.n_effective == 40
    assert "0.25" in repr(found)
