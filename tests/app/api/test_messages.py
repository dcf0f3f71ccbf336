import json

import accounts
import numpy as np
import pytest
from pydantic import ValidationError

from app.api.messages import N_ROWS, Press, encode
from opportunity.contracts.realtime import Pong
from opportunity.storage.events import StoredEvent


@pytest.fixture
def press(world):
    return Press(world.services)


def payload_of(frame: bytes) -> dict:
    return json.loads(frame[frame.index(b"{"):])


SIGNAL = {"type": "signal", "direction": "BULLISH", "confidence": 0.5, "score": 0.7,
          "risk_level": "LOW", "timeframes": {"5m": 0.7, "1h": 0.6}, "ts": 5,
          "source": "simulated"}  # fmt: skip


def test_encode_leaves_out_what_is_none_only_when_told():
    assert payload_of(encode(Pong(ts=1), exclude_none=True)) == {"type": "pong", "ts": 1}
    assert payload_of(encode(Pong(ts=1)))["id"] is None


async def test_numbers_count_per_channel(press):
    seqs = [press.signal(s, SIGNAL).seq for s in ("BTC/USDT", "ETH/USDT", "BTC/USDT")]
    assert seqs == [1, 2, 3]
    assert press.status().seq == 1
    assert (press.newest("signal"), press.newest("price")) == (3, 0)


async def test_broken_payload_takes_no_number(press):
    with pytest.raises(ValidationError):
        press.signal("BTC/USDT", {**SIGNAL, "secret": 1})
    assert press.signal("BTC/USDT", SIGNAL).seq == 1


async def test_frame_is_built_once_per_selection_of_timeframes(press):
    message = press.signal("BTC/USDT", SIGNAL)
    assert message.frame() is message.frame()
    assert message.frame(("1h",)) is message.frame(("1h",))
    assert payload_of(message.frame(("1h",)))["timeframes"] == {"1h": 0.6}
    assert payload_of(message.frame())["timeframes"] == {"5m": 0.7, "1h": 0.6}


async def test_undefined_numbers_are_null(press):
    message = press.price("DOGE/USDT", (1, np.nan, 2.0, 1.0, np.inf, 0.0))
    body = payload_of(message.frame())
    assert (body["open"], body["price"], body["volume_24h"]) == (None, None, None)
    assert body["high"] == 2.0
    unknown = press.price("NEW/USDT", (1, 1.0, 1.0, 1.0, 1.0, 0.0))
    assert payload_of(unknown.frame())["change_24h"] is None


async def test_market_scan_holds_the_best_rows(press, world):
    body = payload_of(press.market_scan(world.services.evaluation()).frame())
    assert len(body["results"]) <= N_ROWS
    assert body["results"][0]["rank"] == 1
    assert body["source"] == "simulated"


async def test_only_events_have_no_state_key(press):
    event = {"what": "agent", "value": {}, "version": None, "by": "api", "ts": 1}
    assert press.config(event).state_key is None
    assert press.signal("BTC/USDT", SIGNAL).state_key == ("signal", "BTC/USDT")


FILL = StoredEvent(7, "paper:2:fill:1", 20, 10, "fill", {"book": "paper", "symbol": "BTC/USDT",
                                                       "reason": "SL", "price": 9.5})


async def test_what_happened_travels_with_its_place_in_the_log(press):
    body = payload_of(press.event("trade", FILL).frame())
    told = {n: body[n] for n in ("type", "event", "id", "symbol", "book", "time", "ts", "source")}
    assert told == {
        "type": "trade", "event": "fill", "id": 7, "symbol": "BTC/USDT", "book": "paper",
        "time": 10, "ts": 20, "source": "simulated",
    }
    assert body["data"]["reason"] == "SL"
    breaker = StoredEvent(8, "k", 2, 1, "breaker", {"book": "paper", "name": "drawdown"})
    body = payload_of(press.event("alert", breaker).frame())
    assert (body["type"], body["event"], body["symbol"]) == ("alert", "breaker", None)


async def test_events_of_another_kind_do_not_fit_a_channel(press):
    with pytest.raises(ValidationError):
        press.event("alert", FILL)
    assert press.newest("alert") == 0


async def test_events_all_travel_and_the_account_is_a_state(press):
    assert press.event("trade", FILL).state_key is None
    message = press.portfolio(accounts.STATE)
    assert message.state_key == ("portfolio", "")
    body = payload_of(message.frame())
    assert body["portfolio"]["equity"] == accounts.STATE.equity
    assert (body["ts"], body["source"]) == (accounts.NOW, "simulated")
