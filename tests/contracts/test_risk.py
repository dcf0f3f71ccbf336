import math

import pytest
from pydantic import ValidationError

from opportunity.contracts.risk import LimitBlock, LimitValues, RiskBlock, TailItem
from opportunity.trading.risk import RiskRecord


def test_every_limit_is_told():
    assert set(LimitValues.model_fields) == {*RiskRecord.__dataclass_fields__, "risk_per_trade"}
    LimitValues(**RiskRecord().as_dict(), risk_per_trade=None)


def test_the_block_of_the_status_has_exactly_its_names():
    assert list(RiskBlock.model_fields) == [
        "account_balance", "portfolio_value", "daily_risk_used", "daily_pnl", "open_positions",
        "current_drawdown", "max_drawdown", "daily_risk_limit", "position_limit", "can_trade",
    ]  # fmt: skip
    assert list(LimitBlock.model_fields) == [
        "max_risk_per_trade", "max_risk_per_day", "max_positions", "max_correlation",
        "max_single_asset", "max_drawdown", "max_var_95", "max_leverage",
    ]  # fmt: skip


def test_what_is_not_known_is_null():
    given = {"method": "historical", "es": math.nan, "var_fraction": math.inf, "es_fraction": 0.1}
    item = TailItem(var=1.0, note="", **given)
    assert (item.var, item.es, item.var_fraction, item.es_fraction) == (1.0, None, None, 0.1)
    with pytest.raises(ValidationError):
        TailItem(var=1.0, note="", **given | {"method": "guess"})
