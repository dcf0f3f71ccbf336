from accounts import FakePaper

from opportunity.contracts import DETECTOR_NAMES
from opportunity.feeds.status import FeedStatus
from opportunity.scoring.presets import PRESETS

LINE = FeedStatus("down", "no answer", since=5)


async def test_providers_are_told_by_name(world):
    _, body, _ = await world.call("GET", "/api/health")
    assert body["status"] == "healthy"
    assert body["providers"] == {
        "simulated.bars": True, "simulated.sentiment": False, "simulated.news": False,
        "simulated.whales": False,
    }  # fmt: skip
    assert body["detectors"] == list(DETECTOR_NAMES[:6])
    assert (body["source"], body["reason"]) == ("simulated", None)
    world.services.line = LINE
    _, body, _ = await world.call("GET", "/api/health")
    assert (body["status"], body["providers"]["simulated.bars"]) == ("degraded", False)


async def test_server_at_a_glance(world):
    world.services.paper = FakePaper()
    _, body, _ = await world.call("GET", "/api/system/status")
    assert (body["status"], body["version"], body["uptime_s"]) == ("healthy", "0.0.test", 12.5)
    assert (body["symbols"], body["timeframes"]) == (6, ["5m", "15m", "1h", "4h"])
    assert (body["can_trade"], body["open_positions"], body["storage"]) == (False, 2, "ok")
    assert (body["database"], body["feed"], body["recording"]) == ("sqlite", None, False)
    assert body["jobs"] == {"queued": 0, "running": 0, "kept": 0}
    assert body["websocket"]["connections"] == 0
    assert "password" not in str(body)


async def test_server_that_begins(world):
    world.services.paper = FakePaper(None)
    world.services.market, world.services.line = None, LINE
    _, body, _ = await world.call("GET", "/api/system/status")
    assert body["feed"]["state"] == "down"
    assert (body["can_trade"], body["open_positions"], body["storage"]) == (None, None, None)
    assert (body["market_time"], body["active_signals"]) == (None, 0)


async def test_detectors_in_the_order_of_the_weights(world):
    _, body, _ = await world.call("GET", "/api/detectors")
    found = body["detectors"]
    assert [one["name"] for one in found] == list(DETECTOR_NAMES)
    assert {one["name"]: one["weight"] for one in found} == PRESETS["balanced"]
    sar, news = found[5], found[7]
    assert (sar["streams"], sar["connected"], sar["reads"]) == (20, True, [])
    assert sar["share"] == 20 / 24
    assert (news["streams"], news["connected"]) == (0, False)
    assert "headline" in news["reads"]
    assert all(one["title"] for one in found)
    world.services.market = None
    _, body, _ = await world.call("GET", "/api/detectors")
    assert {one["share"] for one in body["detectors"]} == {None}
