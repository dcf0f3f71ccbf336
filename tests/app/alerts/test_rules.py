import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from app.alerts.rules import KINDS, AlertRules
from opportunity.contracts.alerts import AlertKind, NotificationChange, NotificationSettings

DOCS = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()


def test_the_page_names_every_rule_and_kind():
    rows = re.findall(r"^\| (`.+?) \|", DOCS, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {f.name for f in fields(AlertRules)}
    (kinds,) = re.findall(r"Kinds for `routes`: ([^.]+)\.", DOCS)
    assert tuple(re.findall(r"`(\w+)`", kinds)) == KINDS


def test_defaults_are_those_that_were_asked_for():
    rules = AlertRules()
    assert rules.min_confidence_threshold == 0.7
    assert rules.return_pct == 5
    assert rules.unrealised_loss == 1_000
    assert not rules.trade_alerts
    assert not rules.fill_alerts
    assert rules.heartbeat_hours == 0


def test_plain_values_there_and_back():
    rules = AlertRules(drawdown_steps_pct=(1.0, 2.5), routes={"breaker": ("phone",)})
    assert AlertRules.of(rules.as_dict()) == rules
    assert rules.as_dict()["routes"] == {"breaker": ["phone"]}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"signal_alerts": 1}, "signal_alerts must be true or false, was 1"),
        ({"min_score": 0.4}, "min_score must be 0.5 to 1"),
        ({"min_score": float("nan")}, "min_score must be"),
        ({"summary_hour": 24}, "summary_hour must be 0 to 23, was 24"),
        ({"summary_hour": 1.5}, "summary_hour must be a whole number"),
        ({"return_pct": "5"}, "return_pct must be a number"),
        ({"direction": "BULISH"}, "Did you mean 'BULLISH'"),
        ({"drawdown_steps_pct": [5, 3]}, "rising"),
        ({"drawdown_steps_pct": [0]}, "drawdown_steps_pct must be 0.1 to 100"),
        ({"routes": {"braker": ["x"]}}, "Did you mean 'breaker'"),
        ({"signal_alert": True}, "Did you mean 'signal_alerts'"),
    ],
)
def test_what_breaks_a_rule_is_named(values, text):
    with pytest.raises((ValueError, TypeError), match=text):
        AlertRules.of(values)


def test_kinds_go_where_they_are_routed():
    rules = AlertRules(routes={"breaker": ("phone", "gone"), "signal": ()})
    there = ("ops", "phone")
    assert rules.channels("breaker", there) == ("phone",)
    assert rules.channels("signal", there) == ()
    assert rules.channels("trade", there) == there


def test_the_wire_knows_the_same_rules_and_kinds():
    names = {f.name for f in fields(AlertRules)}
    assert set(NotificationSettings.model_fields) == names | {"version"}
    assert set(NotificationChange.model_fields) == names | {"why"}
    assert get_args(AlertKind) == KINDS
