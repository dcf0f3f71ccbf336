import math

import numpy as np
import pytest

from opportunity.backtest.sharpe import (
    Sample,
    deflated_sharpe,
    expected_best,
    min_track_record,
    probabilistic_sharpe,
    trial_variance,
)

EXAMPLE = Sample(2.5 / math.sqrt(250), 1_250, skew=-3.0, kurtosis=10.0)


def test_deflated_sharpe_of_the_published_example():
    """Bailey, Lopez de Prado (2014): 100 trials, variance 1/2 a year, five years of days."""
    assert expected_best(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(EXAMPLE, 100, 0.5 / 250) == pytest.approx(0.9004, abs=5e-5)


def test_the_excess_kurtosis_would_not_give_the_published_number():
    excess = Sample(EXAMPLE.sharpe, EXAMPLE.n, EXAMPLE.skew, EXAMPLE.kurtosis - 3.0)
    assert abs(deflated_sharpe(excess, 100, 0.5 / 250) - 0.9004) > 0.001


def test_one_trial_deflates_nothing():
    assert expected_best(1, 0.5) == 0.0
    assert deflated_sharpe(EXAMPLE, 1, 0.5) == probabilistic_sharpe(EXAMPLE)


def test_expected_best_is_what_luck_shows():
    """The best of 50 draws from a normal distribution, on the mean of many times."""
    draws = np.random.default_rng(2).standard_normal((40_000, 50)).max(axis=1)
    assert expected_best(50, 1.0) == pytest.approx(draws.mean(), rel=0.02)


def test_probability_of_no_skill_is_a_half():
    assert probabilistic_sharpe(Sample(0.0, 100)) == 0.5
    assert probabilistic_sharpe(Sample(0.2, 100), 0.2) == 0.5
    assert probabilistic_sharpe(Sample(0.3, 100)) > probabilistic_sharpe(Sample(0.2, 100)) > 0.5


def test_probability_agrees_with_simulation():
    """How often a true ratio of zero shows at least this one by luck."""
    n, shown = 250, 0.1
    returns = np.random.default_rng(3).standard_normal((20_000, n))
    ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    wanted = (ratios < shown).mean()
    assert probabilistic_sharpe(Sample(shown, n)) == pytest.approx(wanted, abs=0.01)


def test_track_record_is_as_long_as_it_takes_to_be_sure():
    needed = min_track_record(EXAMPLE, level=0.95)
    same = {"skew": EXAMPLE.skew, "kurtosis": EXAMPLE.kurtosis}
    at = Sample(EXAMPLE.sharpe, math.ceil(needed), **same)
    before = Sample(EXAMPLE.sharpe, math.floor(needed), **same)
    assert probabilistic_sharpe(before) < 0.95 <= probabilistic_sharpe(at)
    assert math.isnan(min_track_record(Sample(0.1, 100), 0.1))
    assert math.isnan(min_track_record(Sample(-0.1, 100)))


def test_sample_of_returns():
    returns = np.array([0.0, 0.0, 0.0, 1.0])
    sample = Sample.of(returns)
    assert sample.sharpe == pytest.approx(0.5)
    assert (sample.n, sample.kurtosis) == (4, pytest.approx(7 / 3))
    assert math.isnan(probabilistic_sharpe(Sample.of(np.ones(5))))


def test_a_shape_that_leaves_no_variance_is_undefined():
    assert math.isnan(probabilistic_sharpe(Sample(1.0, 10, skew=5.0, kurtosis=1.0)))


def test_trial_variance_leaves_out_what_is_undefined():
    assert trial_variance(np.array([1.0, np.nan, 3.0])) == 2.0
    assert math.isnan(trial_variance(np.array([1.0])))


@pytest.mark.parametrize(
    "call",
    [
        lambda: Sample(0.1, 1),
        lambda: Sample(0.1, 10, 0.0, 0.0),  # somebody gave the excess
        lambda: expected_best(0, 1.0),
        lambda: expected_best(2, -1.0),
        lambda: expected_best(2, float("nan")),
        lambda: min_track_record(EXAMPLE, level=0.5),
    ],
)
def test_numbers_out_of_range_are_refused(call):
    with pytest.raises(ValueError, match="must be"):
        call()
