import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import NAMES, bars_of, drawn, held_in, market

from opportunity.risk.returns import returns_of
from opportunity.risk.stress import SCENARIOS, betas, stress
from opportunity.trading.costs import Costs

HELD = {"BTC/USDT": 4_000.0, "ETH/USDT": -1_000.0}


def told(held, costs=None):
    return {one.name: one for one in stress(held, costs)}


def test_names_are_unique_and_each_says_what_it_assumes():
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
    assert all(one.assumes.endswith(".") for one in SCENARIOS)


@pytest.mark.parametrize(("name", "by"), [("all_down_10", -0.1), ("all_down_20", -0.2),
                                          ("all_down_30", -0.3), ("all_up_20", 0.2)])  # fmt: skip
def test_all_move_at_once(name, by):
    found = told(held_in(None, HELD))[name]
    assert found.pnl == pytest.approx(3_000 * by)
    assert found.fraction == pytest.approx(0.3 * by)
    assert found.worst == ("BTC/USDT" if by < 0 else "ETH/USDT")


def test_the_leader_takes_others_along_by_their_betas():
    leader = drawn(200, 1, 1)[:, 0]
    returns = returns_of([bars_of("BTC/USDT", leader), bars_of("ETH/USDT", 1.5 * leader)])
    held = held_in(returns, {"ETH/USDT": 1_000.0, "BTC/USDT": 100.0})
    np.testing.assert_allclose(betas(held), [1.5, 1.0], rtol=1e-9)
    assert told(held)["btc_down_20"].pnl == pytest.approx(-300 - 20)


def test_nothing_falls_below_nothing():
    leader = drawn(200, 1, 1, spread=0.005)[:, 0]
    returns = returns_of([bars_of("BTC/USDT", leader), bars_of("X/USDT", 9 * leader)])
    assert told(held_in(returns, {"X/USDT": 1_000.0}))["btc_down_20"].pnl == pytest.approx(-1_000)


def test_betas_are_the_slopes_of_least_squares():
    returns = market(300)
    held = held_in(returns, dict.fromkeys(NAMES, 1.0))
    wanted = [np.polyfit(returns.values[:, 0], returns.values[:, i], 1)[0] for i in range(5)]
    np.testing.assert_allclose(betas(held), wanted, rtol=1e-9)


def test_volatility_is_three_times_the_value_at_risk_of_a_day():
    rng = np.random.default_rng(1)
    returns = returns_of([bars_of("BTC/USDT", 0.02 * rng.standard_normal(400))])
    sd = returns.values.std() * 4_000
    found = told(held_in(returns, {"BTC/USDT": 4_000.0}))["volatility_x3"]
    assert found.pnl == pytest.approx(-3 * 2.3263 * sd, rel=1e-3)


def test_leaving_costs_the_fee_and_five_times_the_slippage():
    found = told(held_in(None, HELD), Costs(fee=0.001, slippage=0.002, spread=0.002))
    assert found["exit_cost_x5"].pnl == pytest.approx(-5_000 * (0.001 + 5 * 0.003))


def test_worst_day_and_week_are_those_of_the_history():
    returns = market(300)
    held = held_in(returns, HELD)
    pnl = returns.values[:, :2] @ np.array([4_000.0, -1_000.0])
    found = told(held)
    assert found["worst_day"].pnl == pytest.approx(pnl.min())
    weeks = [
        (np.prod(1 + returns.values[i : i + 7, :2], axis=0) - 1) @ [4_000.0, -1_000.0]
        for i in range(294)
    ]
    assert found["worst_week"].pnl == pytest.approx(min(weeks))


def test_a_day_of_hourly_returns_is_24_of_them():
    returns = market(300, timeframe="1h")
    found = told(held_in(returns, {"BTC/USDT": 1_000.0}))["worst_day"]
    days = [np.prod(1 + returns.values[i : i + 24, 0]) - 1 for i in range(277)]
    assert found.pnl == pytest.approx(1_000 * min(days))


def test_what_the_history_does_not_say_is_unknown_with_its_reason():
    found = told(held_in(None, HELD))
    for name in ("btc_down_20", "volatility_x3", "worst_day", "worst_week"):
        assert math.isnan(found[name].pnl)
        assert "returns of every position must be known" in found[name].note
    short = told(held_in(market(5), HELD))
    assert "7 days in a row" in short["worst_week"].note
    assert "at least 30 rows" in short["btc_down_20"].note
    alone = told(held_in(market(50, ("ETH/USDT", "SOL/USDT")), {"ETH/USDT": 1.0}))
    assert "must hold BTC" in alone["btc_down_20"].note


def test_nothing_held_loses_nothing():
    assert all((one.pnl, one.fraction, one.note) == (0, 0, "") for one in stress(held_in(None, {})))


def test_a_leader_that_never_moved_tells_no_betas():
    returns = returns_of([bars_of("BTC/USDT", np.zeros(50))])
    held = held_in(returns, {"BTC/USDT": 1.0})
    assert "must have moved" in told(held)["btc_down_20"].note
    assert told(held)["volatility_x3"].pnl == 0


@given(st.floats(0.01, 100))
def test_losses_grow_with_the_positions(scale):
    returns = market(60)
    one = stress(held_in(returns, HELD))
    many = stress(held_in(returns, {n: v * scale for n, v in HELD.items()}))
    for a, b in zip(one, many, strict=True):
        assert b.pnl == pytest.approx(scale * a.pnl, rel=1e-9)
