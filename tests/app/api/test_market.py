import numpy as np
import pytest
from wired import wired

from opportunity.errors import CoverageError, OpportunityError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms

HOUR = 3_600_000
NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC, the time of the small world


def some_bars(n=3):
    time = NOW - HOUR * np.arange(n, 0, -1)
    values = np.column_stack([np.full(n, 10.0), np.full(n, 12.0), np.full(n, 9.0),
                              np.full(n, 11.0), np.full(n, 5.0)])  # fmt: skip
    return Bars(time, values, "1h", "BTC/USDT", "simulated")


@pytest.fixture
def asked(world):
    """What was asked of the market; it answers three bars, or raises what is put first."""
    calls, errors = [], []

    async def bars(symbol, timeframe, n_bars, end=None):
        calls.append((symbol, timeframe, n_bars, end))
        if errors:
            raise errors[0]
        return some_bars()[:n_bars]

    world.services.bars = bars
    return calls, errors


@pytest.mark.parametrize("text", ["BTCUSDT", "btc-usdt", "BTC_USDT", "BTC%2FUSDT"])
async def test_price_in_any_spelling(world, text):
    _, body, _ = await world.call("GET", f"/api/price/{text}")
    market = world.services.market
    assert (body["symbol"], body["id"], body["source"]) == ("BTC/USDT", "BTCUSDT", "simulated")
    assert body["price"] == market.price[0]
    assert body["change_24h"] == market.change_24h[0]
    assert (body["timestamp"], body["bar"]) == (NOW, None)


async def test_price_is_that_of_the_unfinished_bar(world):
    world.services.hub.publish("price", "BTC/USDT", (NOW, 100.0, 103.0, 99.0, 102.0, 7.0))
    _, body, _ = await world.call("GET", "/api/price/BTCUSDT")
    assert body["price"] == 102.0
    assert body["bar"] == {
        "timestamp": NOW, "open": 100.0, "high": 103.0, "low": 99.0, "close": 102.0, "volume": 7.0,
    }  # fmt: skip


async def test_a_bar_that_has_closed_meanwhile_is_no_unfinished_one(world):
    world.services.hub.publish("price", "BTC/USDT", (NOW - 60_000, 1.0, 1.0, 1.0, 1.0, 1.0))
    _, body, _ = await world.call("GET", "/api/price/BTCUSDT")
    assert (body["price"], body["bar"]) == (world.services.market.price[0], None)


async def test_price_that_is_not_known_is_an_error_and_no_number(world):
    world.services.market.price[0] = np.nan
    problem = await world.refused(503, "GET", "/api/price/BTCUSDT")
    assert (problem["code"], problem["retry_after_s"]) == ("no_price", 5)
    _, body, _ = await world.call("GET", "/api/price/DOGEUSDT")
    assert body["volume_24h"] is None


async def test_bars_as_they_travel(world, asked):
    _, body, _ = await world.call("GET", f"/api/ohlcv/btcusdt?interval=1h&limit=3&end={NOW}")
    assert asked[0] == [("BTC/USDT", "1h", 3, NOW)]
    assert (body["symbol"], body["interval"], body["source"]) == ("BTC/USDT", "1h", "simulated")
    assert [row["timestamp"] for row in body["data"]] == [NOW - n * HOUR for n in (3, 2, 1)]
    assert body["data"][0] == {
        "timestamp": NOW - 3 * HOUR, "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0,
        "volume": 5.0,
    }  # fmt: skip
    assert body["next"] == NOW - 3 * HOUR
    _, body, _ = await world.call("GET", "/api/ohlcv/btcusdt")
    assert asked[0][-1] == ("BTC/USDT", "1h", 100, None)
    assert body["next"] is None


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (CoverageError("no bars of 1m are stored"), 422, "missing_history", "no bars of 1m"),
        (ValueError("timeframe must be 5m or longer"), 422, "missing_history", "5m or longer."),
        (OpportunityError("secret-host:9000 does not answer"), 503, "no_market", "does not"),
    ],
)
async def test_market_that_has_nothing_says_so(world, asked, error, status, code, words):
    asked[1].append(error)
    problem = await world.refused(status, "GET", "/api/ohlcv/BTCUSDT")
    assert problem["code"] == code
    assert words in problem["detail"]
    assert "secret-host" not in str(problem)


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("price/NOPEUSDT", 404, "symbol"), ("price/!!", 422, "symbol"),
        ("ohlcv/NOPEUSDT", 404, "symbol"), ("ohlcv/BTCUSDT?interval=3m", 422, "interval"),
        ("ohlcv/BTCUSDT?limit=0", 422, "limit"), ("ohlcv/BTCUSDT?limit=1001", 422, "limit"),
        ("ohlcv/BTCUSDT?end=-1", 422, "end"), ("ohlcv/BTCUSDT?until=1", 422, "until"),
        ("price/BTCUSDT?fresh=1", 422, "fresh"),
    ],
)  # fmt: skip
async def test_bad_request_names_its_field(world, asked, path, status, field):
    assert (await world.refused(status, "GET", f"/api/{path}"))["field"] == field


@pytest.mark.parametrize("path", ["price/BTCUSDT", "ohlcv/BTCUSDT"])
async def test_before_there_are_scores(world, asked, path):
    world.services.market = None
    assert (await world.refused(503, "GET", f"/api/{path}"))["code"] == "warming_up"


async def test_pages_of_the_real_market_join(live):
    async with wired(live) as api:
        for interval in ("5m", "4h"):
            whole = await api.get(f"/api/ohlcv/BTCUSDT?interval={interval}&limit=30")
            end, found = "", []
            for _ in range(3):
                page = await api.get(f"/api/ohlcv/btc-usdt?interval={interval}&limit=10{end}")
                found, end = page["data"] + found, f"&end={page['next']}"
            assert found == whole["data"]
            opened = [row["timestamp"] for row in found]
            assert set(np.diff(opened)) == {length_ms(interval)}
            assert all(r["low"] <= min(r["open"], r["close"]) for r in found)
        price = await api.get("/api/price/BTCUSDT")
        last = await api.get("/api/ohlcv/BTCUSDT?interval=5m&limit=1")
        assert price["price"] == pytest.approx(last["data"][0]["close"], rel=0.01)
