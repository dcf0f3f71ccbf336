import orjson
import pytest

from app.exchange.call_faults import ClockSkew, Delist
from app.exchange.core import Core
from app.exchange.endpoints import ENDPOINTS, RefusedError

MINUTE = 60_000


def ask(core: Core, path: str, **query: object):
    told = {name: str(value) for name, value in query.items()}
    return orjson.loads(ENDPOINTS[path](core, told, core.advance()))


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/v3/klines", {"interval": "1m"}, -1102),
        ("/api/v3/klines", {"symbol": "NOPEUSDT", "interval": "1m"}, -1121),
        ("/api/v3/klines", {"symbol": "btcusdt", "interval": "1m"}, -1100),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "3m"}, -1120),
        ("/api/v3/klines", {"symbol": "BTCUSDT"}, -1120),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "x"}, -1100),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 0}, -1130),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": -1}, -1100),
        ("/api/v3/depth", {"symbol": "NOPE"}, -1121),
        ("/api/v3/ticker/24hr", {"symbols": "BTCUSDT"}, -1100),
        ("/api/v3/ticker/24hr", {"symbols": '["NOPE"]'}, -1121),
        ("/fapi/v1/fundingRate", {}, -1102),
    ],
)
def test_wrong_query_is_refused_with_its_code(core: Core, path: str, query, code: int) -> None:
    with pytest.raises(RefusedError) as caught:
        ask(core, path, **query)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_klines_default_and_most(core: Core) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1m"}
    assert len(ask(core, "/api/v3/klines", **query)) == 500
    assert len(ask(core, "/api/v3/klines", **query, limit=5_000)) == 1_000


def test_agg_trades_follow_each_other_by_number(core: Core, real: list[float]) -> None:
    real[0] += 600
    newest = ask(core, "/api/v3/aggTrades", symbol="BTCUSDT", limit=200)
    assert len(newest) == 200
    numbers = [t["a"] for t in newest]
    assert numbers == sorted(set(numbers))
    after = ask(core, "/api/v3/aggTrades", symbol="BTCUSDT", fromId=numbers[50], limit=20)
    assert after == newest[50:70]
    span = {"startTime": newest[10]["T"], "endTime": newest[90]["T"]}
    between = ask(core, "/api/v3/aggTrades", symbol="BTCUSDT", limit=1_000, **span)
    assert [t["a"] for t in between] == [
        t["a"] for t in newest if span["startTime"] <= t["T"] <= span["endTime"]
    ]
    plain = ask(core, "/api/v3/trades", symbol="BTCUSDT", limit=200)
    assert [t["id"] for t in plain] == numbers


def test_prints_of_a_minute_make_its_bar(core: Core, real: list[float]) -> None:
    opened = core.advance()
    real[0] += 61
    span = {"startTime": opened, "endTime": opened + MINUTE - 1}
    prints = ask(core, "/api/v3/aggTrades", symbol="ETHUSDT", limit=1_000, **span)
    row = ask(core, "/api/v3/klines", symbol="ETHUSDT", interval="1m", startTime=opened)[0]
    prices = [float(t["p"]) for t in prints]
    assert (prices[0], max(prices), min(prices), prices[-1]) == tuple(map(float, row[1:5]))
    assert sum(float(t["q"]) for t in prints) == float(row[5])


def test_delisted_symbol_is_unknown_and_marked(core: Core) -> None:
    core.faults.add(Delist(symbols=("ETH/USDT",)))
    with pytest.raises(RefusedError, match="Invalid symbol"):
        ask(core, "/api/v3/klines", symbol="ETHUSDT", interval="1m")
    info = ask(core, "/api/v3/exchangeInfo")["symbols"]
    assert [s["status"] for s in info] == ["TRADING", "BREAK", "TRADING"]
    assert len(ask(core, "/api/v3/ticker/24hr")) == 2
    assert len(ask(core, "/fapi/v1/premiumIndex")) == 2


def test_skewed_time_is_told(core: Core) -> None:
    now = core.advance()
    core.faults.add(ClockSkew(by_ms=-7_000))
    assert ask(core, "/api/v3/time") == {"serverTime": now - 7_000}
    assert core.faults.injected == {"clock_skew": 1}


def test_book_has_no_time(core: Core) -> None:
    book = ask(core, "/api/v3/depth", symbol="BTCUSDT", limit=3)
    assert set(book) == {"lastUpdateId", "bids", "asks"}
    assert len(book["bids"]) == 3


def test_funding_from_a_time_on(core: Core) -> None:
    newest = ask(core, "/fapi/v1/fundingRate", symbol="BTCUSDT", limit=10)
    assert len(newest) == 10
    later = ask(core, "/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=newest[4]["fundingTime"])
    assert later == newest[4:]
    index = ask(core, "/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert index["lastFundingRate"] == newest[-1]["fundingRate"]
    assert index["nextFundingTime"] > core.advance()


def test_every_symbol_is_stamped(core: Core) -> None:
    for path in ("/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo"):
        for item in ask(core, path)["symbols"]:
            assert item["opportunity"] == {"source": "simulated", "speed": 1.0}
