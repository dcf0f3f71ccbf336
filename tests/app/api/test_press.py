import json
from dataclasses import replace

import accounts
import numpy as np
import pytest
from pydantic import ValidationError

from app.api.press import N_ROWS, Press, turned
from opportunity.storage.events import StoredEvent


@pytest.fixture
def press(world):
    return Press(world.services, "e1")


def payload_of(frame: bytes) -> dict:
    return json.loads(frame[frame.index(b"{"):])


SIGNAL = {"type": "signal", "direction": "BULLISH", "confidence": 0.5, "score": 0.7,
          "risk_level": "LOW", "timeframes": {"5m": 0.7, "1h": 0.6}, "ts": 5,
          "source": "simulated"}  # fmt: skip


async def test_states_are_numbered_by_channel_from_the_start_on(world):
    for start in (0, 500):
        press = Press(world.services, "e1", start)
        seqs = [press.signal(s, SIGNAL).seq for s in ("BTC/USDT", "ETH/USDT", "BTC/USDT")]
        assert seqs == [start + 1, start + 2, start + 3]
        assert press.status().seq == start + 1
        assert (press.newest("signal"), press.newest("price")) == (start + 3, start)


async def test_broken_payload_takes_no_number(press):
    with pytest.raises(ValidationError):
        press.signal("BTC/USDT", {**SIGNAL, "secret": 1})
    assert press.signal("BTC/USDT", SIGNAL).seq == 1


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


FILL = StoredEvent(
    7, "paper:2:fill:1", 20, 10, "fill",
    {"book": "paper", "symbol": "BTC/USDT", "reason": "SL", "price": 9.5}, "trade", 4,
)  # fmt: skip


async def test_what_happened_travels_with_its_number_and_its_place_in_the_log(press):
    body = payload_of(press.event(FILL).frame())
    told = {n: body[n] for n in ("type", "seq", "event", "id", "symbol", "book", "time", "ts")}
    assert told == {
        "type": "trade", "seq": 4, "event": "fill", "id": 7, "symbol": "BTC/USDT",
        "book": "paper", "time": 10, "ts": 20,
    }
    assert body["source"] == "simulated"
    assert body["data"]["reason"] == "SL"
    about = {"book": "paper", "name": "drawdown"}
    breaker = StoredEvent(8, "k", 2, 1, "breaker", about, "alert", 1)
    body = payload_of(press.event(breaker).frame())
    assert (body["type"], body["event"], body["symbol"]) == ("alert", "breaker", None)


async def test_event_that_fits_no_channel_or_has_no_number_is_refused(press):
    for wrong in (replace(FILL, channel="alert"), replace(FILL, stream_seq=None)):
        with pytest.raises(ValueError, match="event"):
            press.event(wrong)


async def test_bare_message_keeps_the_number_of_what_broke_its_contract(press):
    broken = replace(FILL, body={"symbol": 5})
    body = payload_of(press.bare(broken).frame())
    assert (body["seq"], body["id"], body["data"], body["symbol"]) == (4, 7, {}, None)
    config = StoredEvent(3, "k", 2, 1, "limits", {"what": []}, "config", 9)
    assert payload_of(press.bare(config).frame())["seq"] == 9


async def test_events_all_travel_and_the_account_is_a_state(press):
    assert press.event(FILL).state_key is None
    message = press.portfolio(accounts.STATE)
    assert message.state_key == ("portfolio", "")
    body = payload_of(message.frame())
    assert body["portfolio"]["equity"] == accounts.STATE.equity
    assert (body["ts"], body["source"]) == (accounts.NOW, "simulated")


@pytest.mark.parametrize(
    ("kind", "said", "what"),
    [("weights", "weights", "weights"), ("agent", "agent", "agent"),
     ("agent", "universe simulated-7", "universe"), ("rules", "scan rules", "rules"),
     ("rules", "trade_rules", "trade_rules"), ("limits", "risk", "limits"),
     ("shadow", "added", "shadow")],
)  # fmt: skip
async def test_change_is_told_by_its_audit(press, kind, said, what):
    body = {"what": said, "by": "api", "before": {}, "after": {"a": 1}, "version": 3}
    stored = StoredEvent(7, "k", 20, 10, kind, body, "config", 2)
    told = turned(stored)
    assert (told["what"], told["by"], told["version"], told["ts"]) == (what, "api", 3, 20)
    assert told["value"] == {"a": 1} | ({"done": "added"} if kind == "shadow" else {})
    assert payload_of(press.event(stored).frame())["what"] == what
