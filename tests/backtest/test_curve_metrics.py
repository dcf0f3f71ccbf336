import math

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.backtest.curve_metrics import (
    annual_factor,
    deviation,
    divide,
    growth_per_year,
    moments,
    returns_by,
    sharpe,
    step_ms,
    tails,
    trace,
    years_of,
)

DAY = 86_400_000
START = 1_600_000_000_000 // DAY * DAY


def days(n):
    return START + DAY * np.arange(1, n + 1)


def noise(n, seed=1):
    return np.random.default_rng(seed).standard_normal(n) * 0.02


def test_a_year_is_counted_by_the_median_step():
    assert annual_factor(days(10)) == pytest.approx(365.25)
    hours = np.arange(1, 100) * 3_600_000
    assert annual_factor(np.delete(hours, 50)) == pytest.approx(365.25 * 24)  # a hole is no step
    assert math.isnan(annual_factor(days(1)))


def test_years_run_from_the_first_open_to_the_last_close():
    assert years_of(days(1_461)) == pytest.approx(4.0)
    assert years_of(np.delete(days(1_461), slice(5, 300))) == pytest.approx(4.0)
    assert math.isnan(years_of(days(1)))
    assert step_ms(days(3)) == DAY


@pytest.mark.parametrize(
    ("ratio", "years", "wanted"),
    [(4.0, 2.0, 1.0), (1.0, 3.0, 0.0), (0.25, 2.0, -0.5), (0.0, 1.0, -1.0), (-3.0, 1.0, -1.0)],
)
def test_growth_per_year(ratio, years, wanted):
    assert growth_per_year(ratio, years) == pytest.approx(wanted)


def test_growth_without_a_number_is_not_one():
    assert math.isnan(growth_per_year(2.0, 0.0))
    assert math.isnan(growth_per_year(2.0, float("nan")))
    assert math.isnan(growth_per_year(float("nan"), 1.0))
    assert math.isnan(growth_per_year(1.5, 1e-6))  # 1.5 ** 1,000,000


def test_divide_by_nothing_is_not_a_number():
    assert divide(3.0, 2.0) == 1.5
    assert math.isnan(divide(1.0, 0.0))
    assert math.isnan(divide(1.0, float("nan")))


def test_trace_of_a_curve_by_hand():
    equity = np.array([110.0, 88.0, 99.0, 110.0, 121.0, 60.5, 70.0])
    curve = trace(days(7), equity, 100.0)
    np.testing.assert_allclose(curve.returns[:3], [0.1, -0.2, 0.125])
    assert curve.drawdown == 0.5
    assert curve.drawdown_money == 60.5
    assert curve.longest_bars == 2
    assert curve.longest_ms == 2 * DAY


def test_trace_counts_the_initial_cash_as_a_peak():
    curve = trace(days(3), np.array([90.0, 95.0, 99.0]), 100.0)
    assert curve.drawdown == pytest.approx(0.1)
    assert (curve.longest_bars, curve.longest_ms) == (3, 3 * DAY)


def test_trace_of_rising_equity_has_no_drawdown():
    curve = trace(days(3), np.array([100.0, 101.0, 101.0]), 100.0)
    assert (curve.drawdown, curve.drawdown_money, curve.longest_bars, curve.longest_ms) == (0,) * 4


def test_trace_returns_nothing_after_ruin():
    curve = trace(days(4), np.array([50.0, -10.0, -20.0, 30.0]), 100.0)
    np.testing.assert_allclose(curve.returns, [-0.5, -1.2, 0.0, 0.0])
    assert curve.drawdown == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("time", "equity", "cash"),
    [(days(2), np.ones(3), 1.0), (days(0), np.ones(0), 1.0), (days(1), np.ones(1), 0.0)],
)
def test_trace_refuses(time, equity, cash):
    with pytest.raises(ValueError, match="must be"):
        trace(time, equity, cash)


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=40))
def test_trace_equals_the_plain_definition(changes):
    equity = 100.0 * np.cumprod(1.0 + np.array(changes))
    curve = trace(days(equity.size), equity, 100.0)
    peak = np.maximum.accumulate(np.concatenate([[100.0], equity]))[1:]
    assert curve.drawdown == pytest.approx(max(0.0, (1 - equity / peak).max()), abs=1e-15)
    np.testing.assert_allclose(curve.returns, changes, atol=1e-12)


def test_sharpe_of_constant_growth_is_undefined_not_huge():
    equity = 100.0 * 1.001 ** np.arange(1, 400)
    returns = trace(days(399), equity, 100.0).returns
    assert deviation(returns) == 0.0
    assert math.isnan(sharpe(returns))
    assert all(math.isnan(x) for x in moments(returns))
    assert math.isnan(deviation(np.ones(1)))
    assert math.isnan(sharpe(np.ones(0)))


def test_sharpe_by_hand():
    assert sharpe(np.array([0.0, 0.02])) == pytest.approx(0.01 / (0.02 / math.sqrt(2)))


def test_moments_by_hand():
    values = np.array([0.0, 0.0, 0.0, 1.0])  # a coin with p = 1/4
    skew, kurtosis = moments(values)
    p, q = 0.25, 0.75
    assert skew == pytest.approx((q - p) / math.sqrt(p * q))
    assert kurtosis == pytest.approx(3 + (1 - 6 * p * q) / (p * q))
    assert moments(noise(200_000))[1] == pytest.approx(3.0, abs=0.05)


def test_tails_by_hand():
    returns = np.arange(-10.0, 10.0)  # 20 values: one is the worst 5 %, two the worst 10 %
    assert tails(returns, 0.05)[1] == 10.0
    assert tails(returns, 0.10)[1] == 9.5
    assert tails(returns, 0.075)[1] == pytest.approx((10.0 + 0.5 * 9.0) / 1.5)
    assert all(math.isnan(x) for x in tails(np.ones(0), 0.05))
    assert tails(np.array([-0.3]), 0.05) == (0.3, pytest.approx(0.3))


@given(st.integers(1, 300), st.sampled_from([0.01, 0.05, 0.5, 0.99]), st.integers(0, 9))
def test_shortfall_is_never_less_than_a_quantile_below_it(n, share, seed):
    returns = noise(n, seed)
    var, es = tails(returns, share)
    assert var == pytest.approx(-np.percentile(returns, 100 * share), abs=1e-15)
    assert es >= -np.sort(returns)[min(math.ceil(share * n), n) - 1] - 1e-15


@pytest.mark.parametrize("share", [0.05, 0.01])
def test_tails_equal_an_independent_library(share):
    """It gives returns, so its signs differ, and averages whole bars only."""
    whole, broken = noise(1_000), noise(1_010)
    var, es = tails(whole, share)
    assert var == pytest.approx(-empyrical.value_at_risk(whole, share), rel=1e-12)
    assert es == pytest.approx(-empyrical.conditional_value_at_risk(whole, share), rel=1e-12)
    # 50.5 bars: it takes 51, we take half of the last one.
    assert tails(broken, 0.05)[1] > -empyrical.conditional_value_at_risk(broken, 0.05)


def test_returns_by_day_compound_to_the_same_end():
    hours = START + 3_600_000 * np.arange(1, 100)
    equity = 100.0 * np.cumprod(1.0 + noise(99))
    found = returns_by(hours, equity, 100.0, DAY)
    assert found.size == 5  # 99 hours: four days and three hours
    assert found[0] == pytest.approx(equity[23] / 100.0 - 1.0)  # midnight belongs to the day before
    assert np.prod(1.0 + found) == pytest.approx(equity[-1] / 100.0)
