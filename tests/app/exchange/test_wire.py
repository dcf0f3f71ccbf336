import math

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import wire
from app.exchange.view import Day, Row


@given(st.floats(1e-12, 1e15))
def test_text_reads_back_to_the_same_float(value: float) -> None:
    told = wire.text(value)
    assert float(told) == value
    assert "e" not in told


def test_kline_row_and_frame_say_the_same() -> None:
    row = Row(60_000, 119_999, (1.5e-5, 2e-5, 1e-5, 1.7e-5, 3e9))
    told = orjson.loads(wire.klines([row]))[0]
    event = orjson.loads(wire.kline_frame("XUSDT", "1m", row, True, 5))["k"]
    assert len(told) == 12
    assert told[1:6] == [event[name] for name in "ohlcv"]
    assert tuple(map(float, told[1:6])) == row.values
    assert (event["t"], event["T"], event["x"], event["i"]) == (60_000, 119_999, True, "1m")


def test_tokens_stand_in_place_of_numbers() -> None:
    row = Row(0, 1, (1.0,) * 5, ('"1"', "null", '"NaN"', '"-1"', '"x"'))
    assert orjson.loads(wire.klines([row]))[0][1:6] == ["1", None, "NaN", "-1", "x"]


def test_steps_are_plain_decimals() -> None:
    filters = wire.market("SHIB/USDT", (1e-9, 2.0**15), True, {})["filters"]
    assert (filters[0]["tickSize"], filters[1]["stepSize"]) == ("0.000000001", "32768")
    assert wire.market("BTC/USDT", (0.01, 2.0**-16), False, {})["status"] == "BREAK"


def test_ticker_of_a_symbol_that_has_not_traded() -> None:
    empty = Day(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    told = wire.ticker("XUSDT", empty, None, 5)
    assert (told["lastPrice"], told["priceChangePercent"]) == ("0.0", "0.000")


def test_error_and_frame_without_kline() -> None:
    assert orjson.loads(wire.error(-1121, "Invalid symbol.")) == {
        "code": -1121, "msg": "Invalid symbol."
    }  # fmt: skip
    row = Row(0, 1, (1.0,) * 5)
    assert "k" not in orjson.loads(wire.without_kline(wire.kline_frame("X", "1m", row, True, 1)))


def test_text_of_numpy_and_whole_numbers() -> None:
    assert wire.text(float(np.float64(0.1) + 0.2)) == "0.30000000000000004"
    assert wire.text(1e22) == "10000000000000000000000.0"
    assert math.isnan(float(wire.text(math.nan)))
