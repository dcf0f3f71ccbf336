from opportunity.contracts.health import Health, Live, Metrics, Ready


def test_health_has_the_contract_fields():
    wanted = {"status", "timestamp", "version", "active_signals", "websocket_connections",
              "total_apis", "data_source", "source"}  # fmt: skip
    assert set(Health.model_fields) >= wanted


def test_metrics_have_both_shapes():
    nested = {"timestamp", "websocket", "agent", "system"}
    flat = {"ws_connections", "scans_per_min", "last_scan_latency_ms", "active_symbols",
            "uptime_seconds"}  # fmt: skip
    assert set(Metrics.model_fields) >= nested | flat


def test_probes_say_one_word():
    assert (Live().status, Ready().status) == ("live", "ready")
