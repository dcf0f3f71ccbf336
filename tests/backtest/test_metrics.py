import json
import math
from dataclasses import fields

import empyrical
import numpy as np
import pytest

from opportunity.backtest.metrics import Metrics, Run, measure
from opportunity.trading.records import ACCOUNT, TRADE

DAY = 86_400_000
START = 1_600_000_000_000 // DAY * DAY


def run_of(equity, cash=100.0, **given):
    equity = np.asarray(equity, np.float64)
    time = START + DAY * np.arange(1, equity.size + 1)
    held = given.pop("held", np.ones(equity.size, np.bool_))
    return Run(time, equity, cash, held, given.pop("trades", np.zeros(0, TRADE)), **given)


def walk(n=2_000, seed=3):
    return 100.0 * np.cumprod(1 + np.random.default_rng(seed).standard_normal(n) * 0.01 + 0.0005)


def test_constant_growth_has_a_closed_form():
    n = 1_461  # four years
    found = measure(run_of(100.0 * 1.001 ** np.arange(1, n + 1)))
    assert found.years == pytest.approx(4.0)
    assert found.total_return == pytest.approx(1.001**n - 1)
    assert found.cagr == pytest.approx(1.001**365.25 - 1)
    assert found.max_drawdown == 0.0
    assert (found.volatility, found.max_drawdown_ms) == (0.0, 0)
    for name in ("sharpe", "sortino", "calmar", "recovery_factor", "skew", "kurtosis"):
        assert math.isnan(getattr(found, name)), name
    assert found.var_95 == pytest.approx(-0.001)  # even the worst bar gained


def test_two_bars_by_hand():
    found = measure(run_of([110.0, 99.0]))  # +10 %, -10 %
    root = math.sqrt(365.25)
    assert found.net_profit == pytest.approx(-1.0)
    assert found.total_return == pytest.approx(-0.01)
    assert found.volatility == pytest.approx(math.sqrt(0.02) * root)
    assert found.sharpe == pytest.approx(0.0, abs=1e-12)
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.max_drawdown_money == pytest.approx(11.0)
    assert found.recovery_factor == pytest.approx(-1.0 / 11.0)
    assert (found.max_drawdown_bars, found.max_drawdown_ms) == (1, DAY)
    assert found.cagr == pytest.approx(0.99 ** (365.25 / 2) - 1)
    assert found.calmar == pytest.approx(found.cagr / 0.1)
    assert (found.skew, found.kurtosis) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0))


def test_costs_are_lines_of_their_own():
    account = np.zeros((), ACCOUNT)
    account["fees"], account["slippage"], account["funding"] = 3.0, 2.0, -1.5
    account["turnover"] = 400.0
    equity = [100.0] * 365 + [300.0] * 365
    found = measure(run_of(equity, account=account, funded=True))
    assert (found.fees, found.slippage, found.funding) == (3.0, 2.0, -1.5)
    assert found.turnover == 2.0
    assert found.turnover_yearly == pytest.approx(1.0, rel=1e-3)
    assert math.isnan(measure(run_of(equity, account=account)).funding)
    assert math.isnan(measure(run_of(equity)).fees)


@pytest.mark.parametrize("held", [np.array([True, False, True, True]), [5.0, 0.0, 1.0, 2.0]])
def test_exposure_counts_bars_that_held_something(held):
    assert measure(run_of([100.0] * 4, held=np.asarray(held))).exposure == 0.75


def test_ruin_has_numbers():
    found = measure(run_of([50.0, 0.0]))
    assert (found.total_return, found.cagr, found.max_drawdown) == (-1.0, -1.0, 1.0)


def test_one_bar_is_enough_for_what_it_can_tell():
    found = measure(run_of([105.0]))
    assert found.total_return == pytest.approx(0.05)
    for name in ("years", "cagr", "sharpe", "volatility", "annual_factor"):
        assert math.isnan(getattr(found, name)), name


def test_the_wire_form_holds_neither_nan_nor_infinity():
    found = measure(run_of([100.0, 100.0])).as_dict()
    assert list(found) == [f.name for f in fields(Metrics)]
    assert found["sharpe"] is None
    assert found["max_drawdown"] == 0.0
    json.dumps(found, allow_nan=False)


def test_every_field_is_explained():
    text = Metrics.__doc__ or ""
    parameters = text.split("Parameters")[1]
    named = {
        name
        for line in parameters.splitlines()
        if line.startswith("    ") and not line.startswith("     ") and " : " in line
        for name in line.split(" : ")[0].replace(" ", "").split(",")
    }
    assert named == {f.name for f in fields(Metrics)}


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_an_independent_library(seed):
    """Its drawdown is negative; given our factor, all else has the same convention."""
    equity = walk(seed=seed)
    found = measure(run_of(equity))
    returns = np.diff(np.concatenate([[100.0], equity])) / np.concatenate([[100.0], equity[:-1]])
    year = {"annualization": 365.25}
    assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(returns, **year), rel=1e-9)
    assert found.sortino == pytest.approx(empyrical.sortino_ratio(returns, **year), rel=1e-9)
    assert found.cagr == pytest.approx(empyrical.annual_return(returns, **year), rel=1e-9)
    assert found.volatility == pytest.approx(empyrical.annual_volatility(returns, **year), rel=1e-9)
    assert found.calmar == pytest.approx(empyrical.calmar_ratio(returns, **year), rel=1e-9)
    assert found.max_drawdown == pytest.approx(-empyrical.max_drawdown(returns), rel=1e-9)
    assert found.var_95 == pytest.approx(-empyrical.value_at_risk(returns, 0.05), rel=1e-9)
    assert found.es_95 == pytest.approx(
        -empyrical.conditional_value_at_risk(returns, 0.05), rel=1e-9
    )


def test_scale_of_money_changes_money_only():
    equity = walk(300)
    one, many = measure(run_of(equity)), measure(run_of(equity * 64, cash=6_400.0))
    money = {"initial_equity", "final_equity", "net_profit", "max_drawdown_money"}
    for f in fields(Metrics):
        a, b = getattr(one, f.name), getattr(many, f.name)
        if f.name in money:
            assert b == a * 64, f.name
        else:
            assert b == a or (a != a and b != b), f.name


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="held must be of length 3"):
        measure(run_of([1.0, 2.0, 3.0], held=np.ones(2)))
