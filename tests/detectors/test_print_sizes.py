import numpy as np
import pytest

from opportunity.detectors.print_sizes import (
    LEAST,
    LOWEST,
    N_BINS,
    PER_OCTAVE,
    SIZES,
    bin_of,
    count_print,
    threshold,
    turn_to,
)

WIDTH = 2 ** (1 / PER_OCTAVE)


def fresh():
    return np.zeros(1, SIZES)[0]


def fill(s, hour, amounts):
    turn_to(s, hour)
    for amount in amounts:
        count_print(s, bin_of(amount), 1)


@pytest.mark.parametrize("amount", [1e-7, 0.013, 1.0, 75.0, 3e9])
def test_bins_are_as_wide_as_they_say(amount):
    low = 2.0 ** (bin_of(amount) / PER_OCTAVE + LOWEST)
    assert low <= amount * (1 + 1e-12)
    assert amount < low * WIDTH * (1 + 1e-12)


def test_amounts_beyond_the_ends_count_in_the_outermost_bins():
    assert bin_of(1e-300) == 0
    assert bin_of(1e300) == N_BINS - 1


@pytest.mark.parametrize("seed", range(4))
def test_threshold_is_the_99th_percentile_within_a_bin(seed):
    rng = np.random.default_rng(seed)
    amounts = np.exp(rng.normal(3, 1.9, 20_000))
    s = fresh()
    fill(s, 1_000, amounts)
    exact = np.percentile(amounts, 99)
    assert exact / WIDTH <= threshold(s) <= exact * WIDTH
    assert 0.008 < (amounts > threshold(s)).mean() < 0.012


def test_nothing_is_large_among_few_prints():
    s = fresh()
    fill(s, 1_000, [1.0] * (LEAST - 1))
    assert threshold(s) == 0
    fill(s, 1_000, [1.0])
    assert threshold(s) > 0


def test_window_holds_24_hours_and_no_more():
    rng = np.random.default_rng(9)
    by_hour = [np.exp(rng.normal(h % 5, 1, 300)) for h in range(60)]
    s = fresh()
    for h, amounts in enumerate(by_hour):
        fill(s, 1_000 + h, amounts)
        window = np.concatenate(by_hour[max(0, h - 23) : h + 1])
        assert s["count"] == window.size
        exact = np.percentile(window, 99)
        if window.size >= LEAST:
            assert exact / WIDTH <= threshold(s) <= exact * WIDTH
    turn_to(s, 1_059 + 500)
    assert s["count"] == 0
    assert (s["total"] == 0).all()
    assert (s["hours"] == 0).all()


def test_hours_without_prints_age_the_others():
    s = fresh()
    fill(s, 1_000, [1.0] * 10)
    fill(s, 1_023, [2.0] * 10)
    assert s["count"] == 20
    turn_to(s, 1_024)
    assert s["count"] == 10
