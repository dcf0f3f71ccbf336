from dataclasses import fields
from typing import get_args

import pytest
from pydantic import ValidationError

from opportunity.config import Settings
from opportunity.contracts.agent import (
    INTERVAL_MS,
    AgentStatus,
    ConfigBody,
    FeedLine,
    FeedState,
    Rules,
    RulesBody,
    SubscribeBody,
    ToggleBody,
    ToggleQuery,
)
from opportunity.feeds.status import FeedStatus, LineState
from opportunity.strategy import ScanRules


def test_status_has_the_contract_fields():
    wanted = {"enabled", "scan_interval_ms", "subscribed_symbols"}
    added = {"running", "last_scan_at", "last_scan_ms", "next_scan_at", "last_error"}
    assert set(AgentStatus.model_fields) >= wanted | added


def test_interval_bounds_are_those_of_the_settings():
    rules = {type(m).__name__: m for m in Settings.model_fields["scan_interval_ms"].metadata}
    assert (rules["Ge"].ge, rules["Le"].le) == INTERVAL_MS


def test_rules_are_those_of_the_strategy():
    values = ScanRules().as_dict()
    assert set(Rules.model_fields) == set(RulesBody.model_fields) == set(values)
    assert Rules(**values).type == "majority"


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (ToggleBody, {"enabled": "true"}),
        (ToggleQuery, {"enabled": "perhaps"}),
        (SubscribeBody, {}),
        (SubscribeBody, {"symbols": ["B"]}),
        (SubscribeBody, {"symbols": ["BTCUSDT"] * 2_001}),
        (ConfigBody, {"scan_interval_ms": 1.5}),
        (ConfigBody, {"symbols": ["BTCUSDT"]}),
        (RulesBody, {"threshold": 1.1}),
        (RulesBody, {"min_volume_usd": -1}),
        (RulesBody, {"direction": "NEUTRAL"}),
    ],
)
def test_broken_requests_are_refused(model, value):
    with pytest.raises(ValidationError):
        model.model_validate(value)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, {}),
        ({"threshold": None, "max_risk": "LOW"}, {"max_risk": "LOW"}),
        ({"direction": "BEARISH"}, {"direction": "BEARISH"}),
        ({"direction": None}, {"direction": None}),
    ],
)
def test_null_gives_nothing_but_a_direction_of_both_sides(asked, given):
    assert RulesBody.model_validate(asked).given() == given


def test_line_to_the_market_is_that_of_the_feed():
    assert set(get_args(FeedState)) == set(get_args(LineState))
    assert set(FeedLine.model_fields) == {f.name for f in fields(FeedStatus)}
