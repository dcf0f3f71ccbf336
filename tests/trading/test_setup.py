import json
from fractions import Fraction

import numpy as np
import pytest

from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import RiskLimits, RiskRecord
from opportunity.trading.rules import TradeRecord, TradeRules
from opportunity.trading.setup import TradeSetup, risk_record, rules_record


def test_a_setup_survives_json():
    setup = TradeSetup(
        TradeRecord(targets_r=(1.5,), shares=(0.3,), direction="BULLISH", fill="close"),
        Costs(0.001, 0.0, 0.0002), Sizing.notional(500.0, True), RiskRecord(max_losses=0), 123.0,
    )  # fmt: skip
    again = TradeSetup.from_dict(json.loads(json.dumps(setup.as_dict())))
    assert again == setup
    assert again.terms().tobytes() == setup.terms().tobytes()


def test_numbers_of_any_kind_tell_the_same():
    given = TradeSetup(
        TradeRecord(time_stop=np.int64(5), targets_r=(1, 2), shares=(np.float64(0.5), 0.5)),
        Costs(np.float64(0.001)), Sizing.notional(np.int64(500)), RiskRecord(max_losses=2.0),
        Fraction(123),
    )  # fmt: skip
    plain = TradeSetup(
        TradeRecord(time_stop=5, targets_r=(1.0, 2.0), shares=(0.5, 0.5)), Costs(0.001),
        Sizing.notional(500.0), RiskRecord(max_losses=2), 123.0,
    )  # fmt: skip
    assert json.dumps(given.as_dict()) == json.dumps(plain.as_dict())
    assert given.terms().tobytes() == plain.terms().tobytes()


@pytest.mark.parametrize("cash", [0, -5, float("nan"), float("inf")])
def test_cash_must_be_there(cash):
    with pytest.raises(ValueError, match=f"cash must be finite and > 0, was {cash}"):
        TradeSetup(cash=cash)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("cash", "10k", "cash must be a number, was '10k'"),
        ("costs", 0.001, "costs must be Costs, was float"),
        ("sizing", "risk", "sizing must be Sizing, was str"),
        ("rules", {"min_score": 0.6}, "rules must be TradeRecord, was dict"),
        ("risk", {}, "risk must be RiskRecord, was dict"),
    ],
)
def test_parts_of_another_kind_are_named(name, value, text):
    with pytest.raises(TypeError, match=text):
        TradeSetup(**{name: value})


def test_shared_objects_and_none_become_records():
    assert rules_record(None) == rules_record(TradeRules()) == TradeRecord()
    assert risk_record(None) == risk_record(RiskLimits()) == RiskRecord()
    rules, risk = TradeRecord(min_score=0.9), RiskRecord(max_losses=1)
    assert rules_record(rules) is rules
    assert risk_record(risk) is risk


def test_a_missing_part_is_named():
    body = TradeSetup().as_dict()
    del body["risk"]
    with pytest.raises(KeyError, match="risk"):
        TradeSetup.from_dict(body)


def test_limits_that_a_setup_does_not_tell_were_off():
    """A setup written before they were there gives the run that it gave then."""
    body = TradeSetup().as_dict()
    for name in ("max_volume", "max_volatility", "kelly", "payoff", "stale_bars", "max_var95",
                 "max_correlation"):  # fmt: skip
        del body["risk"][name]
    found = TradeSetup.from_dict(body).risk
    assert (found.max_volume, found.max_volatility, found.kelly, found.stale_bars) == (0, 0, 0, 0)
    assert found.max_losses == RiskRecord().max_losses
