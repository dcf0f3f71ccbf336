"""The twenty endpoints that were asked for by name: each with exactly the fields that were named.

What is more than that may come and go; what is here may not.
"""

from typing import Any

import aiohttp
import pytest
from wired import wired

from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.base import TIMEFRAME_NAMES
from opportunity.scoring.presets import PRESETS

UNIT = "unit"
NULLABLE = "unit or null"
NUMBER = (int, float)
TEXT = str
SIDES = ("BULLISH", "BEARISH", "NEUTRAL")
LEVELS = ("LOW", "MEDIUM", "HIGH")

HEALTH = {
    "status": TEXT, "timestamp": TEXT, "version": TEXT, "active_signals": int,
    "websocket_connections": int, "total_apis": int, "data_source": TEXT,
}  # fmt: skip
METRICS = {
    "timestamp": TEXT,
    "websocket": {"connections": int, "subscriptions": int, "messages_sent": int, "uptime": int},
    "agent": {"enabled": bool, "scan_interval_ms": int},
    "system": {"active_signals": int, "version": TEXT},
    "ws_connections": int, "scans_per_min": NUMBER, "last_scan_latency_ms": NUMBER,
    "active_symbols": int, "uptime_seconds": NUMBER,
}  # fmt: skip
STATUS = {
    "enabled": bool, "scan_interval_ms": int, "subscribed_symbols": [TEXT], "running": bool,
    "last_scan_at": int, "last_scan_ms": NUMBER, "next_scan_at": int, "last_error": None,
}  # fmt: skip
CONFIG = {
    "scan_interval_ms": int, "max_symbols": int, "supported_timeframes": [TEXT],
    "symbols": [TEXT], "timeframes": [TEXT], "rules": dict,
}  # fmt: skip
BREAKDOWN = {"final_score": UNIT, "direction": SIDES, "confidence": UNIT, "components": list}
SCAN_ITEM = {
    "rank": int, "symbol": TEXT, "price": NUMBER, "success": NULLABLE, "risk": UNIT,
    "whales": NULLABLE, "smc": NULLABLE, "elliott": NULLABLE, "price_action": NULLABLE,
    "ict": NULLABLE, "final_score": UNIT, "direction": SIDES, "overall_score": UNIT,
    "overall_direction": SIDES, "consensus_strength": UNIT, "recommended_action": TEXT,
    "risk_level": LEVELS, "change_24h": NUMBER, "volume_24h": NUMBER, "confidence": UNIT,
    "advice": TEXT, "tf_count": int, "signal_count": int, "timeframes": dict,
    "timeframe_breakdown": {"15m": BREAKDOWN, "1h": BREAKDOWN},
}  # fmt: skip
SCAN = {
    "status": "success", "scan_time": TEXT, "symbols_scanned": 2, "opportunities_found": int,
    "results": [SCAN_ITEM], "errors": list,
    "meta": {
        "consensus": NULLABLE, "duration_ms": NUMBER, "cache_hits": int, "rule": TEXT,
        "errors": int,
    },
}  # fmt: skip
SCORE = {"direction": SIDES, "confidence": UNIT, "advice": TEXT}
POINT, TRADE = {"ts": int, "equity": NUMBER}, {
    "entry_ts": int, "exit_ts": int, "profit": NUMBER, "side": ("LONG", "SHORT"),
}  # fmt: skip
BACKTEST = {
    "equity_series": [POINT], "trades": [TRADE],
    "metrics": {"sharpe": NUMBER, "sortino": NUMBER, "max_drawdown": NUMBER,
                "win_rate": NUMBER, "total_trades": int, "profit_factor": NUMBER},
}  # fmt: skip
RISK = {
    "var95": NUMBER, "leverage": NUMBER, "drawdown": NUMBER, "status": TEXT, "timestamp": TEXT,
    "risk_status": {
        "account_balance": NUMBER, "portfolio_value": NUMBER, "daily_risk_used": NUMBER,
        "daily_pnl": NUMBER, "open_positions": int, "current_drawdown": NUMBER,
        "max_drawdown": NUMBER, "daily_risk_limit": NUMBER, "position_limit": int,
        "can_trade": bool,
    },
    "limits": {
        "max_risk_per_trade": NUMBER, "max_risk_per_day": NUMBER, "max_positions": int,
        "max_correlation": NUMBER, "max_single_asset": NUMBER, "max_drawdown": NUMBER,
        "max_var_95": NUMBER, "max_leverage": NUMBER,
    },
}  # fmt: skip
POSITION = {
    "status": "success", "risk_status": dict,
    "position": {
        "symbol": (None, "BTC/USDT"), "quantity": NUMBER, "entry_price": NUMBER,
        "stop_loss": NUMBER, "take_profit": [NUMBER], "risk_amount": NUMBER, "risk_pct": NUMBER,
        "r_multiple": NUMBER, "max_leverage": NUMBER,
    },
    "position_size": NUMBER, "position_value": NUMBER, "position_percent": NUMBER,
}  # fmt: skip
STOP = {"status": "success", "stop_loss": NUMBER, "entry_price": NUMBER, "direction": TEXT,
        "atr": NUMBER}  # fmt: skip
ASSESSMENT = {
    "assessment_time": TEXT, "overall_risk_score": NUMBER, "risk_level": LEVELS,
    "portfolio_value": NUMBER, "var_analysis": dict, "concentration_analysis": dict,
    "correlation_analysis": dict, "drawdown_analysis": dict, "liquidity_analysis": dict,
    "alerts": list, "recommendations": list, "total_pnl": NUMBER, "pnl_pct": NUMBER,
    "drawdown": NUMBER, "var": NUMBER, "overall_risk": TEXT,
    "risk_checks": {"daily_risk_ok": bool, "drawdown_ok": bool, "var_ok": bool,
                    "positions_ok": bool},
}  # fmt: skip
WEIGHTS = dict.fromkeys(DETECTOR_NAMES, UNIT)
PRESET = {"name": TEXT, "weights": WEIGHTS}
SIGNAL = {
    "type": "signal", "symbol": TEXT, "direction": SIDES, "confidence": UNIT, "score": UNIT,
    "risk_level": LEVELS, "timeframes": dict, "ts": int,
}  # fmt: skip


def check(value: Any, wanted: Any, place: str = "") -> None:
    """Check that a body has what is wanted, all the way down."""
    if isinstance(wanted, dict):
        assert isinstance(value, dict), place
        for name, inner in wanted.items():
            assert name in value, f"{place}.{name} is missing"
            check(value[name], inner, f"{place}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(value, list), place
        for i, one in enumerate(value):
            check(one, wanted[0], f"{place}.{i}")
    elif wanted in (UNIT, NULLABLE):
        assert value is None if value is None and wanted == NULLABLE else 0 <= value <= 1, place
    elif isinstance(wanted, type) or wanted == NUMBER:
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        assert type(value) in kinds, f"{place} is {value!r}"
    elif isinstance(wanted, tuple):
        assert value in wanted, f"{place} is {value!r}"
    else:
        assert value == wanted, f"{place} is {value!r}"


@pytest.fixture
async def api(live):
    async with wired(live) as made:
        yield made


async def test_health_and_metrics(api):
    check(await api.get("/health"), HEALTH)
    check(await api.get("/api/metrics"), METRICS)


async def test_agent(api):
    check(await api.get("/api/agent/status"), STATUS)
    for enabled in (False, True):
        body = await api.call("PUT", f"/api/agent/toggle?enabled={str(enabled).lower()}")
        check(body, STATUS)
        assert body["enabled"] is enabled
        body = await api.call("PUT", "/api/agent/toggle", json={"enabled": enabled})
        assert body["enabled"] is enabled
    await api.call("PUT", "/api/agent/toggle", 422)
    for method in ("POST", "PUT"):
        asked = {"symbols": ["BTCUSDT", "ETHUSDT"]}
        body = await api.call(method, "/api/agent/subscribe", json=asked)
        check(body, {"status": "success", "subscribed_symbols": [TEXT]})
        assert body["subscribed_symbols"] == asked["symbols"]
    told = (await api.get("/api/agent/status"))["subscribed_symbols"]
    assert told == ["BTC/USDT", "ETH/USDT"]  # only confirmations echo the caller's spelling
    config = await api.get("/api/agent/config")
    check(config, CONFIG)
    assert (config["max_symbols"], config["supported_timeframes"]) == (50, list(TIMEFRAME_NAMES))
    assert {"1m", "5m", "15m", "1h", "4h", "1d"} < set(config["supported_timeframes"])
    body = await api.call("PUT", "/api/agent/config?scan_interval_ms=10000")
    check(body, CONFIG | {"status": "success", "scan_interval_ms": 10_000})
    assert (await api.call("PUT", "/api/agent/config"))["scan_interval_ms"] == 10_000
    for bad in (99, 60_001):
        problem = await api.call("PUT", f"/api/agent/config?scan_interval_ms={bad}", 400)
        assert problem["code"] == "out_of_bounds"


async def test_scan_and_score(api):
    asked = {"symbols": ["BTCUSDT", "ETHUSDT"], "timeframes": ["15m", "1h"]}
    shapes = (
        {}, {"mode": "conservative", "any_tf_threshold": 0.65, "majority_tf_threshold": 0.6,
             "min_confidence": 0.0, "exclude_neutral": False},
        {"rules": {"min_score": 0.5, "min_confidence": 0.0, "max_risk_level": "HIGH",
                   "min_volume_usd": 1, "exclude_symbols": []}},
        {"weights": PRESETS["aggressive"],
         "rules": {"min_score": 0.5, "min_confidence": 0.0, "quick_scan": False}},
        {"rules": {"type": "threshold", "threshold": 0.5, "min_confidence": 0, "max_risk": "HIGH",
                   "exclude_neutral": False, "min_volume_usd": 0, "min_trust": 0}},
    )  # fmt: skip
    for shape in shapes:
        body = await api.call("POST", "/api/scanner/run", json=asked | shape)
        check(body, SCAN)
        assert body["opportunities_found"] == len(body["results"])
    assert [row["rank"] for row in body["results"]] == [1, 2]  # the last shape stops nobody
    check(await api.call("POST", "/api/signals/score", json={}), SCORE)
    one = {"symbol": "ETHUSDT", "timeframe": "1h"}
    body = await api.call("POST", "/api/signals/score", json=one)
    check(body, SCORE | {"levels": dict, "timestamp": int, "result": {
        "final_score": UNIT, "direction": SIDES, "advice": ("BUY", "SELL", "HOLD"),
        "confidence": UNIT, "bull_mass": NUMBER, "bear_mass": NUMBER, "disagreement": UNIT,
        "components": [{"detector": TEXT, "direction": SIDES, "confidence": NULLABLE}],
    }})  # fmt: skip
    assert " - Risk: " in body["advice"]


async def test_weights_and_presets(api):
    bare = await api.get("/api/config/weights")
    check(bare, WEIGHTS)
    assert bare == PRESETS["balanced"]
    for shape in (PRESETS["aggressive"], {"weights": PRESETS["conservative"]}):
        body = await api.call("PUT", "/api/config/weights", json=shape)
        check(body, {"status": "success", "weights": WEIGHTS})
    assert (await api.get("/api/config/weights")) == PRESETS["conservative"]
    problem = await api.call("PUT", "/api/config/weights", 400, json=bare | {"smc": 0.25})
    assert problem["sum"] == pytest.approx(1.05)
    await api.call("PUT", "/api/config/weights", 422, json=bare | {"smc": 1.2})
    where = "/api/config/weight-presets"
    listed = await api.get(where)
    check(listed, {"presets": [PRESET]})
    assert [one["name"] for one in listed["presets"]] == ["balanced", "aggressive", "conservative"]
    body = await api.call("POST", f"{where}?name=mine", json=bare)
    check(body, {"status": "success", "message": TEXT, "preset": PRESET})
    check(await api.call("DELETE", f"{where}/mine"), {"status": "success", "message": TEXT})
    await api.call("DELETE", f"{where}/mine", 404)
    await api.call("DELETE", f"{where}/balanced", 400)
    await api.call("POST", f"{where}?name=mine", 400, json=bare | {"smc": 0.3})


async def test_backtest(api):
    asked = {"symbol": "BTCUSDT", "start_date": "2025-10-01", "end_date": "2025-12-01",
             "initial_capital": 10_000, "fee": 0.0005, "slippage": 0.001}  # fmt: skip
    body = await api.call("POST", "/api/backtest/run", json=asked)
    check(body, BACKTEST)
    assert body["config"]["costs"]["fee"] == 0.0005
    assert body["equity_series"][0]["equity"] == pytest.approx(10_000, rel=0.05)


async def test_risk(api):
    check(await api.get("/api/risk/status"), RISK)
    check(await api.get("/api/risk/portfolio-assessment"), ASSESSMENT)
    for names in (("account_size", "risk_percent"), ("account_balance", "risk_percentage")):
        asked = {"entry_price": 45_000, "stop_loss": 44_000, names[0]: 10_000, names[1]: 2}
        body = await api.call("POST", "/api/risk/calculate-position", json=asked)
        check(body, POSITION)
        assert body["position_size"] == pytest.approx(0.2)
        assert body["position_value"] == pytest.approx(9_000)
        assert len(body["position"]["take_profit"]) == 3
    asked = {"entry_price": 45_000, "direction": "BULLISH", "atr": 500}
    body = await api.call("POST", "/api/risk/calculate-stop-loss", json=asked)
    check(body, STOP)
    assert body["stop_loss"] == pytest.approx(45_000 - 1.5 * 500)


async def test_stream(api):
    stream = f"ws://127.0.0.1:{api.port}/ws/realtime"
    async with aiohttp.ClientSession() as http, http.ws_connect(stream) as ws:
        check(await ws.receive_json(timeout=10), {
            "type": "status", "ws": {"connections": 1, "uptime": int},
        })  # fmt: skip
        await ws.send_json({"action": "subscribe", "symbols": ["BTCUSDT", "ETHUSDT"]})
        confirmed = await ws.receive_json(timeout=10)
        check(confirmed, {"type": "subscription_confirmed", "symbols": [TEXT]})
        assert confirmed["symbols"] == ["BTCUSDT", "ETHUSDT"]
        for _ in range(2):
            check(await ws.receive_json(timeout=10), SIGNAL)
        await ws.send_json({"action": "ping"})
        check(await ws.receive_json(timeout=10), {"type": "pong"})
        await ws.send_str("{")
        check(await ws.receive_json(timeout=10), {"type": "error", "message": "Invalid JSON"})
        await ws.send_json({"action": "unsubscribe", "symbols": ["BTCUSDT"]})
        told = await ws.receive_json(timeout=10)
        check(told, {"type": "unsubscription_confirmed", "symbols": [TEXT]})
