import pytest

from opportunity.contracts import DETECTOR_NAMES

PATH = "/api/scanner/symbol"


async def test_symbol_taken_apart_is_the_row_of_the_scan(world):
    _, body, _ = await world.call("GET", f"{PATH}/btc-usdt?timeframes=15m,1h,15m")
    assert (body["status"], body["symbol"], body["source"]) == ("success", "BTC/USDT", "simulated")
    asked = {"symbols": ["BTCUSDT"], "timeframes": ["15m", "1h"]}
    _, scan, _ = await world.call("POST", "/api/scanner/run", json=asked)
    assert body["result"] == scan["results"][0]
    assert set(body["result"]["timeframe_breakdown"]) == {"15m", "1h"}
    assert set(body["result"]["components"]) == {*DETECTOR_NAMES, "ict"}


async def test_symbol_that_a_rule_stops_is_told_with_the_rule(world):
    world.services.rules.param.update(direction="BEARISH", exclude_symbols=[])
    _, body, _ = await world.call("GET", f"{PATH}/BTCUSDT")
    assert "direction" in body["stopped_by"]
    assert body["result"]["direction"] == "BULLISH"
    assert body["result"]["rank"] == 1


async def test_symbol_without_any_score_has_no_data(world):
    _, body, _ = await world.call("GET", f"{PATH}/DOGEUSDT")
    assert (body["status"], body["result"], body["stopped_by"]) == ("no_data", None, [])


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("NOPEUSDT", 404, "symbol"), ("!!", 422, "symbol"),
        ("BTCUSDT?timeframes=3m", 422, "timeframes"), ("BTCUSDT?timeframes=", 422, "timeframes"),
        ("BTCUSDT?timeframes=1h,,4h", 422, "timeframes"), ("BTCUSDT?weights=1", 422, "weights"),
    ],
)  # fmt: skip
async def test_bad_request_names_its_field(world, path, status, field):
    assert (await world.refused(status, "GET", f"{PATH}/{path}"))["field"] == field


async def test_before_there_are_scores(world):
    world.services.market = None
    await world.refused(503, "GET", f"{PATH}/BTCUSDT")
    _, body, _ = await world.call("GET", "/api/scanner/status")
    assert (body["cached_symbols"], body["total_cached_results"]) == (0, 0)


async def test_scanner_says_what_it_does_and_holds(world):
    _, body, _ = await world.call("GET", "/api/scanner/status")
    assert body["is_running"] is True
    assert body["scan_interval"] == 30.0
    assert body["timeframes"] == ["5m", "15m", "1h", "4h"]
    assert (body["cached_symbols"], body["total_cached_results"]) == (5, 20)
    assert body["next_scan_time"] - body["last_scan_time"] == 30_000
    world.services.agent.enabled = False
    assert (await world.call("GET", "/api/scanner/status"))[1]["is_running"] is False
