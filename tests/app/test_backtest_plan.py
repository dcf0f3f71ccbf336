import pytest

from app.backtest_plan import MOST_BARS, TooLongError, plan_of
from opportunity.backtest.span import WARMUP_BARS
from opportunity.contracts.backtest import BacktestRequest
from opportunity.scoring.presets import PRESETS

HOUR = 3_600_000
ASKED = {"symbol": "btc-usdt", "start_date": "2024-01-01", "end_date": "2024-02-01"}


def plan(**change):
    asked = BacktestRequest.model_validate(ASKED | change)
    return plan_of(asked, PRESETS["balanced"])


@pytest.mark.parametrize(
    ("base", "frames"),
    [
        ("1h", ("1h", "4h", "1d")), ("5m", ("5m", "15m", "30m", "1h", "4h", "1d")),
        ("1m", ("5m", "15m", "30m", "1h", "4h", "1d")), ("2h", ("4h", "1d")), ("1d", ("1d",)),
    ],
)  # fmt: skip
def test_default_timeframes_are_those_of_python_and_warm_up_is_of_the_longest(base, frames):
    one = plan(timeframe=base, end_date="2024-01-05")
    assert one.timeframes == frames
    assert not one.named
    assert one.start - one.first == WARMUP_BARS * 24 * HOUR


def test_warm_up_is_read_before_the_start_and_counted():
    one = plan(timeframes=["1h", "4h"])
    assert one.start - one.first == WARMUP_BARS * 4 * HOUR
    assert one.n_bars == 31 * 24 + 4_000
    assert one.small
    assert not plan(timeframe="1m").small


def test_symbols_are_unified_and_named_once():
    both = {k: v for k, v in ASKED.items() if k != "symbol"} | {"symbols": ["BTCUSDT", "btc/usdt"]}
    asked = BacktestRequest.model_validate(both)
    assert plan_of(asked, PRESETS["balanced"]).symbols == ("BTC/USDT",)


def test_targets_without_shares_are_equal_parts():
    assert plan(rules={"targets_r": []}).setup.rules.shares == ()
    rules = plan(rules={"targets_r": [1.0, 2.0]}).setup.rules
    assert rules.shares == (0.5, 0.5)
    assert plan().setup.rules.shares == (1 / 3, 1 / 3, 1 / 3)


@pytest.mark.parametrize(
    ("sizing", "amount"), [({}, 0.01), ({"kind": "equity"}, 0.1), ({"kind": "notional"}, 1_000),
                           ({"kind": "all_in"}, 1.0), ({"kind": "risk", "amount": 0.02}, 0.02)],
)
def test_amounts_have_a_default_by_kind(sizing, amount):
    assert plan(sizing=sizing).setup.sizing.amount == amount


def test_a_plan_is_plain_values():
    values = plan(risk={"max_positions": 2}, seed=4).as_dict()
    assert values["risk"]["max_positions"] == 2
    assert values["seed"] == 4
    assert values["symbols"] == ["BTC/USDT"]
    assert values["costs"] == {"fee": 0.0005, "slippage": 0.001, "spread": 0.0}


def test_too_many_bars_are_refused_by_number():
    with pytest.raises(TooLongError, match=f"at most {MOST_BARS:,} with warm-up"):
        plan(timeframe="1m", start_date="2015-01-01")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"end_date": "2023-12-31"}, "end_date must be later"),
        ({"timeframes": ["1h", "30m"]}, "whole bars of 1h, was 30m"),
        ({"timeframes": ["1h"], "decision_timeframe": "4h"}, "decision_timeframe must be one of"),
        ({"rules": {"targets_r": [3.0, 1.0]}}, "ascend"),
        ({"rules": {"stop_atr": 0.0}}, "sizing must not be by risk"),
        ({"sizing": {"kind": "risk", "amount": 2.0}}, "amount of sizing"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        plan(**change)
