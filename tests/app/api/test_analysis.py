import numpy as np
import pytest
from accounts import NOW, FakePaper
from builders import random_bars
from wired import wired

from opportunity.errors import CoverageError, OpportunityError
from opportunity.live.chart import chart_of
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms

PATH = "/api/analysis"


@pytest.fixture
def asked(world):
    """A chart of drawn bars, or the error that is put first."""
    calls, errors = [], []

    async def chart(symbol, timeframe, n_bars=300):
        calls.append((symbol, timeframe, n_bars))
        if errors:
            raise errors[0]
        step = length_ms(timeframe)
        times = (NOW // step - 600 + np.arange(600)) * step
        bars = Bars(times, random_bars(600, 3).values, timeframe, symbol, "simulated")
        return chart_of(bars, world.services.weights, n_bars)

    async def bars(symbol, timeframe, n_bars, end=None):
        raise errors[0]

    world.services.chart, world.services.bars = chart, bars
    world.services.paper = FakePaper()
    return calls, errors


async def test_symbol_from_all_sides(world, asked):
    _, body, _ = await world.call("GET", f"{PATH}/btc-usdt?timeframe=15m&bars=120")
    assert asked[0][0] == ("BTC/USDT", "15m", 120)
    _, scanned, _ = await world.call("GET", "/api/scanner/symbol/BTCUSDT?timeframes=5m,15m,1h,4h")
    assert body["signal"]["final_score"] == scanned["result"]["final_score"]
    ranked = world.services.evaluation().rows()
    second = (await world.call("GET", f"{PATH}/{ranked[1].symbol.replace('/', '')}"))[1]
    assert second["signal"]["rank"] == 2
    market = world.services.market
    assert (body["price"], body["atr"]) == (market.price[0], market.atr[0, 1])
    assert len(body["candles"]) == 120
    assert all(0 <= row["final_score"] <= 1 for row in body["candles"])
    known = [event["time"] for event in body["events"]]
    assert known == sorted(known, reverse=True)
    assert len(known) == 100
    _, short, _ = await world.call("GET", f"{PATH}/btc-usdt?timeframe=15m&bars=5")
    assert 0 < len(short["events"]) < 100
    assert body["events"][: len(short["events"])] == short["events"]  # of many the newest
    assert {event["direction"] for event in body["events"]} <= {-1, 0, 1}
    assert body["news"][0]["title"] == "<b>Bitcoin</b> headline 0"
    assert len(body["news"]) == 5
    assert body["sentiment"]["symbol"] == body["whales"]["symbol"] == "BTC/USDT"
    assert body["risk"]["position"]["entry"] == 90_000.0
    assert (body["risk"]["can_trade"], body["source"]) == (False, "simulated")


async def test_what_is_not_known_is_null(world, asked):
    world.services.paper.now = None
    _, body, _ = await world.call("GET", f"{PATH}/DOGEUSDT?timeframe=1d")
    assert (body["signal"], body["atr"], body["risk"]) == (None, None, None)
    assert (body["stopped_by"], body["volume_24h"]) == ([], None)
    world.services.paper.now = FakePaper().state()
    _, body, _ = await world.call("GET", f"{PATH}/SOLUSDT")
    assert body["risk"]["position"] is None


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CoverageError("no bars of 1m are stored"), 422, "missing_history"),
        (ValueError("timeframe must be longer"), 422, "missing_history"),
    ],
)
async def test_market_that_has_nothing_says_so(world, asked, error, status, code):
    asked[1].append(error)
    assert (await world.refused(status, "GET", f"{PATH}/BTCUSDT"))["code"] == code


async def test_market_that_does_not_answer_is_a_503(world, asked):
    asked[1].append(OpportunityError("secret-host does not answer"))
    problem = await world.refused(503, "GET", f"{PATH}/BTCUSDT")
    assert (problem["code"], problem["retry_after_s"]) == ("no_market", 5)


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("NOPEUSDT", 404, "symbol"), ("!!", 422, "symbol"), ("BTCUSDT?bars=0", 422, "bars"),
        ("BTCUSDT?bars=501", 422, "bars"), ("BTCUSDT?timeframe=3m", 422, "timeframe"),
        ("BTCUSDT?interval=1h", 422, "interval"),
    ],
)  # fmt: skip
async def test_bad_request_names_its_field(world, asked, path, status, field):
    assert (await world.refused(status, "GET", f"{PATH}/{path}"))["field"] == field


async def test_before_there_are_scores(world, asked):
    world.services.market = None
    assert (await world.refused(503, "GET", f"{PATH}/BTCUSDT"))["code"] == "warming_up"


async def test_real_symbol_and_its_chart_agree(live):
    async with wired(live) as api:
        body = await api.get(f"{PATH}/BTCUSDT?timeframe=1h")
        bars = await api.get("/api/ohlcv/BTCUSDT?interval=1h&limit=50")
        plain = [{n: row[n] for n in bars["data"][0]} for row in body["candles"]]
        assert plain == bars["data"]
        score = await api.call("POST", "/api/signals/score", json={"timeframe": "1h"})
        newest = body["candles"][-1]
        assert newest["final_score"] == pytest.approx(score["result"]["final_score"], abs=1e-9)
