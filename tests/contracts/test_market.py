import pytest
from pydantic import ValidationError

from opportunity.contracts.market import MOST_BARS, Candle, OhlcvQuery, PriceAnswer


def test_query_reads_text_and_has_bounds():
    asked = OhlcvQuery.model_validate({"interval": "4h", "limit": "7", "end": "5"})
    assert (asked.interval, asked.limit, asked.end) == ("4h", 7, 5)
    assert OhlcvQuery().limit == 100
    for bad in ({"limit": MOST_BARS + 1}, {"end": 2**53}, {"interval": "3m"}, {"start": 0}):
        with pytest.raises(ValidationError):
            OhlcvQuery.model_validate(bad)


def test_price_is_a_number_and_the_rest_may_be_null():
    more = {"symbol": "BTC/USDT", "id": "BTCUSDT", "timestamp": 1, "bar": None, "source": "x",
            "volume_24h": float("nan")}  # fmt: skip
    assert PriceAnswer(price=1.0, change_24h=None, **more).volume_24h is None
    with pytest.raises(ValidationError):
        PriceAnswer(price=float("nan"), change_24h=None, **more)


def test_bar_is_whole():
    with pytest.raises(ValidationError):
        Candle(timestamp=0, open=1, high=1, low=1, close=float("nan"), volume=0)
