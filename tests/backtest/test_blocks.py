import math

import numpy as np
import pytest

from opportunity.backtest.blocks import block_length


def remembering(a, n=20_000, seed=1):
    noise = np.random.default_rng(seed).standard_normal(n)
    out = np.empty(n)
    out[0] = noise[0]
    for i in range(1, n):
        out[i] = a * out[i - 1] + noise[i]
    return out


@pytest.mark.parametrize(("kind", "constant"), [("stationary", 2.0), ("moving", 4.0 / 3.0)])
def test_length_is_what_theory_says_of_a_known_memory(kind, constant):
    """AR(1) of unit noise: G = 2 a / (1 - a)**3 / (1 + a), g(0) = 1 / (1 - a)**2."""
    a, n = 0.6, 20_000
    slope = 2 * a / ((1 - a) ** 3 * (1 + a))
    density = 1 / (1 - a) ** 2
    wanted = (2 * slope**2 / (constant * density**2) * n) ** (1 / 3)
    found = np.mean([block_length(remembering(a, n, seed), kind) for seed in range(4)])
    assert found == pytest.approx(wanted, rel=0.15)


def test_noise_needs_short_blocks_and_memory_longer_ones():
    lengths = [block_length(remembering(a)) for a in (0.0, 0.3, 0.8)]
    assert lengths[0] < 8
    assert lengths[0] < lengths[1] < lengths[2]


def test_blocks_of_one_length_are_longer_than_the_mean_of_geometric_ones():
    series = remembering(0.6, 5_000)
    ratio = block_length(series, "moving") / block_length(series, "stationary")
    assert ratio == pytest.approx((2.0 / (4.0 / 3.0)) ** (1 / 3))


def test_length_is_bounded():
    walk = np.cumsum(remembering(0.0, 900))
    assert 1.0 <= block_length(walk) <= 90.0
    assert block_length(np.ones(50)) == 1.0
    assert block_length(np.array([1.0, 2.0])) == 1.0


def test_scale_and_level_do_not_matter():
    series = remembering(0.5, 2_000)
    assert block_length(series * 8 + 3) == pytest.approx(block_length(series), rel=1e-6)


def test_what_is_no_series_is_refused():
    with pytest.raises(ValueError, match="kind must be a known name"):
        block_length(np.ones(5), "stationery")
    with pytest.raises(ValueError, match="series must be finite"):
        block_length(np.ones(1))
    with pytest.raises(ValueError, match="series must be finite"):
        block_length(np.array([1.0, math.nan]))
