"""A tiny exchange on loopback whose answers a test sets; it notes every call.

    async with Scripted() as server:
        server.answers["/api/v3/time"] = {"serverTime": 1}
        server.answers["/api/v3/klines"] = [Reply(status=429), [[...]]]   # one after the other
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

MINUTE = 60_000


@dataclass(frozen=True)
class Reply:
    """An answer; `body` other than text and bytes becomes JSON.

    `length` is told instead of the body's own length (the line is cut then), `wait_s` is waited
    for before, `drop` cuts the line without an answer.
    """

    body: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    length: int | None = None
    wait_s: float = 0.0
    drop: bool = False


@dataclass(frozen=True)
class Call:
    """What was asked, and when (monotonic seconds)."""

    at: float
    path: str
    query: dict[str, str]


class Series(list):
    """Answers that are given one after the other; the last one stays."""


class Scripted:
    """See the module; `answers` by path: data, a `Reply`, a `Series`, or a function of the call."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = answers if answers is not None else binance()
        self.calls: list[Call] = []
        self.dials: list[Call] = []
        self.dial_reply: Reply | None = None  # instead of a handshake
        self.sockets: list[Any] = []
        self.heard: list[Any] = []
        self.changed = asyncio.Event()

    async def __aenter__(self) -> "Scripted":
        server = self

        class Handler(tornado.web.RequestHandler):
            async def get(self) -> None:
                await server._answer(self)

        class Socket(tornado.websocket.WebSocketHandler):
            async def get(self, *args: Any, **kwargs: Any) -> None:
                server.dials.append(_call(self.request))
                if server.dial_reply is not None:
                    _write(self, server.dial_reply)
                    return
                await super().get(*args, **kwargs)

            def open(self, *_: str) -> None:
                server.sockets.append(self)
                server.changed.set()

            def on_message(self, message: str | bytes) -> None:
                told = json.loads(message)
                server.heard.append(told)
                self.write_message(json.dumps({"result": None, "id": told.get("id")}))
                server.changed.set()

            def on_close(self) -> None:
                server.sockets.remove(self)
                server.changed.set()

        application = tornado.web.Application(
            [(r"/stream/.*", Socket), (r"/.*", Handler)], log_function=lambda _: None
        )
        self._sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self._server = tornado.httpserver.HTTPServer(application)
        self._server.add_sockets(self._sockets)
        self.port = self._sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in list(self.sockets):
            socket.close()
        self._server.stop()
        await self._server.close_all_connections()

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(c.path == path for c in self.calls)

    def send(self, message: Any) -> None:
        """Send a message to every socket; text goes as it is."""
        for socket in self.sockets:
            socket.write_message(message if isinstance(message, str) else json.dumps(message))

    async def until(self, true: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(timeout_s):
            while not true():
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.02)
                except TimeoutError:
                    continue

    async def _answer(self, handler: tornado.web.RequestHandler) -> None:
        call = _call(handler.request)
        self.calls.append(call)
        self.changed.set()
        answer = self.answers.get(call.path, Reply("<html>not here</html>", 404, kind="text/html"))
        if isinstance(answer, Series):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(call)
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        if reply.wait_s:
            await asyncio.sleep(reply.wait_s)
        _write(handler, reply)


def _call(request: Any) -> Call:
    query = {k: v[0] for k, v in parse_qs(urlsplit(request.uri).query).items()}
    return Call(time.monotonic(), request.path, query)


def _write(handler: tornado.web.RequestHandler, reply: Reply) -> None:
    body = reply.body if isinstance(reply.body, str | bytes) else json.dumps(reply.body)
    data = body.encode() if isinstance(body, str) else body
    if not reply.drop and reply.length is None:
        handler.set_status(reply.status, "as asked")
        handler.set_header("Content-Type", reply.kind)
        for name, value in reply.headers.items():
            handler.set_header(name, value)
        handler.finish(data)
        return
    stream = handler.detach()
    if not reply.drop:
        head = f"HTTP/1.1 {reply.status} OK\r\nContent-Type: {reply.kind}\r\n"
        stream.write(f"{head}Content-Length: {reply.length}\r\n\r\n".encode() + data)
    stream.close()


def binance(
    symbols: tuple[str, ...] = ("BTC/USDT", "ETH/USDT"), told: Any = None
) -> dict[str, Any]:
    """Return answers of an exchange that speaks Binance's format."""
    market = {"opportunity": told} if told is not None else {}
    return {
        "/api/v3/exchangeInfo": {
            "symbols": [
                {
                    "symbol": s.replace("/", ""), "status": "TRADING",
                    "baseAsset": s.split("/")[0], "quoteAsset": s.split("/")[1],
                    "baseAssetPrecision": 8, "quotePrecision": 8, "permissions": ["SPOT"],
                    "filters": [
                        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000",
                         "tickSize": "0.01"},
                        {"filterType": "LOT_SIZE", "minQty": "0.0001", "maxQty": "9000",
                         "stepSize": "0.0001"},
                    ],
                    **market,
                }
                for s in symbols
            ]
        },
        "/api/v3/time": lambda _: {"serverTime": wall_ms()},
        "/api/v3/klines": klines,
    }  # fmt: skip


def klines(call: Call) -> list[list[Any]]:
    """Return up to `limit` minutes from `startTime` on, the newest one open."""
    now = wall_ms()
    start = -(-int(call.query.get("startTime", now - 10 * MINUTE)) // MINUTE) * MINUTE
    n = min(int(call.query.get("limit", 500)), (now - start) // MINUTE + 1)
    return [
        [t, "100", "101", "99", "100.5", "5", t + MINUTE - 1, "500", 3, "2", "200", "0"]
        for t in range(start, start + n * MINUTE, MINUTE)
    ]


def wall_ms() -> int:
    """Return wall time, ms UTC."""
    return time.time_ns() // 1_000_000
