from prometheus_client.parser import text_string_to_metric_families


async def test_metrics_have_both_shapes(world):
    world.services.publish_signal("BTC/USDT")
    status, body, _ = await world.call("GET", "/api/metrics")
    assert status == 200
    assert body["websocket"] == {
        "connections": 0, "subscriptions": 0, "messages_sent": 0, "uptime": 12
    }
    assert body["agent"] == {"enabled": True, "scan_interval_ms": 30_000}
    assert body["system"]["version"] == "0.0.test"
    assert body["system"]["active_signals"] == len(world.services.evaluation())
    assert body["ws_connections"] == 0
    assert body["scans_per_min"] == 0
    assert body["last_scan_latency_ms"] == 1.5
    assert body["active_symbols"] == 6
    assert body["uptime_seconds"] == 12.5


async def test_prometheus_text_is_read_by_its_own_parser_as_of_now(world):
    for enabled in (True, False):
        world.services.agent.enabled = enabled
        status, text, headers = await world.call("GET", "/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=")
        families = {f.name: f for f in text_string_to_metric_families(text)}
        assert families["opportunity_agent_enabled"].samples[0].value == float(enabled)
        assert families["opportunity_symbols"].samples[0].value == 6
        assert families["opportunity_websocket_messages_sent"].type == "counter"
        assert all(f.documentation for f in families.values())
        assert families["opportunity_build_info"].samples[0].labels["source"] == "simulated"


async def test_scans_of_the_last_minute_are_counted(world):
    done = []
    world.services.hub.subscribe(lambda states, events: done.append(states))
    for _ in range(2):
        world.services.hub.publish("scan", "", world.services.evaluation())
        n = len(done)
        while len(done) == n:
            await world.call("GET", "/health/live")
    _, body, _ = await world.call("GET", "/api/metrics")
    assert body["scans_per_min"] == 2
