import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.scoring.bootstrap import KINDS, draw_blocks, interval


@given(st.integers(1, 60), st.integers(1, 80), st.sampled_from(KINDS), st.integers(0, 5))
def test_sums_equal_the_places_drawn_one_by_one(n, block, kind, seed):
    drawn = draw_blocks(n, block, 7, seed, kind)
    assert (drawn.lengths.sum(axis=1) == n).all()
    assert (drawn.lengths >= 0).all()
    values = np.random.default_rng(seed).standard_normal((n, 3))
    places = drawn.places()
    assert places.shape == (7, n)
    np.testing.assert_allclose(drawn.sums(values), values[places].sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(drawn.sums(values[:, 0]), values[:, 0][places].sum(axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_neighbours_stay_together_for_a_block(kind):
    places = draw_blocks(5_000, 20, 50, 1, kind).places()
    together = np.mean((np.diff(places, axis=1) == 1) | (np.diff(places, axis=1) == -4_999))
    assert together == pytest.approx(1 - 1 / 20, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_is_drawn_equally_often(kind):
    counts = np.bincount(draw_blocks(40, 7, 20_000, 3, kind).places().ravel(), minlength=40)
    np.testing.assert_allclose(counts / 20_000, 1.0, atol=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_of_a_mean_cover_what_theory_says(kind):
    """Noise with a memory: its mean strays (1 + a) / (1 - a) times further than white noise's."""
    rng, a, n = np.random.default_rng(7), 0.6, 4_000
    noise = rng.standard_normal(n)
    x = np.empty(n)
    x[0] = noise[0]
    for i in range(1, n):
        x[i] = a * x[i - 1] + noise[i]
    means = draw_blocks(n, 60, 2_000, 1, kind).sums(x) / n
    theory = 1 / (1 - a) / np.sqrt(n)
    assert means.std() == pytest.approx(theory, rel=0.15)
    single = draw_blocks(n, 1, 2_000, 1, kind).sums(x) / n
    assert single.std() < 0.6 * theory  # drawn one by one, the memory is lost


def test_the_same_seed_draws_the_same_blocks():
    one, same, other = (draw_blocks(100, 9, 10, seed).starts for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_interval_holds_the_middle_of_the_draws():
    draws = np.column_stack([np.arange(1_001.0), np.r_[np.nan, np.arange(1.0, 1_001)]])
    low, high = interval(draws, 0.9)
    np.testing.assert_allclose(low, [50, 50.95])
    np.testing.assert_allclose(high, [950, 950.05])


@pytest.mark.parametrize(
    ("given", "text"),
    [({"n": 0}, "n must be >= 1"), ({"block": 0}, "block must be >= 1"),
     ({"n_draws": 0}, "n_draws must be >= 1"), ({"kind": "movin"}, "Did you mean 'moving'")],
)
def test_arguments_out_of_range_are_refused(given, text):
    with pytest.raises(ValueError, match=text):
        draw_blocks(**({"n": 10, "block": 2} | given))


def test_values_of_another_length_are_refused():
    with pytest.raises(ValueError, match="values must be of length 10, was 9"):
        draw_blocks(10, 2).sums(np.ones(9))
