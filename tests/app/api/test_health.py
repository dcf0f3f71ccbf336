import pytest

from opportunity.feeds.status import FeedStatus


async def test_health_has_contract_and_state(world):
    status, body, _ = await world.call("GET", "/health")
    assert (status, body["status"], body["reason"]) == (200, "healthy", None)
    assert body["timestamp"].endswith("Z")
    assert body["version"] == "0.0.test"
    assert body["active_signals"] == len(world.services.evaluation())
    assert body["websocket_connections"] == 0
    assert body["total_apis"] == 1
    assert body["data_source"] == body["source"] == "simulated"


async def test_health_tells_starting_and_degraded(world):
    world.services.market = None
    _, body, _ = await world.call("GET", "/health")
    assert (body["status"], body["active_signals"]) == ("starting", 0)
    world.services.agent.last_error = "feed lost at /srv/x/secret"
    _, body, _ = await world.call("GET", "/health")
    assert body["status"] == "degraded"
    assert "secret" not in str(body)


async def test_live_always_and_ready_only_with_scores(world):
    assert (await world.call("GET", "/health/live"))[:2] == (200, {"status": "live"})
    assert (await world.call("GET", "/health/ready"))[:2] == (200, {"status": "ready"})
    world.services.market = None
    assert (await world.call("GET", "/health/live"))[0] == 200
    problem = await world.refused(503, "GET", "/health/ready")
    assert problem["retry_after_s"] > 0


@pytest.mark.parametrize("state", ["down", "banned", "recovering"])
async def test_health_is_degraded_while_the_line_to_the_market_is_cut(world, state):
    world.services.line = FeedStatus(state, "asked again at http://10.1.2.3/secret", 1)
    _, body, _ = await world.call("GET", "/health")
    assert body["status"] == ("healthy" if state == "recovering" else "degraded")
    assert state == "recovering" or state in body["reason"]
    assert "secret" not in str(body)
