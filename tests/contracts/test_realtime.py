import pytest
from pydantic import ValidationError

from opportunity.contracts import realtime
from opportunity.contracts.realtime import (
    ACTIONS,
    CHANNELS,
    COMMANDS,
    EVENT_CHANNELS,
    SYMBOL_CHANNELS,
    ErrorMessage,
    Pong,
    SignalMessage,
    StatusMessage,
    Subscribed,
    Unsubscribed,
)


def test_every_action_has_its_model():
    assert tuple(COMMANDS) == ACTIONS
    assert set(SYMBOL_CHANNELS) <= set(CHANNELS)
    assert set(EVENT_CHANNELS) <= set(CHANNELS) - set(SYMBOL_CHANNELS)


@pytest.mark.parametrize(
    ("model", "kind", "fields"),
    [
        (StatusMessage, "status", {"ws"}),
        (SignalMessage, "signal", {"symbol", "direction", "confidence", "score", "risk_level",
                                   "timeframes", "ts"}),
        (ErrorMessage, "error", {"message"}),
        (Pong, "pong", set()),
        (Subscribed, "subscription_confirmed", {"symbols"}),
        (Unsubscribed, "unsubscription_confirmed", {"symbols"}),
    ],
)  # fmt: skip
def test_asked_messages_have_their_type_and_fields(model, kind, fields):
    assert model.model_fields["type"].default == kind
    assert fields <= set(model.model_fields)


def test_messages_of_channels_are_numbered():
    for name in ("StatusMessage", "SignalMessage", "PriceMessage", "MarketScanMessage",
                 "ConfigMessage", "TradeMessage", "AlertMessage", "PortfolioMessage"):  # fmt: skip
        assert {"v", "epoch", "seq"} <= set(getattr(realtime, name).model_fields)


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("subscribe", {"symbols": "BTCUSDT"}),
        ("subscribe", {"symbols": [1]}),
        ("subscribe", {"min_confidence": 2}),
        ("subscribe", {"timeframes": []}),
        ("subscribe", {"token": "x"}),
        ("ping", {"id": 1.5}),
        ("resume", {"seq": -1}),
        ("resume", {"seqs": {"trade": "9"}}),
    ],
)
def test_broken_commands_are_refused(action, value):
    with pytest.raises(ValidationError):
        COMMANDS[action].model_validate({"action": action, **value})
