"""What lines ask for, and how they read what comes."""

import math
from typing import Any

import pytest

from opportunity.feeds.exchange.lines.prints import Prints
from opportunity.feeds.exchange.lines.subjects import UNREAD, BarSubject, PrintSubject
from opportunity.feeds.exchange.records import Frame
from tests.feeds.exchange.wires import START, Heard, PuppetVenue

SYMBOLS = ("A/USDT", "B/USDT", "C/USDT")


def bars(name: str = "binance", rows: tuple[int, ...] = (1, 2)) -> tuple[BarSubject, Heard, Any]:
    venue, heard = PuppetVenue(SYMBOLS, name), Heard()
    stream = venue.stream()
    subject = BarSubject(venue, SYMBOLS, rows, "1m", heard)
    subject.begin(stream)
    return subject, heard, stream


def kline(market: str, **over: Any) -> dict[str, Any]:
    k = {"t": START, "s": market, "i": "1m", "o": "2", "h": "3", "l": "1", "c": "2", "v": "5",
         "x": True}  # fmt: skip
    return {"e": "kline", "s": market, "k": {**k, **over}}


async def test_a_message_becomes_a_frame_of_its_row_at_the_time_of_the_venue() -> None:
    subject, heard, _ = bars()
    assert subject.hear(kline("CUSDT")) == 1
    assert heard.frames == [Frame(2, START, (2.0, 3.0, 1.0, 2.0, 5.0), True, START)]


async def test_a_market_of_another_line_is_passed_over_and_no_sign_of_life() -> None:
    subject, heard, _ = bars()
    assert subject.hear(kline("AUSDT")) == 0
    assert subject.hear(kline("NOUSDT")) == 0
    assert heard.frames == []


@pytest.mark.parametrize("message", [[], "pong", None, 7, {"id": 1, "result": None}], ids=str)
async def test_what_is_no_bar_is_left_to_ccxt(message: object) -> None:
    assert bars()[0].hear(message) == UNREAD


@pytest.mark.parametrize("over", [
    {"o": None}, {"h": "0.5"}, {"v": "-1"}, {"l": "0"}, {"c": "nan"}, {"t": START + 1}, {"t": None},
    {"c": "9"},
], ids=str)  # fmt: skip
async def test_the_payload_of_an_odd_bar_goes_along(over: dict[str, Any]) -> None:
    subject, heard, _ = bars()
    assert subject.hear(kline("BUSDT", **over)) == 1
    assert "BUSDT" in heard.frames[0].raw
    long = kline("BUSDT", o=None, extra="x" * 2000)
    subject.hear(long)
    assert len(heard.frames[1].raw) == 500


async def test_a_bar_without_volume_is_not_odd() -> None:
    subject, heard, _ = bars()
    subject.hear(kline("BUSDT", v="0", o="1", h="1", l="1", c="1"))
    assert heard.frames[0].raw == ""


async def test_rows_of_ccxt_are_copied_at_once() -> None:
    subject, heard, stream = bars("kraken")
    row = [START, 2.0, 3.0, 1.0, 2.0, 5.0]
    assert subject.take(stream, ["B/USDT"], [row]) == 1
    row[4] = 99.0
    assert heard.frames == [Frame(1, START, (2.0, 3.0, 1.0, 2.0, 5.0), None, START)]
    subject.take(stream, ["B/USDT"], [[START, None, 3.0, 1.0, 2.0, 5.0]])
    assert math.isnan(heard.frames[1].values[0])
    assert heard.frames[1].raw


async def test_of_the_past_that_a_venue_begins_with_the_newest_rows_are_read() -> None:
    subject, heard, stream = bars("kraken")
    rows = [[START + i * 60_000, 2.0, 3.0, 1.0, 2.0, 5.0] for i in range(720)]
    subject.take(stream, ["B/USDT"], rows)
    assert [f.time for f in heard.frames] == [START + i * 60_000 for i in (718, 719)]


async def test_with_a_tap_what_ccxt_parsed_is_not_read_a_second_time() -> None:
    subject, heard, stream = bars()
    assert subject.take(stream, ["B/USDT"], {"B/USDT": {"1m": [[START, 2, 3, 1, 2, 5]]}}) == 0
    assert heard.frames == []
    assert subject.batch == 200
    assert bars("bybit")[0].batch == 10
    assert bars("kraken")[0].batch == 1


async def test_the_venues_own_name_of_the_timeframe_is_used() -> None:
    subject, heard, stream = bars("bybit")
    stream.timeframes = {"1m": "1"}
    subject.begin(stream)
    bar = {"start": START, "open": "2", "high": "3", "low": "1", "close": "2", "volume": "5",
           "confirm": False}  # fmt: skip
    assert subject.hear({"topic": "kline.1.BUSDT", "data": [bar]}) == 1
    assert subject.hear({"topic": "kline.5.BUSDT", "data": [bar]}) == 0
    assert [f.closed for f in heard.frames] == [False]


async def test_prints_are_read_by_tap_or_as_ccxt_parsed_them() -> None:
    venue, heard = PuppetVenue(SYMBOLS), Heard()
    prints = Prints(SYMBOLS, "testing", venue.clock.now, heard)
    tapped = PrintSubject(venue, SYMBOLS, (0, 1), prints)
    message = {"e": "aggTrade", "s": "BUSDT", "a": 5, "p": "2", "q": "3", "T": START, "m": False}
    assert tapped.hear(message) == 1
    assert tapped.hear({**message, "s": "CUSDT"}) == 0
    assert tapped.hear({"id": 1, "result": None}) == UNREAD
    parsed = PrintSubject(PuppetVenue(SYMBOLS, "kraken"), SYMBOLS, (0, 1), prints)
    assert parsed.hear(message) == UNREAD
    trade = {"id": "6", "timestamp": START, "price": 2.0, "amount": 1.0, "side": "sell"}
    assert parsed.take(venue.stream(), ["B/USDT"], [trade]) == 1
    prints.flush()
    assert [(b.symbol, b.amount.tolist(), b.side.tolist()) for b in heard.blocks] == [
        ("B/USDT", [3.0, 1.0], [1, -1])
    ]
