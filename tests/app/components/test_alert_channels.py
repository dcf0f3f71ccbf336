"""Channels and rules as the page gets them."""

from dataclasses import fields

from app.alerts.rules import AlertRules
from app.components.alert_channels import NUMBERS, SWITCHES, alerts_state, channel
from opportunity.storage.outbox_rows import ChannelTally, Row

ROW = Row(1, "k", "desk", "test", "Test", "body", "sent", 1, 5, 5, 6, "")


def test_every_rule_has_its_field() -> None:
    known = {field.name for field in fields(AlertRules)}
    assert known == {*SWITCHES, *NUMBERS, "direction", "drawdown_steps_pct", "routes"}


def test_channels_rules_and_messages() -> None:
    state = alerts_state(AlertRules(min_score=0.8), 3, [("desk", "JSON", ChannelTally())], [ROW], 9)
    assert (state["version"], state["rules"]["min_score"]) == (3, 0.8)
    assert state["messages"] == [
        {"title": "Test", "channel": "desk", "status": "sent", "at": 5, "error": ""}]
    assert state["channels"][0]["state"] == "ready"


def test_a_channel_that_fails_is_told_from_one_that_waits() -> None:
    assert channel("a", "JSON", ChannelTally(2, 1, None, ""))["state"] == "waiting"
    assert channel("a", "JSON", ChannelTally(2, 1, 4, "status 500"))["state"] == "failing"
    assert channel("a", "JSON", ChannelTally(0, 1, 4, "status 500"))["state"] == "ready"
