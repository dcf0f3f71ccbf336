"""Taps against messages as the venues document them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.lines.taps import TAPS, BarSaid, PrintSaid, moment, number

KLINE: dict[str, Any] = {
    "e": "kline", "E": 1672515782136, "s": "BNBBTC",
    "k": {
        "t": 1672515780000, "T": 1672515839999, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200,
        "o": "0.0010", "c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100,
        "x": False, "q": "1.0000", "V": "500", "Q": "0.500", "B": "123456",
    },
}  # fmt: skip
AGG_TRADE = {
    "e": "aggTrade", "E": 1672515782136, "s": "BNBBTC", "a": 12345, "p": "0.001", "q": "100",
    "f": 100, "l": 105, "T": 1672515782136, "m": True, "M": True,
}  # fmt: skip
BYBIT_KLINE: dict[str, Any] = {
    "topic": "kline.5.BTCUSDT",
    "data": [{
        "start": 1672324800000, "end": 1672325099999, "interval": "5", "open": "16649.5",
        "close": "16677", "high": "16677", "low": "16608", "volume": "2.081",
        "turnover": "34666.4005", "confirm": True, "timestamp": 1672324988882,
    }],
    "ts": 1672324988882, "type": "snapshot",
}  # fmt: skip
BYBIT_TRADES = {
    "topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1672304486868,
    "data": [{
        "T": 1672304486865, "s": "BTCUSDT", "S": "Buy", "v": "0.001", "p": "16578.50",
        "L": "PlusTick", "i": "20f43950-d8dd-5b31-9112-a178eb6023af", "BT": False,
    }],
}  # fmt: skip
OKX_CANDLE: dict[str, Any] = {
    "arg": {"channel": "candle1m", "instId": "BTC-USDT"},
    "data": [[
        "1597026360000", "8533.02", "8553.74", "8527.17", "8548.26", "45247", "529.5858061",
        "5529.5858061", "0",
    ]],
}  # fmt: skip
OKX_TRADES = {
    "arg": {"channel": "trades", "instId": "BTC-USDT"},
    "data": [{
        "instId": "BTC-USDT", "tradeId": "130639474", "px": "42219.9", "sz": "0.12060306",
        "side": "sell", "ts": "1630048897897", "count": "3",
    }],
}  # fmt: skip


def test_binance_bar_is_read_with_its_flag() -> None:
    bar = BarSaid("BNBBTC", 1672515780000, (0.0010, 0.0025, 0.0015, 0.0020, 1000.0), False)
    assert TAPS["binance"].bars(KLINE, "1m") == [bar]
    closing = {**KLINE, "k": {**KLINE["k"], "x": True}}
    assert TAPS["binance"].bars(closing, "1m") == [bar._replace(closed=True)]


@pytest.mark.parametrize("said", [None, 1, "true", 0])
def test_binance_bar_with_a_flag_that_is_none_says_nothing(said: object) -> None:
    found = TAPS["binance"].bars({**KLINE, "k": {**KLINE["k"], "x": said}}, "1m")
    assert found is not None
    assert found[0].closed is None


def test_binance_bar_of_another_timeframe_is_left_out() -> None:
    assert TAPS["binance"].bars(KLINE, "5m") == []
    assert TAPS["binance"].bars({"e": "kline", "s": "BNBBTC"}, "1m") == []


def test_binance_print_of_a_buyer_who_was_the_maker_is_a_sale() -> None:
    sold = PrintSaid("BNBBTC", "12345", 1672515782136, 0.001, 100.0, -1)
    assert TAPS["binance"].prints(AGG_TRADE) == [sold]
    assert TAPS["binance"].prints({**AGG_TRADE, "m": False}) == [sold._replace(side=1)]
    single = {**AGG_TRADE, "e": "trade", "t": 77}
    assert TAPS["binance"].prints(single) == [sold._replace(id="77")]


def test_bybit_bar_is_read_with_its_flag() -> None:
    bar = BarSaid("BTCUSDT", 1672324800000, (16649.5, 16677.0, 16608.0, 16677.0, 2.081), True)
    assert TAPS["bybit"].bars(BYBIT_KLINE, "5") == [bar]
    forming = {**BYBIT_KLINE, "data": [{**BYBIT_KLINE["data"][0], "confirm": False}]}
    assert TAPS["bybit"].bars(forming, "5") == [bar._replace(closed=False)]
    assert TAPS["bybit"].bars(BYBIT_KLINE, "1") == []


def test_bybit_print_is_read() -> None:
    name = "20f43950-d8dd-5b31-9112-a178eb6023af"
    bought = PrintSaid("BTCUSDT", name, 1672304486865, 16578.5, 0.001, 1)
    assert TAPS["bybit"].prints(BYBIT_TRADES) == [bought]


def test_okx_bar_is_read_with_its_flag() -> None:
    bar = BarSaid("BTC-USDT", 1597026360000, (8533.02, 8553.74, 8527.17, 8548.26, 45247.0), False)
    assert TAPS["okx"].bars(OKX_CANDLE, "1m") == [bar]
    row = OKX_CANDLE["data"][0]
    closing = {**OKX_CANDLE, "data": [[*row[:-1], "1"]]}
    assert TAPS["okx"].bars(closing, "1m") == [bar._replace(closed=True)]
    assert TAPS["okx"].bars(OKX_CANDLE, "1H") == []


def test_okx_row_without_the_flag_does_not_take_another_field_for_it() -> None:
    short = {**OKX_CANDLE, "data": [["1597026360000", "2", "3", "1", "2", "0", "1"]]}
    found = TAPS["okx"].bars(short, "1m")
    assert found is not None
    assert [bar.closed for bar in found] == [None]


def test_okx_print_is_read() -> None:
    sold = PrintSaid("BTC-USDT", "130639474", 1630048897897, 42219.9, 0.12060306, -1)
    assert TAPS["okx"].prints(OKX_TRADES) == [sold]


@pytest.mark.parametrize("venue", sorted(TAPS))
@pytest.mark.parametrize("message", [
    {"result": None, "id": 1}, {"error": {"code": 2, "msg": "no"}, "id": 1}, {},
    {"event": "subscribe", "arg": {"channel": "candle1m", "instId": "BTC-USDT"}},
    {"event": "subscribe", "arg": {"channel": "trades", "instId": "BTC-USDT"}},
    {"op": "subscribe", "success": True},
], ids=str)  # fmt: skip
def test_acknowledgements_are_left_to_ccxt(venue: str, message: dict[str, Any]) -> None:
    assert TAPS[venue].bars(message, "1m") is None
    assert TAPS[venue].prints(message) is None
    assert not TAPS[venue].leaving(message)


def test_a_goodbye_is_understood() -> None:
    assert TAPS["binance"].leaving({"e": "serverShutdown", "E": 1})
    assert TAPS["okx"].leaving({"event": "notice", "code": "64008", "msg": "soon", "connId": "a"})
    assert not TAPS["bybit"].leaving({"topic": "kline.1.BTCUSDT"})


def test_every_venue_that_is_said_to_tell_has_a_tap() -> None:
    assert {"binance", "binanceus", "bybit", "okx"} <= set(TAPS)


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(TAPS)), JUNK, JUNK, st.sampled_from([KLINE, BYBIT_KLINE, OKX_CANDLE]))
def test_whatever_stands_in_a_message_is_read_or_left_out(
    venue: str, inner: Any, data: Any, whole: dict[str, Any]
) -> None:
    tap = TAPS[venue]
    for message in (
        {**whole, "k": inner, "data": data},
        {**whole, "k": {**KLINE["k"], "o": inner, "t": data}, "data": [inner, data]},
        {**whole, "data": [{"start": data, "open": inner}, [data, inner, 1, 2, 3, 4, 5, 6, "1"]]},
    ):
        for said in tap.bars(message, "1m") or ():
            assert isinstance(said.time, int)
            assert all(isinstance(value, float) for value in said.values)
            assert said.closed in (True, False, None)
        tap.prints({**message, "topic": "publicTrade.A", "e": "trade"})


@pytest.mark.parametrize(("said", "read"), [
    ("1.5", 1.5), (2, 2.0), ("1e-8", 1e-8), (None, math.nan), ("", math.nan), ("null", math.nan),
    (True, math.nan), ([], math.nan), ({}, math.nan), ("inf", math.inf), (10**400, math.nan),
])  # fmt: skip
def test_number_reads_numbers_alone(said: object, read: float) -> None:
    assert number(said) == pytest.approx(read, nan_ok=True)


@pytest.mark.parametrize(("said", "read"), [
    (1672515780000, 1672515780000), ("1672515780000", 1672515780000), (None, 0), ("x", 0),
    (math.nan, 0), (math.inf, 0), (10**30, 0), (-(10**30), 0), (True, 0), ({}, 0),
])  # fmt: skip
def test_moment_fits_into_arrays(said: object, read: int) -> None:
    assert moment(said) == read
