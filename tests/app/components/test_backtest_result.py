import orjson
import pytest
from builders import random_bars

import opportunity as op
from app.backtests import Ran
from app.components.backtest_result import (
    MOST_TRADES,
    SHOWN,
    ResultTrades,
    summary_state,
    trades_state,
)
from app.components.island import dumps
from opportunity.backtest.baselines import baselines_of


@pytest.fixture(scope="module")
def ran():
    rules = op.TradeRules(min_score=0.55, min_confidence=0.05)
    return Ran(None, op.backtest(random_bars(1_200), timeframes=["1h"], rules=rules))


def test_summary_says_what_must_be_known_first(ran) -> None:
    told = orjson.loads(dumps(summary_state("abc", ran)))
    assert told["simulated"] is True
    assert any("simulated" in line for line in told["warnings"])
    assert "funding is not known and not counted" in told["warnings"]
    head = {name: (value, tone) for name, value, tone, _ in told["headline"]}
    assert head["Trades"][0] == str(ran.result.metrics.trades)
    assert head["Return"][1] == (1 if ran.result.metrics.total_return > 0 else -1)
    held = baselines_of(ran.result, n_draws=1).holding.metrics.total_return
    assert head["Buy and hold"][0].strip("+\N{MINUS SIGN} %") == f"{abs(held):.2%}".strip("%")
    assert told["capsule"]["id"] == ran.result.capsule.id
    assert told["capsule"]["data"] == ran.result.capsule.data


def test_every_number_has_its_meaning(ran) -> None:
    told = summary_state("abc", ran)
    rows = [row for group in told["groups"] for row in group["rows"]]
    assert len(rows) > 40
    assert all(hint for *_, hint in rows)


def test_trades_come_newest_first(ran) -> None:
    told = trades_state(ran.result)
    trades = ran.result.trades
    assert list(told["columns"]) == list(SHOWN)
    assert told["total"] == len(trades) > 20
    n = min(MOST_TRADES, len(trades))
    assert told["columns"]["number"] == trades["number"][::-1][:n].tolist()
    assert told["several"] is False


def test_chosen_trade_is_told() -> None:
    told = []
    ResultTrades(on_select=told.append)._handle_msg({"trade": 7})
    ResultTrades()._handle_msg({"trade": 7})
    assert told == [7]
