"""The API over real services on a free port, and a caller that reads its answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.api import install, routes
from app.services import Services


@dataclass
class Wired:
    """A running API and a client for it."""

    services: Services
    application: Application
    http: aiohttp.ClientSession
    port: int

    async def get(self, path: str, status: int = 200, **kwargs: Any) -> Any:
        """Return the body of a GET that ends with this status."""
        return await self.call("GET", path, status, **kwargs)

    async def call(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """Return the body of a request that ends with this status."""
        async with self.http.request(method, path, **kwargs) as answer:
            text = await answer.text()
            assert answer.status == status, text
            assert "NaN" not in text
            return await answer.json(content_type=None) if "json" in answer.content_type else text


@asynccontextmanager
async def wired(services: Services) -> AsyncIterator[Wired]:
    """Serve the API of services that run."""
    application = Application(routes(services))  # type: ignore[arg-type]
    realtime = install(application, services)
    server = HTTPServer(application)
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield Wired(services, application, http, port)
    finally:
        await realtime.close()
        server.stop()
        await server.close_all_connections()
