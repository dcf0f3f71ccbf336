"""Servers for clients: a scripted one, and the real services on a loop of their own."""

import asyncio
from collections import defaultdict

import orjson
import pytest
from aiohttp import WSMsgType, web
from looking import Elsewhere

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
RULES = {
    "type": "majority", "threshold": 0.6, "min_confidence": 0.1, "max_risk": "HIGH",
    "exclude_neutral": True, "min_volume_usd": 0.0, "exclude_symbols": [], "direction": None,
    "min_trust": 0.0, "timeframe_weights": {},
}  # fmt: skip
NAMES = (
    "harmonic", "elliott", "smc", "fibonacci", "price_action", "sar", "sentiment", "news", "whales"
)  # fmt: skip
WEIGHTS = dict(zip(NAMES, (0.15, 0.15, 0.2, 0.1, 0.15, 0.1, 0.1, 0.03, 0.02), strict=True))


class Scripted:
    """A server that does as it is told; its log of events is all that the stream is made of."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.enabled, self.interval = True, 30_000
        self.weights, self.version, self.rules = dict(WEIGHTS), 1, dict(RULES)
        self.epoch, self.log = "e1", defaultdict(list)
        self.sockets: list = []
        self.asked: list = []
        self.failures: list = []  # statuses that the next requests end with
        self.refuse_stream, self.wait, self.refuse_resume = 0, "", 0
        self.token = self.before_stream = None
        self.handshakes = 0
        self.runner = None
        self.port = 0

    # -- life

    async def start(self, port: int = 0) -> None:
        application = web.Application(middlewares=[self._check])
        application.router.add_route("GET", "/ws/realtime", self._shake)
        application.router.add_route("*", "/{path:.*}", self._rest)
        self.runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", port)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        await self.drop()
        await self.runner.cleanup()

    async def drop(self, code: int = 1001) -> None:
        """Close all streams."""
        for socket in tuple(self.sockets):
            await socket.close(code=code)

    # -- REST

    @web.middleware
    async def _check(self, request, handler):
        self.asked.append((request.method, request.path_qs, dict(request.headers)))
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._problem(401, "unauthorized", "A token is needed.")
        if self.failures and request.path != "/ws/realtime":
            status = self.failures.pop(0)
            return self._problem(status, "broken", "It does not work.", {"Retry-After": "0"})
        return await handler(request)

    @staticmethod
    def _problem(status, code, detail, headers=None):
        body = orjson.dumps({"status": status, "code": code, "detail": detail, "field": "x",
                             "request_id": "r1"})
        return web.Response(status=status, body=body, content_type="application/problem+json",
                            headers=headers)

    def status(self):
        return {
            "enabled": self.enabled, "scan_interval_ms": self.interval,
            "subscribed_symbols": list(SYMBOLS[:2]), "running": True, "last_scan_at": 5,
            "last_scan_ms": 1.5, "next_scan_at": None, "last_error": None, "source": "simulated",
        }

    async def _rest(self, request):
        body = await request.json() if request.can_read_body else None
        match request.method, request.path:
            case "GET", "/api/agent/status":
                return web.json_response(self.status())
            case "PUT", "/api/agent/toggle":
                self.enabled = request.query["enabled"] == "true"
                return web.json_response(self.status())
            case "GET", "/api/agent/config":
                return web.json_response({"symbols": list(SYMBOLS), "timeframes": ["1h"],
                                          "rules": self.rules})
            case "PUT", "/api/agent/config":
                if "scan_interval_ms" in request.query:
                    self.interval = int(request.query["scan_interval_ms"])
                self.rules |= (body or {}).get("rules", {})
                return web.json_response({"status": "success"})
            case "GET", "/api/config/weights":
                return web.json_response(self.weights, headers={"Etag": f'"{self.version}"'})
            case "PUT", "/api/config/weights":
                if request.headers.get("If-Match") not in (None, f'"{self.version}"'):
                    return self._problem(412, "stale", "The weights have changed since.")
                self.weights, self.version = body, self.version + 1
                return web.json_response({"weights": body, "version": self.version},
                                         headers={"Etag": f'"{self.version}"'})
            case "POST", "/api/echo":
                return web.json_response({"body": body})
        return self._problem(404, "not_found", "There is nothing at this path.")

    # -- the stream

    async def _shake(self, request):
        return await (self.before_stream or self._stream)(request)

    async def _stream(self, request):
        self.handshakes += 1
        if self.refuse_stream:
            headers = {"Retry-After": self.wait} if self.wait else None
            return self._problem(self.refuse_stream, "refused", "Not now.", headers)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        socket["channels"] = set()
        self.sockets.append(socket)
        await self._send(socket, {"type": "status", "agent": {"enabled": self.enabled}})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(socket, orjson.loads(message.data))
        self.sockets.remove(socket)
        return socket

    async def _hear(self, socket, command):
        if command["action"] == "subscribe":
            socket["channels"] |= set(command["channels"])
            await self._send(socket, {
                "type": "subscription_confirmed", "symbols": command.get("symbols", []),
                "channels": command["channels"], "epoch": self.epoch, "seqs": self._newest(),
            })
        elif command["action"] == "resume" and self.refuse_resume:
            self.refuse_resume -= 1
            await self._send(socket, {"type": "error", "code": "rate_limited", "message": "slow"})
        elif command["action"] == "resume":
            await self._resume(socket, command)

    async def _resume(self, socket, command):
        since = command["seqs"] if command["epoch"] == self.epoch else {}
        missed = [m for log in self.log.values() for m in log
                  if m["seq"] > since.get(m.get("channel"), 0)]
        same = command["epoch"] == self.epoch
        await self._send(socket, {
            "type": "resumed", "epoch": self.epoch, "complete": same, "replayed": len(missed),
            "seq": 0, "seqs": self._newest(),
        })
        for message in missed:
            await self._send(socket, message)

    def _newest(self):
        return {c: len(self.log[c]) for c in ("config", "trade", "alert")}

    @staticmethod
    async def _send(socket, message):
        await socket.send_str(orjson.dumps(message).decode())

    async def say(self, message) -> None:
        for socket in tuple(self.sockets):
            await self._send(socket, message)

    async def happen(self, channel, **fields) -> None:
        """Put an event into the log and send it to whoever is there."""
        kind = "config_changed" if channel == "config" else channel
        message = {"type": kind, "channel": channel, "epoch": self.epoch,
                   "seq": len(self.log[channel]) + 1} | fields
        self.log[channel].append(message)
        await self.say(message)


@pytest.fixture
def elsewhere():
    made = Elsewhere()
    yield made
    made.close()


@pytest.fixture
def scripted(elsewhere):
    server = Scripted(elsewhere.loop)
    elsewhere.run(server.start())
    yield server
    elsewhere.run(server.stop())


@pytest.fixture
def address(scripted):
    return f"http://127.0.0.1:{scripted.port}"
