import numpy as np
import pytest

from opportunity.detectors.rolling import N_MEDIAN, N_RING, RANGE, range_step, stands_out


def told(values, x, factor=1.5):
    """Feed a window as the detector does and ask about the next value."""
    ring = np.zeros(N_MEDIAN)
    for i, value in enumerate(values):
        ring[i % N_MEDIAN] = value
    return stands_out(ring, len(values), factor, x)


@pytest.mark.parametrize("digits", [0, 6], ids=["with ties", "without ties"])
def test_a_value_stands_out_exactly_against_the_median(digits):
    rng = np.random.default_rng(5)
    values = np.round(rng.lognormal(1, 1, 800), digits)
    answers = []
    for n in range(N_MEDIAN, values.size):
        window = values[n - N_MEDIAN : n]
        expected = values[n] > 1.5 * np.median(window)
        assert told(values[:n], values[n]) == expected
        answers.append(expected)
    assert 0.1 < np.mean(answers) < 0.9


def test_the_mean_of_the_middle_two_decides_between_them():
    values = [1.0] * 25 + [3.0] * 25  # median 2
    assert told(values, 2.5, factor=1.0)
    assert not told(values, 2.0, factor=1.0)
    assert not told(values, 1.5, factor=1.0)


def test_nothing_stands_out_before_the_window_is_full_or_without_volume():
    assert not told([1.0] * (N_MEDIAN - 1), 100.0)
    assert told([1.0] * N_MEDIAN, 100.0)
    assert not told([0.0] * N_MEDIAN, 100.0)
    assert not told([0.0] * 26 + [1.0] * 24, 100.0)  # median 0
    assert told([0.0] * 25 + [1.0] * 25, 100.0)  # median 1/2


@pytest.mark.parametrize("length", [5, 20, 30])
def test_range_equals_the_extremes_of_the_window(length):
    rng = np.random.default_rng(length)
    close = np.cumsum(np.rint(rng.standard_normal(600) * 3)) + 500
    high, low = close + rng.integers(0, 3, 600), close - rng.integers(0, 3, 600)
    ring = np.zeros((N_RING, 5))
    s = np.zeros(1, RANGE)[0]
    for n in range(600):
        ring[n & (N_RING - 1), :4] = close[n], high[n], low[n], close[n]
        range_step(s, ring, n, length)
        if n >= length - 1:
            window = slice(n - length + 1, n + 1)
            assert s["high"] == high[window].max()
            assert s["low"] == low[window].min()
            assert high[s["high_bar"]] == s["high"]
            assert low[s["low_bar"]] == s["low"]
            assert n - length < min(s["high_bar"], s["low_bar"])
