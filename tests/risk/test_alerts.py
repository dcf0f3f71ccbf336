from dataclasses import replace

import pytest
from portfolios import END, account_of, market

from opportunity.live.portfolio import BreakerLine
from opportunity.risk.manager import RiskManager
from opportunity.trading.risk import UNLIMITED, RiskRecord

MARKET = market()


def alerts(account, limits=None, returns=MARKET, volumes=None, missing=None):
    manager = RiskManager(RiskRecord() if limits is None else limits)
    held = manager.hold(account, returns, volumes or {}, missing)
    return {alert.code: alert for alert in manager.assess(account, held).alerts}


def test_a_quiet_account_raises_none():
    assert alerts(account_of()) == {}
    assert alerts(account_of({"BTC/USDT": 500.0}), volumes={"BTC/USDT": 1e9}) == {}


@pytest.mark.parametrize(
    ("code", "notionals", "more", "value"),
    [
        ("VAR_LIMIT_EXCEEDED", {"BTC/USDT": 20_000.0}, {}, None),
        ("LEVERAGE_HIGH", {"BTC/USDT": 40_000.0}, {}, 4.0),
        ("CONCENTRATION_HIGH", {"BTC/USDT": 4_000.0, "ETH/USDT": -1.0}, {}, 0.4),
        ("DRAWDOWN_HIGH", {}, {"drawdown": 0.13}, 0.13),
        ("DAILY_LOSS_HIGH", {}, {"day_pnl_pct": -0.025}, 0.025),
        ("PORTFOLIO_RISK_HIGH", {"BTC/USDT": 40_000.0, "ETH/USDT": 1.0}, {"drawdown": 0.25}, None),
    ],
)
def test_each_limit_has_its_alert(code, notionals, more, value):
    found = alerts(account_of(notionals, **more))[code]
    assert found.message
    assert found.limit > 0
    if value is not None:
        assert found.value == pytest.approx(value)
    assert code not in alerts(account_of(notionals, **more), UNLIMITED) or "RISK_HIGH" in code


def test_limits_that_are_passed_are_critical_and_near_ones_are_not():
    assert alerts(account_of(drawdown=0.2))["DRAWDOWN_HIGH"].severity == "CRITICAL"
    near = alerts(account_of(drawdown=0.13))["DRAWDOWN_HIGH"]
    assert (near.severity, near.advice) == ("MEDIUM", "Enter smaller: the breaker is near.")
    assert alerts(account_of(drawdown=0.11)) == {}
    assert alerts(account_of(day_pnl_pct=0.5)) == {}


def test_the_advice_on_value_at_risk_brings_it_to_the_limit():
    account = account_of({"BTC/USDT": 20_000.0, "ETH/USDT": 100.0})
    advice = alerts(account)["VAR_LIMIT_EXCEEDED"].advice
    assert advice.startswith("Take about ")
    amount = float(advice.split()[2].replace(",", ""))
    less = account_of({"BTC/USDT": 20_000.0 - amount, "ETH/USDT": 100.0})
    manager = RiskManager()
    var95 = manager.assess(less, manager.hold(less, MARKET)).var95
    assert var95 == pytest.approx(0.05, rel=0.01)


def test_positions_that_win_and_lose_together():
    limits = replace(RiskRecord(), max_correlation=0.3)
    found = alerts(account_of({"BTC/USDT": 300.0, "ETH/USDT": 300.0}), limits)
    assert "BTC/USDT and ETH/USDT" in found["CORRELATION_HIGH"].message
    hedged = alerts(account_of({"BTC/USDT": 300.0, "ETH/USDT": -300.0}), limits)
    assert "CORRELATION_HIGH" not in hedged


def test_positions_that_take_days_to_leave():
    found = alerts(account_of({"BTC/USDT": 2_000.0}), volumes={"BTC/USDT": 1e5})["LIQUIDITY_LOW"]
    assert found.value == pytest.approx(48)
    assert "leaving BTC/USDT takes 48 hours" in found.message


def test_breakers_are_told():
    line = BreakerLine("drawdown", "OPEN", END, END, 1, "")
    found = alerts(account_of(breakers=(line,)))["BREAKER_OPEN"]
    assert found.message == "breaker drawdown is OPEN: no entries until it closes"
    half = alerts(account_of(breakers=(replace(line, state="HALF_OPEN"),)))["BREAKER_OPEN"]
    assert "one entry at most" in half.message


def test_what_is_not_known_is_an_alert():
    found = alerts(account_of({"NEW/USDT": 300.0}), returns=None, missing={"NEW/USDT": "young"})
    assert found["RISK_UNKNOWN"].message == "value at risk is not known: NEW/USDT: young"


def test_the_worst_comes_first():
    account = account_of({"BTC/USDT": 40_000.0}, drawdown=0.25)
    manager = RiskManager()
    found = manager.assess(account, manager.hold(account, MARKET))
    order = ["CRITICAL", "HIGH", "MEDIUM"]
    ranks = [order.index(alert.severity) for alert in found.alerts]
    assert ranks == sorted(ranks)
    assert len(found.recommendations) == len(set(found.recommendations)) > 0
