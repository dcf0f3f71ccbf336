import asyncio

import pytest
from receiver import SECRET, receiving

from app.alerts.channels import open_channels
from app.alerts.price_feed import Market, PriceFeed
from app.alerts.service import Alerts, Surroundings
from opportunity.config_lists import AlertChannel
from opportunity.feeds.clock import wall_ms
from opportunity.storage.database import open_database
from opportunity.storage.outbox_rows import Note
from opportunity.storage.repositories import Memory

PATH = "/api/notifications"
PRODUCT = {
    "signal_alerts", "portfolio_alerts", "risk_alerts", "api_health_alerts", "daily_summary",
    "min_confidence_threshold",
}  # fmt: skip


@pytest.fixture
def hook():
    with receiving() as hook:
        yield hook


@pytest.fixture
async def alerts(world, hook, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    services, memory = world.services, Memory(engine, wall_ms)
    around = Surroundings(services.hub, "m", "simulated", wall_ms, lambda: 5, lambda: None)
    market = Market("m", "simulated", 60_000, None)
    prices = PriceFeed(market, memory.price_alerts("m"), memory.events,
                       lambda _: None)  # fmt: skip
    channels = open_channels([AlertChannel("ops", hook.address)], private=True)
    services.alerts = Alerts(around, memory, channels, prices)
    yield services.alerts
    engine.dispose()


async def test_settings_are_read_and_changed_in_part(world, alerts):
    status, body, headers = await world.call("GET", f"{PATH}/settings")
    assert (status, body["version"], headers["Etag"]) == (200, 0, '"0"')
    assert set(body) >= PRODUCT
    assert body["min_confidence_threshold"] == 0.7
    change = {"min_confidence_threshold": 0.9, "signal_alerts": False, "return_pct": 3,
              "routes": {"breaker": ["ops"]}}  # fmt: skip
    status, body, headers = await world.call("PUT", f"{PATH}/settings", json=change)
    assert (status, headers["Etag"]) == (200, '"1"')
    assert body["min_confidence_threshold"] == 0.9
    assert body["daily_summary"] is True
    assert (await world.call("GET", f"{PATH}/settings"))[1] == body


async def test_only_the_newest_settings_are_changed(world, alerts):
    change, path = {"json": {"signal_alerts": False}}, f"{PATH}/settings"
    assert (await world.call("PUT", path, headers={"If-Match": '"0"'}, **change))[0] == 200
    problem = await world.refused(412, "PUT", path, headers={"If-Match": '"0"'}, **change)
    assert problem["code"] == "stale"
    await world.refused(400, "PUT", path, headers={"If-Match": "0"}, **change)
    several = {"If-Match": '"0", "1"'}
    assert (await world.call("PUT", path, headers=several, **change))[0] == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signal_alerts": "yes"}, "signal_alerts"), ({"min_score": 0.2}, "min_score"),
        ({"signl_alerts": True}, "signl_alerts"), ({"summary_hour": 24}, "summary_hour"),
        ({"drawdown_steps_pct": [9, 3]}, "drawdown_steps_pct"),
        ({"routes": {"breaker": ["nobody"]}}, "routes"), ({"routes": {"x": []}}, "routes.x"),
        ({}, "body"), ({"why": "nothing"}, "body"),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_is_named(world, alerts, change, field):
    problem = await world.refused(422, "PUT", f"{PATH}/settings", json=change)
    assert problem["field"].startswith(field)
    assert alerts.version == 0


async def test_channels_show_no_address(world, alerts, hook):
    status, body, _ = await world.call("GET", f"{PATH}/channels")
    assert status == 200
    assert body["channels"] == [{
        "name": "ops", "service": "JSON", "state": "ready", "waiting": 0, "failed": 0,
        "last_sent_at": None, "last_error": "",
    }]  # fmt: skip
    alerts.outbox.put([(Note("a", "breaker", "t", "b"), ["ops"])])
    assert (await world.call("GET", f"{PATH}/channels"))[1]["channels"][0]["state"] == "waiting"
    alerts.outbox.mark_later(alerts.outbox.waiting("ops"), 0, "status 500")
    _, body, _ = await world.call("GET", f"{PATH}/channels")
    assert (body["channels"][0]["state"], body["channels"][0]["last_error"]) == (
        "failing", "status 500",
    )  # fmt: skip
    assert SECRET not in str(body)
    assert str(hook.server_port) not in str(body)


async def test_the_button_says_in_words_how_it_went(world, alerts, hook):
    status, body, _ = await world.call("POST", f"{PATH}/test")
    assert (status, body["status"], body["message"]) == (200, "success", "ops took it.")
    assert hook.got[0]["title"] == "[simulated] Test"
    hook.answers.append(500)
    _, body, _ = await world.call("POST", f"{PATH}/test", json={"channel": "ops"})
    assert body["status"] == "failed"
    assert body["results"] == [{"channel": "ops", "sent": False, "text": "not sent: status 500"}]
    problem = await world.refused(404, "POST", f"{PATH}/test", json={"channel": "op"})
    assert "Did you mean 'ops'" in problem["detail"]
    alerts.channels.clear()
    _, body, _ = await world.call("POST", f"{PATH}/test")
    assert body["status"] == "no_channels"


async def test_a_test_does_not_hold_the_server(world, alerts, hook):
    hook.answers.append("hang")
    testing = asyncio.ensure_future(world.call("POST", f"{PATH}/test"))
    await asyncio.to_thread(hook.wait_asked, 1)
    assert (await world.call("GET", "/health/live"))[0] == 200
    assert not testing.done()
    status, body, _ = await world.call("POST", f"{PATH}/test")
    assert (status, body["status"]) == (200, "failed")
    assert body["results"][0]["text"] == "not sent: a test is under way"
    hook.ending.set()
    assert (await testing)[1]["status"] == "failed"


async def test_the_outbox_comes_in_pages(world, alerts):
    alerts.outbox.put([(Note(f"k{i}", "breaker", f"t{i}", "b"), ["ops"]) for i in range(5)])
    _, first, _ = await world.call("GET", f"{PATH}?limit=3")
    _, rest, _ = await world.call("GET", f"{PATH}?limit=3&after={first['next']}")
    titles = [n["title"] for n in first["notifications"] + rest["notifications"]]
    assert (titles, rest["next"]) == (["t4", "t3", "t2", "t1", "t0"], None)
    assert "key" not in first["notifications"][0]
    assert (await world.call("GET", f"{PATH}?status=failed"))[1]["notifications"] == []
    for query, field in (("limit=0", "limit"), ("status=x", "status"), ("odd=1", "odd")):
        assert (await world.refused(422, "GET", f"{PATH}?{query}"))["field"] == field


async def test_a_test_keeps_to_its_route(world, alerts, hook):
    await world.call("PUT", f"{PATH}/settings", json={"routes": {"test": []}})
    _, body, _ = await world.call("POST", f"{PATH}/test", json={})
    assert (body["status"], body["results"], hook.n_asked) == ("no_channels", [], 0)
    assert "routes" in body["message"]
