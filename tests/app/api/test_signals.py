import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.presets import PRESETS

PATH = "/api/signals/score"


async def test_score_of_nothing_in_particular_is_bitcoin_hourly(world):
    status, body, _ = await world.call("POST", PATH)
    assert status == 200
    assert (body["symbol"], body["id"], body["timeframe"]) == ("BTC/USDT", "BTCUSDT", "1h")
    assert body["direction"] in ("BULLISH", "NEUTRAL")
    assert 0 <= body["confidence"] <= 1
    assert " - Risk: " in body["advice"]
    result = body["result"]
    assert [c["detector"] for c in result["components"]] == list(DETECTOR_NAMES)
    known = [c["contribution"] for c in result["components"] if c["contribution"] is not None]
    assert sum(known) == pytest.approx(result["net"], abs=1e-12)
    assert result["final_score"] == pytest.approx((1 + result["net"]) / 2)
    assert result["bull_mass"] - result["bear_mass"] == pytest.approx(result["net"])
    assert result["components"][0]["score"] is None


async def test_score_gives_levels_on_the_side_of_the_direction(world):
    _, body, _ = await world.call("POST", PATH, json={"symbol": "eth_usdt", "timeframe": "15m"})
    assert body["direction"] == "BEARISH"
    levels = body["levels"]
    assert levels["stop"] > levels["entry"] > levels["targets"][0] > levels["targets"][2]


async def test_score_without_any_detector_says_so(world):
    _, body, _ = await world.call("POST", PATH, json={"symbol": "DOGEUSDT"})
    assert (body["direction"], body["confidence"]) == ("NEUTRAL", 0.0)
    assert body["advice"] == "No signal generated"
    assert body["result"] is None
    assert body["levels"] is None


async def test_score_under_own_weights_leaks_to_nobody(world):
    before = world.services.weights.as_dict()
    _, mine, _ = await world.call("POST", PATH, json={"weights": PRESETS["aggressive"]})
    _, shared, _ = await world.call("POST", PATH)
    assert mine["result"]["final_score"] != shared["result"]["final_score"]
    assert world.services.weights.as_dict() == before


@pytest.mark.parametrize(
    ("asked", "expected", "field"),
    [
        ({"symbol": "??"}, 422, "symbol"),
        ({"symbol": 5}, 422, "symbol"),
        ({"symbol": "NOPE/USDT"}, 404, "symbol"),
        ({"timeframe": "3m"}, 422, "timeframe"),
        ({"weights": PRESETS["balanced"] | {"smc": 0.3}}, 400, "weights"),
        ({"simbol": "BTCUSDT"}, 422, "simbol"),
    ],
)
async def test_bad_request_names_its_field(world, asked, expected, field):
    assert (await world.refused(expected, "POST", PATH, json=asked))["field"] == field


async def test_server_without_scores_answers_503(world):
    world.services.market = None
    await world.refused(503, "POST", PATH, json={})
