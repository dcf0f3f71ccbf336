import numpy as np
import pytest

from opportunity.detectors.prints import MINUTE
from opportunity.detectors.vpin import (
    LEAST_BUCKETS,
    N_BUCKETS,
    N_DAYS,
    VPIN_GUESS,
    usual_day,
)
from opportunity.detectors.vpin import vpin as kernel
from tests.detectors.test_print_flow import with_sums


def minutes_of(buy, sell):
    rows = np.zeros(len(buy), MINUTE)
    rows["time"] = 60_000 * np.arange(len(buy)) + 60_000
    rows["buy"], rows["sell"] = buy, sell
    return with_sums(rows)


def vpin(minutes, end, since, size):
    """Return what the kernel does, which no guess may change."""
    fresh, used = np.zeros(1, VPIN_GUESS)[0], np.zeros(1, VPIN_GUESS)[0]
    for _ in range(2):
        value = kernel(minutes, end, since, size, used)
    wrong = np.random.default_rng(1).integers(-9, 2000, VPIN_GUESS.itemsize // 8)
    guesses = (fresh, used, wrong.view(VPIN_GUESS)[0])
    values = [kernel(minutes, end, since, size, guess) for guess in guesses]
    np.testing.assert_array_equal(values, value)
    return value


def oracle(buy, sell, size, most=N_BUCKETS, least=LEAST_BUCKETS, drops=1000):
    """Pour every minute, newest first, into buckets in small equal drops."""
    buckets, held, net = [], 0, 0.0
    for b, s in zip(reversed(list(buy)), reversed(list(sell)), strict=True):
        for _ in range(round((b + s) / size * drops)):
            net += (b - s) / (b + s)
            held += 1
            if held == drops:
                buckets.append(abs(net) / drops)
                held, net = 0, 0.0
    buckets = buckets[:most]
    return sum(buckets) / len(buckets) if len(buckets) >= least else float("nan")


@pytest.mark.parametrize("seed", range(5))
def test_equals_pouring_drop_by_drop(seed):
    rng = np.random.default_rng(seed)
    buy, sell = rng.integers(0, 400, (2, 300)) * 1.0
    size = 1000.0  # a drop is one coin, so the oracle is exact
    got = vpin(minutes_of(buy, sell), 300, 0, size)
    assert got == pytest.approx(oracle(buy, sell, size), abs=1e-12)
    assert 0 < got < 1


@pytest.mark.parametrize("start", [0, 86_400_000 - 60_000 * 150, 86_400_000 - 60_000])
def test_midnights_make_no_difference(start):
    rng = np.random.default_rng(start)
    buy, sell = rng.integers(0, 40, (2, 2 * 1440 + 100)) * 1.0
    rows = minutes_of(buy, sell)
    rows["time"] += start
    for size in (1000.0, 1733.0, 2000.0):
        got = vpin(with_sums(rows), len(rows), 0, size)
        assert got == pytest.approx(oracle(buy, sell, size, drops=int(size)), abs=1e-12)


def test_minutes_larger_than_a_bucket_are_divided():
    buy, sell = np.array([10_000.0, 250.0, 30_000.0]), np.array([20_000.0, 750.0, 0.0])
    got = vpin(minutes_of(buy, sell), 3, 0, 1000.0)
    assert got == pytest.approx(oracle(buy, sell, 1000.0), abs=1e-12)
    assert got == pytest.approx((30 * 1 + 0.5 + 19 / 3) / 50)


def test_one_sided_flow_is_1_and_balanced_flow_0():
    ones = np.ones(1000)
    assert vpin(minutes_of(ones, 0 * ones), 1000, 0, 10.0) == pytest.approx(1)
    assert vpin(minutes_of(ones, ones), 1000, 0, 10.0) == 0


def test_sides_do_not_matter():
    buy, sell = np.random.default_rng(1).uniform(0, 9, (2, 500))
    one, other = (vpin(minutes_of(*x), 500, 0, 40.0) for x in ((buy, sell), (sell, buy)))
    assert one == other


def test_too_little_volume_gives_no_value():
    ones = np.ones(1000)
    rows = minutes_of(ones, ones)
    assert np.isnan(vpin(rows, 1000, 0, 2000.0 / (LEAST_BUCKETS - 1)))
    assert not np.isnan(vpin(rows, 1000, 0, 2000.0 / (LEAST_BUCKETS + 1)))
    assert np.isnan(vpin(rows, 0, 0, 1.0))
    since = int(rows["time"][-20])
    assert np.isnan(vpin(rows, 1000, since, 2.0))  # 20 minutes fill 20 buckets


def test_usual_day_is_the_median_of_days_that_count():
    rng = np.random.default_rng(1)
    assert usual_day(np.full(N_DAYS, np.nan)) == 0
    for n in range(1, N_DAYS + 1):
        days = np.full(N_DAYS, np.nan)
        days[rng.permutation(N_DAYS)[:n]] = rng.uniform(1, 9, n)
        assert usual_day(days.copy()) == np.nanmedian(days)
