"""The stream's document: every message that may travel is in it, as it travels."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from app.openapi.asyncapi import ADDRESS, asyncapi, asyncapi_bytes, told_models
from opportunity.contracts import realtime


@pytest.fixture(scope="module")
def made():
    return asyncapi()


def schema_of(made, message):
    payload = made["components"]["messages"][message]["payload"]
    return Draft202012Validator(payload | {"components": made["components"]})


def test_it_is_asyncapi_with_one_channel_and_both_ways(made):
    assert made["asyncapi"] == "3.0.0"
    assert made["channels"]["realtime"]["address"] == ADDRESS
    assert {one["action"] for one in made["operations"].values()} == {"send", "receive"}
    assert json.loads(asyncapi_bytes()) == made


def test_what_is_pointed_at_is_there(made):
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(made))):
        place = made
        for part in ref.split("/"):
            place = place[part]


def test_every_message_is_in_the_channel_and_in_one_operation(made):
    listed = made["channels"]["realtime"]["messages"]
    assert set(listed) == set(made["components"]["messages"])
    used = [m["$ref"].rpartition("/")[2] for o in made["operations"].values()
            for m in o["messages"]]  # fmt: skip
    assert sorted(used) == sorted(listed)


def test_clients_may_say_the_actions_and_nothing_else(made):
    assert {key for key in made["components"]["messages"] if key.startswith("say")} == {
        "saySubscribe", "sayUnsubscribe", "sayPing", "sayGetStatus", "sayResume"
    }
    asked = schema_of(made, "saySubscribe")
    asked.validate({"action": "subscribe", "symbols": ["BTCUSDT"], "id": 7})
    for wrong in ({"action": "ping"}, {"symbols": []}, {"action": "subscribe", "surprise": 1}):
        assert not asked.is_valid(wrong)


def test_every_channel_has_its_message(made):
    names = {model.__name__ for model in told_models().values()}
    assert {"StatusMessage", "SignalMessage", "PriceMessage", "TradeMessage", "AlertMessage",
            "ConfigMessage", "Subscribed", "Pong", "Resumed", "ErrorMessage", "ClosingMessage"
            } <= names  # fmt: skip
    kinds = {model.model_fields["type"].default for model in told_models().values()}
    assert set(realtime.CHANNELS) - {"config"} <= kinds


def test_a_message_fits_what_is_told_of_it(made):
    pong = realtime.Pong(ts=1, client_ts=2.5, id="a")
    schema_of(made, "tellPong").validate(json.loads(pong.model_dump_json()))
    signal = realtime.SignalMessage(
        epoch="e", seq=1, symbol="BTC/USDT", id="BTCUSDT", direction="BULLISH", confidence=0.5,
        score=float("nan"), risk_level="LOW", ts=1, source="simulated",
    )  # fmt: skip
    schema_of(made, "tellSignalMessage").validate(json.loads(signal.model_dump_json()))
