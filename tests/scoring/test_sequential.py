"""Intervals that all hold at once: false alarms, coverage and power by simulation, laws exactly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import logsumexp

from opportunity.scoring.sequential import (
    ALPHA,
    CLIP,
    GUESS,
    RATES,
    SHARES,
    Sequential,
    confidence_sequence,
    evidence,
    reach,
)

LEVEL = math.log(2 / ALPHA)
DAYS = st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=60)

NULLS = {
    "calm": lambda rng, n: rng.normal(0, 0.005, n),
    "wild": lambda rng, n: rng.normal(0, 0.02, n),
    "fat tails": lambda rng, n: 0.006 * rng.standard_t(3, n),
    "all or nothing": lambda rng, n: rng.choice([-CLIP, CLIP], n),
    "rare losses": lambda rng, n: np.where(rng.random(n) < 0.1, -0.027, 0.003),
    "rare gains": lambda rng, n: np.where(rng.random(n) < 0.01, 0.0297, -0.0003),
    "moods": lambda rng, n: rng.normal(0, 1, n) * np.where(np.arange(n) % 200 < 100, 0.002, 0.02),
}


def false_alarms(draw, n_seeds: int, n_days: int, seed: int = 0) -> float:
    """Of many runs without a difference, those in which 0 was ever left outside."""
    rng = np.random.default_rng(seed)
    n = 0
    for _ in range(n_seeds):
        found = confidence_sequence(draw(rng, n_days))
        n += bool(((found[:, 1] > 0) | (found[:, 2] < 0)).any())
    return n / n_seeds


@pytest.mark.parametrize("name", NULLS)
def test_without_a_difference_it_is_hardly_ever_called(name) -> None:
    assert false_alarms(NULLS[name], 200, 1_000) <= ALPHA


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_false_alarms_over_ten_years(name) -> None:
    """2,000 runs: at a true rate of alpha more than 6.3 % has a chance below 1 %."""
    rate = false_alarms(NULLS[name], 2_000, 3_650, seed=1)
    assert rate <= ALPHA, rate


def test_a_test_of_fixed_length_looked_at_daily_would_be_wrong() -> None:
    """The reason for all this, and proof that the simulation can fail."""
    rng, n = np.random.default_rng(2), 200
    wrong = 0
    for _ in range(n):
        x = rng.normal(0, 0.005, 1_000)
        days = np.arange(1, x.size + 1)
        wrong += bool((np.abs(np.cumsum(x))[20:] > 1.96 * 0.005 * np.sqrt(days)[20:]).any())
    assert wrong / n > 0.3


def test_the_mixture_pays_what_it_promises() -> None:
    """Drawn to the edge by a coin that loses all: the bound is not so wide that nothing crosses."""
    assert 0.0 < false_alarms(NULLS["rare losses"], 2_000, 400, seed=3) <= ALPHA


@pytest.mark.parametrize(("mean", "spread", "within"), [
    (0.005, 0.005, 60), (0.002, 0.003, 140), (0.002, 0.005, 230), (0.001, 0.003, 340),
])  # fmt: skip
@pytest.mark.parametrize("sign", [1, -1])
def test_a_real_difference_is_found_and_its_side_is_right(mean, spread, within, sign) -> None:
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(100):
        told = confidence_sequence(sign * rng.normal(mean, spread, within))
        clear = told[:, 1] > 0 if sign > 0 else told[:, 2] < 0
        assert not (told[:, 2] < 0 if sign > 0 else told[:, 1] > 0).any()
        found += bool(clear.any())
    assert found >= 80


def test_covers_the_mean_at_all_times() -> None:
    rng, mean, missed = np.random.default_rng(5), 0.0015, 0
    for _ in range(300):
        told = confidence_sequence(rng.normal(mean, 0.006, 800))
        missed += bool(((told[:, 1] > mean) | (told[:, 2] < mean)).any())
    assert missed / 300 <= ALPHA


def test_covers_the_average_of_means_that_change() -> None:
    """No independence is needed: each day's mean depends on the day before."""
    rng, missed = np.random.default_rng(6), 0
    for _ in range(300):
        noise, x, means = rng.normal(0, 0.004, 600), np.zeros(600), np.zeros(600)
        for i in range(1, 600):
            means[i] = 0.7 * x[i - 1]
            x[i] = means[i] + noise[i]
        told = confidence_sequence(x)
        average = np.cumsum(means) / np.arange(1, 601)
        missed += bool(((told[:, 1] > average) | (told[:, 2] < average)).any())
    assert missed / 300 <= ALPHA


@given(DAYS)
def test_one_by_one_is_all_at_once(days) -> None:
    at_once, one = confidence_sequence(days), Sequential()
    for difference, row in zip(days, at_once, strict=True):
        one.add(difference)
        now = one.interval()
        assert (now.mean, now.low, now.high) == tuple(row)
    assert now.n == len(days)
    assert now.clipped == sum(abs(d) > CLIP for d in days)


@given(DAYS)
def test_mirrored_days_mirror(days) -> None:
    told, other = confidence_sequence(days), confidence_sequence([-d for d in days])
    assert np.array_equal(other[:, 0], -told[:, 0])
    assert np.array_equal(other[:, 1], -told[:, 2])


@given(DAYS, st.floats(0.01, 50))
def test_unit_of_money_does_not_matter(days, scale) -> None:
    told = confidence_sequence(days)
    other = confidence_sequence([d * scale for d in days], clip=CLIP * scale)
    assert other == pytest.approx(told * scale, rel=1e-9, abs=1e-12 * scale)


@given(st.floats(0, 1_000), st.floats(0, 1_000))
def test_more_spread_reaches_further_and_less_a_day(spread, more) -> None:
    assert reach(spread + more, LEVEL) >= reach(spread, LEVEL)
    days = np.array([1.0, 2.0, 5.0, 50.0, 500.0])
    wide = np.array([reach(spread / 100 * n, LEVEL) / n for n in days])
    assert (np.diff(wide) < 0).all()


@given(DAYS)
def test_stricter_is_wider_and_all_hold_the_mean(days) -> None:
    loose, strict = confidence_sequence(days, alpha=0.2), confidence_sequence(days, alpha=0.01)
    assert (strict[:, 1] <= loose[:, 1]).all()
    assert (strict[:, 2] >= loose[:, 2]).all()
    for told in (loose, strict):
        assert (told[:, 1] <= told[:, 0]).all()
        assert (told[:, 0] <= told[:, 2]).all()
        assert (np.abs(told) <= CLIP * (1 + 1e-12)).all()


@given(st.floats(0, 500), st.floats(0.1, 20))
def test_reach_is_the_root_that_a_library_finds(spread, level) -> None:
    def short(total: float) -> float:
        prices = -np.log1p(-RATES) - RATES
        return logsumexp(RATES * total - prices * spread, b=SHARES) - level

    root = brentq(short, 0, 5_000, xtol=1e-12, rtol=1e-14)
    assert reach(spread, level) == pytest.approx(root, rel=1e-9)
    assert evidence(root, spread) == pytest.approx(level, rel=1e-9)


def test_bounds_are_near_those_of_the_best_single_rate() -> None:
    rates = np.linspace(0.005, 0.999, 3_000)
    for spread in (0.3, 1.0, 3.0, 10.0, 30.0, 100.0):
        best = ((LEVEL - (np.log1p(-rates) + rates) * spread) / rates).min()
        assert best < reach(spread, LEVEL) < 1.34 * best


def test_by_hand() -> None:
    """Two days worked out on paper from the formulas of the module."""
    one = Sequential()
    one.add(0.01)
    one.add(0.04)
    c = CLIP * (1 + GUESS)
    first, second = 0.01 / c, CLIP / c
    spread = first**2 + (second - GUESS * CLIP / c) ** 2
    now = one.interval()
    assert now.mean == pytest.approx((0.01 + CLIP) / 2)
    low = (first + second - reach(spread, LEVEL)) / 2 * c
    assert now.low == pytest.approx(max(low, -CLIP))
    assert (now.n, now.clipped) == (2, 1)


def test_days_that_are_foretold_are_those_it_takes() -> None:
    days = np.tile([0.006, -0.003], 400)  # a mean of 0.0015
    one = Sequential()
    for difference in days[:60]:
        one.add(difference)
    more = one.interval().more
    assert more > 30
    told = confidence_sequence(days)
    clear = int(np.flatnonzero(told[:, 1] > 0)[0]) + 1
    assert clear == pytest.approx(60 + more, rel=0.08)
    for difference in days[60:clear]:
        one.add(difference)
    assert one.interval().more == 0


def test_nothing_is_foretold_of_no_difference() -> None:
    one = Sequential()
    assert one.interval().more is None
    assert math.isnan(one.interval().mean)
    assert (one.interval().low, one.interval().high) == (-CLIP, CLIP)
    for _ in range(50):
        one.add(0.0)
    now = one.interval()
    assert (now.mean, now.more) == (0.0, None)
    assert now.low < 0 < now.high


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="difference must be a number"):
        Sequential().add(math.nan)
    with pytest.raises(ValueError, match="had NaN"):
        confidence_sequence([0.1, math.nan])
    for alpha in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
            Sequential(alpha=alpha)
    for clip in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="clip must be finite and > 0"):
            confidence_sequence([0.1], clip=clip)
    ruined = Sequential()
    ruined.add(-math.inf)
    assert ruined.interval().mean == pytest.approx(-CLIP)
