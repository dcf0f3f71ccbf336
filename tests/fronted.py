"""A reverse proxy over real sockets, and what an agent's process might answer behind it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from redis_server import free_port
from tornado.httpserver import HTTPServer
from tornado.routing import Router

from app.edge.forwarding import Forwarding
from app.edge.proxy import Proxy
from app.edge.upstream import Upstream

SECRET = "shared"


@dataclass
class Front:
    """A proxy, and what is behind it."""

    url: str
    proxy: Proxy
    upstream: Upstream
    http: aiohttp.ClientSession
    behind: web.AppRunner
    seen: list[Any]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class All(Router):
    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        return self._proxy.carry(request)


def behind(seen: list[Any]) -> web.Application:
    """What an agent's process might answer."""

    async def echo(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen.append((request.method, request.raw_path, dict(request.headers)))
        return web.json_response({"size": len(body), "hash": hashlib.sha256(body).hexdigest()})

    async def cookies(request: web.Request) -> web.StreamResponse:
        answer = web.Response(status=303, headers={"Location": "/x", "Server": "x"})
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    async def pieces(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for n in range(int(request.query["n"])):
            await answer.write(b"%08d" % n * 1_000)
        return answer

    async def broken(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return answer

    async def same(request: web.Request) -> web.StreamResponse:
        return web.Response(status=304, headers={"ETag": '"7"'})

    async def full(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "too_large"}, status=413)

    async def hangs(request: web.Request) -> web.StreamResponse:
        seen.append("asked")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("given up")
            raise
        return web.Response()

    async def sockets(request: web.Request) -> web.StreamResponse:
        seen.append(dict(request.headers))
        socket = web.WebSocketResponse(protocols=("bokeh",))
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data[::-1])
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    application = web.Application(client_max_size=1 << 30)
    application.add_routes([
        web.get("/cookies", cookies), web.get("/pieces", pieces), web.get("/broken", broken),
        web.get("/same", same), web.post("/full", full), web.get("/hangs", hangs),
        web.get("/ws", sockets), web.route("*", "/{rest:.*}", echo),
    ])  # fmt: skip
    return application


@asynccontextmanager
async def fronted(trusted: tuple[str, ...] = ()) -> AsyncIterator[Front]:
    seen: list[Any] = []
    runner = web.AppRunner(behind(seen), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    upstream = Upstream(
        site.name, Forwarding(SECRET, trusted), asyncio.get_running_loop().time
    )
    proxy = Proxy(upstream)
    server = HTTPServer(All(proxy), max_body_size=1 << 30)
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        yield Front(f"http://127.0.0.1:{port}", proxy, upstream, http, runner, seen)
    server.stop()
    await proxy.close(0.1)
    await server.close_all_connections()
    await upstream.close()
    await runner.cleanup()
