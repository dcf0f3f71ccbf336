from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.backtest.judge import LEAST_TRADES, OBJECTIVES
from opportunity.backtest.searched import METHODS
from opportunity.contracts.backtest import BacktestRequest, MarketRequest
from opportunity.contracts.sweep import MAX_VECTORS, Objective, SweepMethod, SweepRequest

ASKED = {"symbol": "BTCUSDT", "start_date": "2024-01-01", "end_date": "2024-02-01"}


def test_methods_and_objectives_are_those_of_the_search():
    assert get_args(SweepMethod) == METHODS
    assert get_args(Objective) == OBJECTIVES
    assert SweepRequest.model_validate(ASKED).least_trades == LEAST_TRADES


def test_a_sweep_asks_what_a_backtest_asks_but_weights():
    market = set(MarketRequest.model_fields)
    assert set(BacktestRequest.model_fields) == market | {"weights"}
    assert market < set(SweepRequest.model_fields)


@pytest.mark.parametrize(
    "change", [{"n": 0}, {"n": MAX_VECTORS + 1}, {"method": "best"}, {"weights": {}}, {"top": 0}]
)
def test_odd_requests_are_refused(change):
    with pytest.raises(ValidationError):
        SweepRequest.model_validate(ASKED | change)
