import pytest

from opportunity.feeds.status import FeedStatus


async def test_status_has_contract_and_additions(world):
    status, body, _ = await world.call("GET", "/api/agent/status")
    assert status == 200
    assert body["enabled"] is True
    assert body["scan_interval_ms"] == 30_000
    assert body["subscribed_symbols"] == []
    assert body["source"] == "simulated"
    assert {"running", "last_scan_at", "last_scan_ms", "next_scan_at", "last_error"} <= set(body)


@pytest.mark.parametrize("how", ["query", "body"])
async def test_toggle_switches_by_query_or_body(world, how):
    for enabled in (False, False, True, True):
        text = str(enabled).lower()
        asked = {"params": {"enabled": text}} if how == "query" else {"json": {"enabled": enabled}}
        status, body, _ = await world.call("PUT", "/api/agent/toggle", **asked)
        assert (status, body["enabled"]) == (200, enabled)
        assert world.services.agent.enabled is enabled


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, 422),
        ({"params": {"enabled": "perhaps"}}, 422),
        ({"json": {"enabled": "true"}}, 422),
        ({"json": {"enabled": 1}}, 422),
        ({"json": {"on": True}}, 422),
        ({"params": {"enabld": "true"}}, 422),
        ({"params": [("enabled", "true"), ("enabled", "false")]}, 422),
        ({"params": {"enabled": "true"}, "json": {"enabled": False}}, 400),
        ({"data": "enabled=true", "headers": {"Content-Type": "text/plain"}}, 415),
    ],
)
async def test_toggle_refuses_what_is_not_a_switch(world, asked, expected):
    await world.refused(expected, "PUT", "/api/agent/toggle", **asked)
    assert world.services.agent.enabled is True


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_subscribe_replaces_and_echoes_spelling(world, method):
    asked = {"symbols": ["BTCUSDT", "eth-usdt", "BTC/USDT", "NOPE/USDT"]}
    status, body, _ = await world.call(method, "/api/agent/subscribe", json=asked)
    assert status == 200
    assert body["status"] == "success"
    assert body["subscribed_symbols"] == ["BTCUSDT", "eth-usdt"]
    assert body["count"] == 2
    assert [r["symbol"] for r in body["rejected"]] == ["NOPE/USDT"]
    _, status_body, _ = await world.call("GET", "/api/agent/status")
    assert status_body["subscribed_symbols"] == ["BTC/USDT", "ETH/USDT"]
    await world.call(method, "/api/agent/subscribe", json={"symbols": []})
    assert world.services.controls.subscribed == ()


@pytest.mark.parametrize(
    ("symbols", "expected", "field"),
    [
        (["??"], 422, "symbols.0"),
        (["BTCUSDT", "x" * 60], 422, "symbols.1"),
        ("BTCUSDT", 422, "symbols"),
        (["NOPE/USDT"], 404, "symbol"),
        (["A/USDT", "B/USDT", "C/USDT", "D/USDT", "E/USDT"], 422, "symbols"),
    ],
)
async def test_subscribe_refuses_bad_lists(world, symbols, expected, field):
    asked = {"symbols": symbols}
    problem = await world.refused(expected, "POST", "/api/agent/subscribe", json=asked)
    assert problem["field"] == field


async def test_subscribe_needs_symbols(world):
    problem = await world.refused(422, "POST", "/api/agent/subscribe", json={"symbol": "BTCUSDT"})
    fields = {e["field"]: e["message"] for e in problem["errors"]}
    assert "Did you mean 'symbols'?" in fields["symbol"]
    assert "symbols" in fields


async def test_config_reads_bounds_universe_and_rules(world):
    status, body, _ = await world.call("GET", "/api/agent/config")
    assert status == 200
    assert body["scan_interval_ms"] == 30_000
    assert body["max_symbols"] == 4
    assert body["supported_timeframes"][0] == "1m"
    assert len(body["supported_timeframes"]) == 11
    assert body["symbols"] == list(world.services.symbols)
    assert body["rules"]["type"] == world.services.rules.type


async def test_config_changes_interval_and_rules(world):
    status, body, _ = await world.call("PUT", "/api/agent/config?scan_interval_ms=1000")
    assert (status, body["status"], body["scan_interval_ms"]) == (200, "success", 1_000)
    asked = {"scan_interval_ms": 2_000, "rules": {"type": "any", "exclude_symbols": ["btcusdt"]}}
    status, body, _ = await world.call("PUT", "/api/agent/config", json=asked)
    assert (status, body["scan_interval_ms"]) == (200, 2_000)
    assert body["rules"]["type"] == "any"
    assert body["rules"]["exclude_symbols"] == ["BTC/USDT"]
    asked = {"rules": {"timeframe_weights": {"1h": 0.5}}}
    status, body, _ = await world.call("PUT", "/api/agent/config", json=asked)
    assert body["rules"]["timeframe_weights"] == {"1h": 0.5}
    assert world.services.rules.timeframe_weights == {"1h": 0.5}
    status, body, _ = await world.call("PUT", "/api/agent/config")
    assert (status, body["scan_interval_ms"]) == (200, 2_000)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"params": {"scan_interval_ms": "99"}}, 400),
        ({"params": {"scan_interval_ms": "60001"}}, 400),
        ({"params": {"scan_interval_ms": "soon"}}, 422),
        ({"json": {"scan_interval_ms": 500.5}}, 422),
        ({"json": {"rules": {"threshold": 1.5}}}, 422),
        ({"json": {"rules": {"type": "most"}}}, 422),
        ({"params": {"scan_interval_ms": "500"}, "json": {"scan_interval_ms": 600}}, 400),
    ],
)
async def test_config_refuses_what_is_out_of_bounds(world, asked, expected):
    await world.refused(expected, "PUT", "/api/agent/config", **asked)
    assert world.services.agent.scan_interval_ms == 30_000


async def test_direction_can_be_set_and_taken_back(world):
    for direction in ("BEARISH", None):
        asked = {"rules": {"direction": direction}}
        status, body, _ = await world.call("PUT", "/api/agent/config", json=asked)
        assert (status, body["rules"]["direction"]) == (200, direction)
        assert world.services.rules.direction == direction
    await world.refused(422, "PUT", "/api/agent/config", json={"rules": {"direction": "NEUTRAL"}})


async def test_status_tells_of_the_line_to_the_market(world):
    _, body, _ = await world.call("GET", "/api/agent/status")
    assert body["feed"] is None  # invented bars have no line
    world.services.line = FeedStatus(
        "banned", "The exchange asked to wait", 1_000, 9_000, 3, 2, 1, 2_100.5, -40
    )
    _, body, _ = await world.call("GET", "/api/agent/status")
    assert body["feed"] == {
        "state": "banned", "text": "The exchange asked to wait", "since": 1_000,
        "retry_at": 9_000, "n_reconnects": 3, "n_corrections": 2, "n_refused": 1,
        "delay_ms": 2_100.5, "skew_ms": -40,
    }
