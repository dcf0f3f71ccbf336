import json

import orjson

from app.api.messages import Message, encode
from opportunity.contracts.realtime import Pong


def payload_of(frame: bytes) -> dict:
    return json.loads(frame[frame.index(b"{"):])


SIGNAL = {"type": "signal", "confidence": 0.5, "timeframes": {"5m": 0.7, "1h": 0.6}}


def test_encode_leaves_out_what_is_none_only_when_told():
    assert payload_of(encode(Pong(ts=1), exclude_none=True)) == {"type": "pong", "ts": 1}
    assert payload_of(encode(Pong(ts=1)))["id"] is None


def test_message_is_made_of_bytes_and_says_what_they_say():
    data = orjson.dumps(SIGNAL)
    message = Message("signal", "BTC/USDT", 3, "e", data)
    assert payload_of(message.frame()) == SIGNAL
    assert message.frame().endswith(data)
    assert message.fields == SIGNAL
    assert (message.seq, message.epoch, message.key) == (3, "e", "BTC/USDT")


def test_frame_is_built_once_per_selection_of_timeframes():
    message = Message("signal", "BTC/USDT", 1, "e", orjson.dumps(SIGNAL))
    assert message.frame() is message.frame()
    assert message.frame(("1h",)) is message.frame(("1h",))
    assert payload_of(message.frame(("1h",)))["timeframes"] == {"1h": 0.6}
    assert payload_of(message.frame())["timeframes"] == {"5m": 0.7, "1h": 0.6}


def test_what_has_no_timeframes_is_sent_as_it_is():
    for data in (b'{"timeframes":null}', b'{"price":1}'):
        message = Message("signal", "BTC/USDT", 1, "e", data)
        assert message.frame(("1h",)) == message.frame()


def test_only_events_have_no_state_key():
    assert Message("config", "", 1, "e", b"{}").state_key is None
    assert Message("trade", "", 1, "e", b"{}").state_key is None
    assert Message("portfolio", "", 1, "e", b"{}").state_key == ("portfolio", "")
