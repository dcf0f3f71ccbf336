import numpy as np
import pytest
from walks import START, walk_bars

from app.backtest_plan import plan_of
from app.backtests import Ran
from app.results import exported, response_of, warnings_of
from opportunity.backtest.engine import backtest
from opportunity.contracts.backtest import BacktestRequest
from opportunity.scoring.presets import PRESETS
from opportunity.trading.rules import TradeRules


@pytest.fixture(scope="module")
def ran():
    rules = TradeRules(min_score=0.5, min_confidence=0.0)
    bars = walk_bars(source="simulated")
    result = backtest(bars, timeframes=["1h"], rules=rules, start=START)
    asked = BacktestRequest(symbol="BTC/USDT", start_date="2024-01-01", end_date="2024-03-01")
    return Ran(plan_of(asked, PRESETS["balanced"]), result)


def test_a_response_shows_the_extremes_and_the_newest_trades(ran):
    whole, thin = response_of("a" * 32, ran, 20_000, 1_000), response_of("a" * 32, ran, 100, 3)
    equity = [p.equity for p in thin.equity_series]
    assert len(whole.equity_series) == whole.equity_points == thin.equity_points == 1_440
    assert len(equity) <= 100
    assert (max(equity), min(equity)) == (ran.result.equity.max(), ran.result.equity.min())
    assert thin.trades == whole.trades[-3:]
    assert thin.metrics == whole.metrics
    assert whole.metrics.total_trades == len(whole.trades) == whole.trades_total
    assert np.isclose(sum(t.profit for t in whole.trades), whole.metrics.net_profit)


def test_what_is_not_known_is_null_and_said(ran):
    answer = response_of("a" * 32, ran, 100, 3)
    assert answer.funding is None
    assert answer.metrics.funding is None
    assert any("funding is not known" in line for line in warnings_of(ran))
    assert any("simulated" in line for line in answer.warnings)


def test_exports_carry_configuration_and_capsule(ran):
    data, media = exported(ran, "json", "trades")
    assert media.startswith("application/json")
    assert ran.result.capsule.id.encode() in data
    assert exported(ran, "csv", "equity")[0].count(b"\n") > 1_440
