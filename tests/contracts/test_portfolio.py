import math

import pytest
from pydantic import ValidationError

from opportunity.contracts.portfolio import (
    AuditQuery,
    CloseBody,
    EquityQuery,
    FlattenBody,
    PageQuery,
    PerformanceAnswer,
    PortfolioAnswer,
    ResetBody,
)


def test_account_always_says_that_it_is_paper():
    for model in (PortfolioAnswer, PerformanceAnswer):
        assert model.model_fields["paper"].default is True
        assert "source" in model.model_fields


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (CloseBody, {}), (CloseBody, {"symbol": "BTC/USDT", "by": "me"}),
        (FlattenBody, {"why": "w" * 201}), (FlattenBody, {"why": None}),
        (ResetBody, {"cash": 0}), (ResetBody, {"cash": math.inf}), (ResetBody, {"cash": "5"}),
        (PageQuery, {"limit": 1_001}), (PageQuery, {"after": -1}),
        (EquityQuery, {"most": 1}), (AuditQuery, {"kind": "fill"}),
    ],
)
def test_what_breaks_a_rule_is_refused(model, value):
    with pytest.raises(ValidationError):
        model.model_validate(value)


def test_numbers_from_a_query_are_read():
    asked = PageQuery.model_validate({"limit": "7", "after": "3", "symbol": "BTCUSDT"})
    assert (asked.limit, asked.after) == (7, 3)
