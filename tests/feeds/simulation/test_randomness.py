from statistics import NormalDist

import numpy as np
import pytest

from opportunity.feeds.simulation.randomness import (
    add_wave,
    branch,
    key_of,
    normal,
    normals,
    quantile,
    uniform,
)

KEY = key_of(7, "BTC/USDT")


@pytest.mark.parametrize("p", [1e-15, 1e-9, 1e-4, 0.07, 0.3, 0.5, 0.9, 0.999])
def test_quantile_equals_the_standard_library(p):
    assert quantile(p) == pytest.approx(NormalDist().inv_cdf(p), rel=3e-7, abs=1e-9)


def test_numbers_are_a_function_of_key_and_index():
    assert uniform(KEY, 12) == uniform(KEY, 12)
    assert uniform(KEY, 12) != uniform(KEY, 13)
    assert uniform(branch(KEY, 1), 12) != uniform(branch(KEY, 2), 12)
    assert key_of(7, "A") != key_of(8, "A")
    assert normals(KEY, 5, 3).tolist() == [normal(KEY, 5), normal(KEY, 6), normal(KEY, 7)]


def test_uniform_fills_the_unit_interval_evenly():
    u = np.array([uniform(KEY, i) for i in range(-5_000, 5_000)])
    counts, _ = np.histogram(u, 10, (0, 1))
    assert ((u > 0) & (u < 1)).all()
    assert (((counts - 1000) ** 2) / 1000).sum() < 27.9  # chi-square, 9 degrees, 0.1 %


def test_normal_has_the_moments_of_a_normal_and_no_memory():
    z = normals(KEY, 0, 100_000)
    assert z.mean() == pytest.approx(0, abs=0.013)
    assert z.std() == pytest.approx(1, abs=0.01)
    assert (z**4).mean() == pytest.approx(3, abs=0.12)
    assert np.corrcoef(z[1:], z[:-1])[0, 1] == pytest.approx(0, abs=0.013)
    assert np.corrcoef(z, normals(branch(KEY, 3), 0, z.size))[0, 1] == pytest.approx(0, abs=0.013)


def test_wave_is_smooth_with_the_wanted_deviation():
    out = np.zeros(200_000)
    add_wave(KEY, 0, 20, 0.5, out)
    assert out.std() == pytest.approx(0.5, rel=0.03)
    assert np.abs(np.diff(out)).max() < 0.5
    assert np.corrcoef(out[20:], out[:-20])[0, 1] == pytest.approx(0.32, abs=0.05)
    assert np.corrcoef(out[60:], out[:-60])[0, 1] == pytest.approx(0, abs=0.05)


def test_wave_from_a_later_start_is_the_same_wave():
    whole, part = np.zeros(400), np.zeros(100)
    add_wave(KEY, 0, 33, 1.0, whole)
    add_wave(KEY, 250, 33, 1.0, part)
    np.testing.assert_allclose(part, whole[250:350], atol=1e-12)
