import numpy as np
import pytest

from opportunity.detectors.deviations import (
    LEAST,
    MOST,
    RANKS,
    VOLUMES,
    median_volume,
    push,
    push_volume,
    rank,
    replace_volume,
    whole,
    window,
    z_score,
)


def test_whole_units_are_odd_and_bounded():
    assert [whole(x, 0.25) for x in (0.6, -0.6, 0.125, -0.125, 0.375)] == [2, -2, 0, 0, 2]
    assert whole(1e30, 0.25) == MOST
    assert whole(-1e30, 0.25) == -MOST


@pytest.mark.parametrize("length", [60, 500])
def test_z_score_is_that_of_the_values_before(length):
    rng = np.random.default_rng(length)
    values = rng.integers(-30_000, 30_000, 1_500)
    s = np.zeros(1, window(length))[0]
    for i, x in enumerate(values.tolist()):
        got = z_score(s, x)
        before = values[max(0, i - length) : i]
        if i < LEAST:
            assert np.isnan(got)
        else:
            assert got == pytest.approx((x - before.mean()) / before.std(), rel=1e-9, abs=1e-12)
        push(s, x)


def test_negated_values_negate_the_z_score_bit_for_bit():
    values = np.random.default_rng(1).integers(-900, 1_100, 800).tolist()
    one, other = (np.zeros(1, window(200))[0] for _ in range(2))
    for x in values:
        a, b = z_score(one, x), z_score(other, -x)
        assert a == -b or np.isnan(a)
        push(one, x)
        push(other, -x)


def test_values_that_do_not_differ_have_no_deviation():
    s = np.zeros(1, window(100))[0]
    for _ in range(70):
        push(s, 7)
    assert z_score(s, 7) == 0
    assert z_score(s, 900) == 0


def test_rank_counts_ties_for_half():
    rng = np.random.default_rng(2)
    values = np.round(rng.beta(2, 3, 900) * 256) / 256
    s = np.zeros(1, RANKS)[0]
    for i, x in enumerate(values.tolist()):
        got = rank(s, x)
        before = np.minimum(values[max(0, i - 200) : i], 255 / 256)
        if i < LEAST:
            assert np.isnan(got)
        else:
            y = min(x, 255 / 256)
            assert got == pytest.approx(((before < y).mean() + (before <= y).mean()) / 2)


def test_ranks_of_one_value_are_one_half():
    s = np.zeros(1, RANKS)[0]
    got = [rank(s, 1.0) for _ in range(500)]
    assert set(got[LEAST:]) == {0.5}


@pytest.mark.parametrize("every", [1, 7])
def test_median_is_that_of_the_last_50(every):
    rng = np.random.default_rng(every)
    values = np.rint(np.exp(rng.normal(2, 1, 700)))  # with ties
    s = np.zeros(1, VOLUMES)[0]
    for i, v in enumerate(values.tolist()):
        if i % every == 0:
            before = values[max(0, i - 50) : i]
            assert median_volume(s) == (np.median(before) if i else 0)
            replace_volume(s, v)
        else:
            push_volume(s, v)  # nobody asks on these bars
