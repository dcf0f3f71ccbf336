import pytest
from pydantic import ValidationError

from opportunity.contracts.risk_asked import (
    BreakerName,
    Contradiction,
    LimitsBody,
    MethodName,
    PositionBody,
    VarQuery,
    one_of,
    side_of,
)
from opportunity.risk.value_at_risk import Method
from opportunity.trading.records import BREAKERS
from opportunity.trading.risk import _BOUNDS, RiskRecord


def test_names_are_those_of_the_rooms_above():
    assert MethodName.__args__ == Method.__args__
    assert BreakerName.__args__ == BREAKERS


def test_every_limit_can_be_set_within_its_own_bounds():
    assert set(RiskRecord.__dataclass_fields__) <= set(LimitsBody.model_fields)
    for name, bounds in _BOUNDS.items():
        for value in bounds:
            assert LimitsBody(**{name: value}).changes() == {name: value}
            RiskRecord(**{name: value})
        for value in (bounds[0] - 1, bounds[1] + 1):
            with pytest.raises(ValidationError):
                LimitsBody(**{name: value})


def test_one_of_several_names():
    asked = PositionBody(entry_price=2, stop_loss=1, account_balance=5)
    assert one_of(asked, "account_size", "account_balance") == 5
    assert one_of(asked, "risk_percent", "risk_percentage") is None
    both = PositionBody(entry_price=2, stop_loss=1, account_balance=5, account_size=5)
    assert one_of(both, "account_size", "account_balance") == 5
    apart = PositionBody(entry_price=2, stop_loss=1, account_balance=5, account_size=6)
    with pytest.raises(Contradiction, match="account_size and account_balance") as caught:
        one_of(apart, "account_size", "account_balance")
    assert caught.value.field == "account_size"


@pytest.mark.parametrize(
    ("word", "side"),
    [("BULLISH", 1), ("LONG", 1), ("BUY", 1), ("long", 1), ("BEARISH", -1), ("SHORT", -1),
     ("SELL", -1), ("short", -1), ("NEUTRAL", 0), (None, 0)],
)  # fmt: skip
def test_sides(word, side):
    assert side_of(word) == side


def test_questions_about_the_tail_are_read_from_text():
    asked = VarQuery(level="0.99", horizon="10", method="historical")
    assert (asked.level, asked.horizon) == (0.99, 10)
    for bad in ({"level": "1"}, {"horizon": "nan"}, {"days": "1"}):
        with pytest.raises(ValidationError):
            VarQuery(**bad)
