import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.feeds.exchange.venue.answers import (
    MOST_ROWS,
    as_book,
    as_rows,
    as_tickers,
    as_trades,
    listed,
    number,
    whole,
)
from opportunity.feeds.exchange.venue.failures import VenueError

NOW = 1_760_000_000_000
JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.just(10**400), st.just("1e999"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=8), st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "expected"),
    [("1.5", 1.5), (2, 2.0), (None, math.nan), (True, math.nan), ("x", math.nan), ([], math.nan),
     (10**400, math.nan), ("inf", math.inf)],
)  # fmt: skip
def test_numbers(told, expected):
    assert number(told) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("told", "expected"), [("7", 7), (7.9, 7), (None, 0), (math.inf, 0), (1e300, 0), ("x", 0)]
)
def test_whole_numbers(told, expected):
    assert whole(told) == expected


def test_bars_keep_order_and_nonsense_is_nan():
    rows = as_rows([[2, 1, 2, 0.5, 1.5, None], [1, "1", 2, 3, 4, 5, 6], None, [5]], NOW)
    assert rows.times.tolist() == [2, 1, 0, 5]
    np.testing.assert_array_equal(rows.values[0], [1, 2, 0.5, 1.5, np.nan])
    np.testing.assert_array_equal(rows.values[1], [1, 2, 3, 4, 5])
    assert np.isnan(rows.values[2:]).all()
    assert as_rows([], NOW).values.shape == (0, 5)


@given(JUNK)
def test_whatever_is_told_becomes_rows_or_an_error(junk):
    for read in (lambda: as_rows(junk, NOW), lambda: as_trades(junk, "BTC/USDT", "x"),
                 lambda: as_book(junk, ("x", "BTC/USDT", NOW), 5),
                 lambda: as_book({"bids": junk, "asks": junk}, ("x", "BTC/USDT", NOW), 5),
                 lambda: as_tickers(junk, ["BTC/USDT"]),
                 lambda: as_tickers({"BTC/USDT": junk}, ["BTC/USDT"])):  # fmt: skip
        try:
            read()
        except VenueError as error:
            kind = error.kind
        else:
            kind = "garbled"
        assert kind == "garbled"


def test_too_many_rows_are_garbled():
    with pytest.raises(VenueError, match="must be <= 20000 rows"):
        listed([0] * (MOST_ROWS + 1), "bars")


def test_prints_without_sense_are_left_out():
    good = {"timestamp": 5, "price": 2.0, "amount": 1.0, "side": "sell"}
    told = [good, good | {"timestamp": 3, "side": "buy"}, good | {"side": None}, 7,
            good | {"price": 0}, good | {"amount": -1}, good | {"price": "nan"},
            good | {"timestamp": None}]  # fmt: skip
    trades = as_trades(told, "BTC/USDT", "binance")
    assert trades.time.tolist() == [3, 5]
    assert trades.side.tolist() == [1, -1]
    assert len(as_trades([], "BTC/USDT", "binance")) == 0


def test_a_book_has_two_sides_in_order():
    told = {"timestamp": None, "bids": [[2, 1], [1, 1, 9], [0.5, 0]], "asks": [["3", "1"], [4, 1]]}
    book = as_book(told, ("binance", "BTC/USDT", NOW), 2)
    assert (book.bids, book.asks) == (((2.0, 1.0), (1.0, 1.0)), ((3.0, 1.0), (4.0, 1.0)))
    assert (book.event_time, book.available_at, book.mid) == (NOW, NOW, 2.5)
    for side in ("bids", "asks"):
        for broken in ([], None, [[5, 1], [3, 1], [4, 1]]):
            with pytest.raises(VenueError, match="two sides in order"):
                as_book(told | {side: broken}, ("binance", "BTC/USDT", NOW), 5)


def test_tickers_of_known_symbols():
    told = {
        "BTC/USDT": {"last": "10", "quoteVolume": None, "baseVolume": 3, "timestamp": 5},
        "ETH/USDT": {"last": None, "quoteVolume": 7.0},
        "SOL/USDT": None,
        "XRP/USDT": {"last": 1},
    }
    found = as_tickers(told, ["BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT"])
    assert list(found) == ["BTC/USDT", "ETH/USDT"]
    assert (found["BTC/USDT"].last, found["BTC/USDT"].quote_volume) == (10.0, 30.0)
    assert (found["BTC/USDT"].time, found["ETH/USDT"].time) == (5, 0)
    assert math.isnan(found["ETH/USDT"].last)
