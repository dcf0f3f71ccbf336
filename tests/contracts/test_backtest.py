import re
from dataclasses import fields
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from opportunity.backtest.export import FORMATS
from opportunity.backtest.metrics import Metrics
from opportunity.backtest.tables import TABLES
from opportunity.contracts.backtest import (
    DATE_PATTERN,
    BacktestMetrics,
    BacktestRequest,
    BacktestResponse,
    BacktestTrade,
    ExitReason,
    ExportQuery,
    RiskLimitsBody,
    SizingBody,
    TradeRulesBody,
    read_date,
)
from opportunity.trading.costs import Costs
from opportunity.trading.records import REASONS
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord

ASKED = {"symbol": "BTCUSDT", "start_date": "2024-01-01", "end_date": "2024-02-01"}


def test_only_symbol_and_dates_must_be_given_and_defaults_are_those_of_the_contract():
    asked = BacktestRequest.model_validate(ASKED)
    assert (asked.initial_capital, asked.fee, asked.slippage) == (10_000, 0.0005, 0.001)
    assert (asked.start, asked.end) == (1_704_067_200_000, 1_706_745_600_000)
    assert (asked.fee, asked.slippage, asked.spread) == (Costs().fee, Costs().slippage, 0.0)
    for name in ASKED:
        with pytest.raises(ValidationError):
            BacktestRequest.model_validate({k: v for k, v in ASKED.items() if k != name})


def test_bodies_name_every_rule_and_limit():
    assert set(TradeRulesBody.model_fields) == {f.name for f in fields(TradeRecord)}
    assert set(RiskLimitsBody.model_fields) == {f.name for f in fields(RiskRecord)}
    assert set(SizingBody.model_fields) == {"kind", "amount", "whole_units"}


def test_answers_have_the_names_of_the_contract():
    assert {"equity_series", "metrics", "trades", "source", "capsule", "coverage",
            "warnings"} <= set(BacktestResponse.model_fields)  # fmt: skip
    assert {"sharpe", "sortino", "max_drawdown", "win_rate", "total_trades",
            "profit_factor"} <= set(BacktestMetrics.model_fields)  # fmt: skip
    assert {"entry_ts", "exit_ts", "profit", "side"} <= set(BacktestTrade.model_fields)


def test_names_of_lower_rooms_are_the_same_here():
    known = {f.name for f in fields(Metrics)}
    assert set(BacktestMetrics.model_fields) == known | {"total_trades"}
    assert get_args(ExitReason) == REASONS[1:]
    assert get_args(ExportQuery.model_fields["format"].annotation) == FORMATS
    assert get_args(ExportQuery.model_fields["table"].annotation) == TABLES


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-01-01", 1_704_067_200_000),
        ("2024-01-01T01:00", 1_704_070_800_000),
        ("2024-01-01T01:00:00Z", 1_704_070_800_000),
        ("2024-01-01T02:00:00+01:00", 1_704_070_800_000),
    ],
)
def test_dates_are_utc_unless_they_say_otherwise(text, time):
    assert read_date(text) == time


@pytest.mark.parametrize("text", ["", "yesterday", "1/2/2024", "2008-12-31", "2100-01-01"])
def test_other_dates_are_refused(text):
    with pytest.raises(ValueError, match="must"):
        read_date(text)


@given(
    st.dates(date(2005, 1, 1), date(2110, 1, 1)),
    st.sampled_from(("", "T12:00", " 23:59:59", "T00:00:00.5Z", "T01:02:03+05:30", "T24:00", "x")),
)
def test_documents_tell_of_dates_what_is_read(day, time):
    text = day.isoformat() + time
    told = re.fullmatch(DATE_PATTERN, text) is not None
    try:
        read_date(text)
    except ValueError:
        assert not told
    else:
        assert told


@pytest.mark.parametrize(
    "text", ["20240131", "2024-W05-1", "2024-01-31t10:00", "2023-02-29", "31.1."]
)
def test_other_spellings_of_dates_are_refused(text):
    assert not re.fullmatch(DATE_PATTERN, text)
    with pytest.raises(ValueError, match="must"):
        read_date(text)
