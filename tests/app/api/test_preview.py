import pytest

PATH = "/api/preview"


@pytest.mark.parametrize("spelt", ["BTCUSDT", "btc-usdt", "BTC%2FUSDT"])
async def test_preview_is_stamped(world, spelt):
    status, body, _ = await world.call("GET", f"{PATH}/{spelt}?timeframe=4h")
    assert status == 200
    assert body["preview"] is True
    assert (body["symbol"], body["id"], body["timeframe"]) == ("BTC/USDT", "BTCUSDT", "4h")
    assert body["bar_close"] - body["bar_open"] == 4 * 3_600_000
    assert len(body["components"]) == 9
    assert 0 <= body["final_score"] <= 1
    assert body["source"] == "simulated"
    assert "success" not in body


async def test_timeframe_left_out_is_an_hour(world):
    _, body, _ = await world.call("GET", f"{PATH}/BTCUSDT")
    assert body["timeframe"] == "1h"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("BTCUSDT?timeframe=2h", 400, "not_scored"), ("BTCUSDT?timeframe=7h", 422, "invalid"),
        ("NOPEUSDT", 404, "unknown_symbol"), ("%3F%3F", 422, "invalid"),
        ("DOGEUSDT", 404, "nothing_forming"), ("BTCUSDT?x=1", 422, "invalid"),
    ],
)
async def test_what_has_no_preview_says_why(world, path, status, code):
    assert (await world.refused(status, "GET", f"{PATH}/{path}"))["code"] == code


async def test_nothing_is_known_while_the_agent_warms_up(world):
    world.services.market = None
    assert (await world.refused(503, "GET", f"{PATH}/BTCUSDT"))["code"] == "warming_up"
