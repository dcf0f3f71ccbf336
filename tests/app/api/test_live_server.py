"""The API over the real services: simulated market, agent on its own thread, database."""

import asyncio
import json

import aiohttp
import pytest
import websockets
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.api import install, routes
from app.feed import make_feed
from app.services import Services
from opportunity.config import Settings
from opportunity.feeds.clock import wall_ms
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

FRAMES = ("5m", "15m", "1h")
STAMPED = {"/health", "/api/metrics", "/api/agent/status", "/api/signals/score", "/api/scanner/run"}


@pytest.fixture
async def live(tmp_path):
    settings = Settings(
        home=tmp_path, symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"), timeframes=FRAMES,
        speed=1_200.0, start="2026-01-05T12:00:00", port=0, scan_interval_ms=500,
    )  # fmt: skip
    memory = Memory(open_database(settings.database), wall_ms)
    feed = make_feed(settings, None, wall_ms())
    services = Services(settings, feed, memory, asyncio.get_running_loop())
    await services.start()
    application = Application(routes(services))
    realtime = install(application, services)
    server = HTTPServer(application)
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        yield services, realtime, http, port
        await realtime.close()
    server.stop()
    await server.close_all_connections()
    await services.stop()


async def hear(ws, *kinds):
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await ws.recv())
            if message["type"] in kinds:
                return message


async def test_everything_answers_over_the_real_services(live):
    _, realtime, http, _ = live
    calls = [
        ("GET", "/health", None), ("GET", "/health/ready", None), ("GET", "/metrics", None),
        ("GET", "/api/metrics", None), ("GET", "/api/agent/status", None),
        ("GET", "/api/agent/config", None), ("GET", "/api/config/weights", None),
        ("GET", "/api/config/weight-presets", None),
        ("PUT", "/api/agent/config", {"rules": {"min_volume_usd": 0}}),
        ("POST", "/api/agent/subscribe", {"symbols": ["ethusdt"]}),
        ("POST", "/api/signals/score", {"symbol": "SOL-USDT", "timeframe": "5m"}),
        ("POST", "/api/signals/score", {"symbol": "SOL-USDT", "timeframe": "4h"}),
        ("POST", "/api/scanner/run", {"rules": {"type": "any", "threshold": 0.5}}),
        ("POST", "/api/scanner/run", {"timeframes": ["4h"], "symbols": ["BTCUSDT"]}),
        ("POST", "/api/config/weight-presets?name=x", PRESETS["balanced"]),
        ("DELETE", "/api/config/weight-presets/x", None),
    ]  # fmt: skip
    for method, path, body in calls:
        async with http.request(method, path, json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, (method, path, text)
            assert "NaN" not in text
            if path in STAMPED:
                assert '"source":"simulated"' in text
    async with http.delete("/api/config/weight-presets/x") as answer:
        assert answer.status == 404
    assert realtime.broken == 0


async def test_signals_flow_weights_are_told_and_off_is_off(live):
    services, realtime, http, port = live
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws/realtime", proxy=None) as ws:
        await hear(ws, "status")
        symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        channels = ["signal", "price", "market_scan", "config"]
        await ws.send(json.dumps(
            {"action": "subscribe", "symbols": symbols, "channels": channels}
        ))  # fmt: skip
        seen = set()
        while len(seen) < 3:
            seen.add((await hear(ws, *channels))["type"])
        async with http.put("/api/config/weights", json=PRESETS["aggressive"]) as answer:
            assert answer.status == 200
        async with asyncio.timeout(30):
            event = await hear(ws, "config_changed")
        assert event["value"] == PRESETS["aggressive"]
        services.weights.update(smc=0.3)
        assert (await hear(ws, "config_changed"))["by"] == "python"
        await http.put("/api/agent/toggle", params={"enabled": "false"})
        await hear(ws, "config_changed")
        for _ in range(2):  # what was on its way when the switch was turned
            last = await hear(ws, "price")
        for _ in range(8):
            message = await hear(ws, "price", "signal")
            assert message["type"] == "price"
            assert message["ts"] >= last["ts"]
        await http.put("/api/agent/toggle", params={"enabled": "true"})
        assert (await hear(ws, "signal"))["source"] == "simulated"
    assert realtime.broken == 0
