"""Channels and rules as the page gets them."""

from dataclasses import fields

from drawn import drawn

from app.alerts.rules import AlertRules
from app.components.alert_channels import (
    NUMBERS,
    SWITCHES,
    AlertChannels,
    alerts_state,
    channel,
)
from app.components.island import dumps
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


def test_what_was_applied_stays_in_the_form_until_it_is_drawn_anew() -> None:
    state = dumps(alerts_state(AlertRules(min_score=0.8), 3, [], [], 9))
    later = dumps(alerts_state(AlertRules(min_score=0.9), 4, [], [], 9))
    rules = AlertRules(min_score=0.9).as_dict()
    seen = drawn(AlertChannels, """
        const label = root.querySelectorAll("label")
          .find((one) => one.textContent.includes("least score"));
        const field = label.querySelector("input"), seen = [];
        type(field, "0.9");
        root.querySelector("form").dispatchEvent(new Happening("submit"));
        await rest();
        seen.push(model.said.at(-1).values, model.said.at(-1).version);
        model.answer({ version: 4, rules: model.rules });
        await rest();
        seen.push(field.value);
        model.set({ state: model.later });
        return [...seen, field.value];""", state=state, later=later, rules=rules)
    assert seen == [{"min_score": 0.9}, 3, "0.9", "0.9"]
