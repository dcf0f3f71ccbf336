from dataclasses import replace

import numpy as np
import pytest
from wired import wired

from opportunity.contracts import DETECTOR_NAMES
from opportunity.live.context import Context

MOOD, FLOW = "/api/sentiment", "/api/whales"
KNOWN = Context(
    "BTC/USDT", "simulated", 5, fear_greed=20.0, fear_greed_change=-7.0, funding=0.4,
    open_interest=1.5, bought=60.0, sold=40.0, large_bought=10.0, large_sold=30.0, vpin=0.3,
)  # fmt: skip


@pytest.fixture
def told(world):
    """Let the world know this much besides bars; the mood detector says something of two."""
    known = [KNOWN]

    async def context(symbol, most=12):
        return None if known[0] is None else replace(known[0], symbol=symbol)

    world.services.context = context
    column = DETECTOR_NAMES.index("sentiment")
    market = world.services.market
    scores, confidences = market.scores.copy(), market.confidences.copy()
    scores[:2, :, column], confidences[:2, :, column] = [[0.5], [-0.1]], [[0.4], [0.6]]
    world.services.market = replace(
        market, scores=scores, confidences=confidences, exists=np.empty(0, np.bool_)
    )
    return known


async def test_mood_of_a_symbol(world, told):
    _, body, _ = await world.call("GET", f"{MOOD}/btc-usdt")
    assert (body["symbol"], body["id"], body["timestamp"]) == ("BTC/USDT", "BTCUSDT", 5)
    assert body["score"] == pytest.approx(0.75)
    assert (body["fear_greed"], body["mood"], body["funding"]) == (20.0, "extreme fear", 0.4)
    assert (body["long_short"], body["news_score"]) == (None, None)
    assert body["source"] == "simulated"


async def test_flow_of_a_symbol(world, told):
    _, body, _ = await world.call("GET", f"{FLOW}/BTCUSDT")
    assert (body["bought"], body["sold"], body["large_net"]) == (60.0, 40.0, -20.0)
    assert (body["large_share"], body["vpin"], body["imbalance"]) == (0.4, 0.3, None)
    assert body["score"] is None
    told[0] = Context("BTC/USDT", "simulated", 5)
    _, body, _ = await world.call("GET", f"{FLOW}/BTCUSDT")
    empty = {n for n, value in body.items() if value is None}
    assert empty == {"score", "bought", "sold", "large_bought", "large_sold", "large_net",
                     "large_share", "vpin", "imbalance"}  # fmt: skip


async def test_mood_of_the_market(world, told):
    _, body, _ = await world.call("GET", MOOD)
    assert body["overall_score"] == pytest.approx((0.75 + 0.45) / 2)
    assert body["confidence"] == pytest.approx(0.5)
    assert (body["symbols"], body["sentiment"], body["trend"]) == (2, "extreme fear", "falling")
    assert body["news_sentiment"] is None


@pytest.mark.parametrize(
    ("change", "trend"), [(np.nan, None), (4.9, "steady"), (-4.9, "steady"), (5.0, "rising")]
)
async def test_trend(world, told, change, trend):
    told[0] = replace(KNOWN, fear_greed_change=change)
    assert (await world.call("GET", MOOD))[1]["trend"] == trend


async def test_nothing_known_is_null_and_never_neutral(world):
    _, body, _ = await world.call("GET", MOOD)
    assert (body["overall_score"], body["sentiment"], body["fear_greed"]) == (None, None, None)
    assert body["symbols"] == 0


@pytest.mark.parametrize("path", [MOOD, f"{MOOD}/BTCUSDT", f"{FLOW}/BTCUSDT"])
async def test_before_anything_is_known(world, told, path):
    told[0] = None
    assert (await world.refused(503, "GET", path))["code"] == "warming_up"
    world.services.symbols = ()
    assert (await world.refused(503, "GET", path))["code"] == "warming_up"


@pytest.mark.parametrize("path", [MOOD, FLOW])
async def test_bad_symbol_is_refused(world, told, path):
    await world.refused(404, "GET", f"{path}/NOPEUSDT")
    await world.refused(422, "GET", f"{path}/!!")


async def test_simulated_market_has_a_mood_and_a_flow(live):
    async with wired(live) as api:
        mood, flow = await api.get(f"{MOOD}/ETHUSDT"), await api.get(f"{FLOW}/ETHUSDT")
        assert 0 <= mood["fear_greed"] <= 100
        assert flow["bought"] > flow["large_bought"] > 0
        assert flow["large_share"] == pytest.approx(
            (flow["large_bought"] + flow["large_sold"]) / (flow["bought"] + flow["sold"])
        )
        assert mood["timestamp"] == flow["timestamp"]
        assert (await api.get(MOOD))["symbols"] == 3
