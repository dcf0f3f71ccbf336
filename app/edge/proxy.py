"""The reverse proxy of an edge: what it does not serve itself it passes on, piece by piece.

Below Tornado's handlers, so that bodies are never held whole and nothing is parsed twice: the
agent's process judges every request, here it is only carried.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import Any, Final

import aiohttp
import orjson
import structlog
from multidict import CIMultiDict
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from app.api.base import HEADERS
from app.api.problems import ApiError, problem_of
from app.edge.forwarding import kept_raw
from app.edge.tunnel import Tunnels, asks_for_tunnel
from app.edge.upstream import Upstream, away

logger = structlog.get_logger(__name__)

PIECES: Final = 8
"""Pieces of a body that may wait; then its sender does."""


class Proxy:
    """Passes requests on to the agent's process.

    Parameters
    ----------
    upstream : Upstream
        Where it is; closed by who made it.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.tunnels = Tunnels(upstream)
        self._running: set[asyncio.Future[None]] = set()

    def carry(self, request: HTTPServerRequest) -> HTTPMessageDelegate:
        """Return what takes a request in and answers it."""
        return _Passage(self, request)

    def start(self, work: Any) -> "asyncio.Future[None]":
        """Run a coroutine until its end, or that of the proxy."""
        made: asyncio.Future[None] = asyncio.ensure_future(work)
        self._running.add(made)
        made.add_done_callback(self._running.discard)
        return made

    @property
    def n_running(self) -> int:
        """Requests under way."""
        return len(self._running)

    async def close(self, grace_s: float) -> None:
        """Let requests under way come to their end for so long, then end them."""
        await self.tunnels.close()
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        for one in tuple(self._running):
            one.cancel()
        if self._running:
            await asyncio.wait(self._running)


class _Passage(HTTPMessageDelegate):
    """One request on its way."""

    def __init__(self, proxy: Proxy, request: HTTPServerRequest) -> None:
        self._proxy, self._request = proxy, request
        self._connection: Any = request.connection
        self._body: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self._refused = self._begun = False
        self._task: asyncio.Future[None] | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Begin to pass it on."""
        if asks_for_tunnel(self._request):
            self._proxy.start(self._proxy.tunnels.run(self._request, self._connection.detach()))
            return
        self._connection.set_close_callback(self.on_connection_close)
        has_body = "Content-Length" in headers or "Transfer-Encoding" in headers
        self._task = self._proxy.start(self._pass(has_body))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take a piece of the body; its sender waits while too many do."""
        return None if self._refused else self._body.put(chunk)

    def finish(self) -> None:
        """Note the body's end."""
        if self._task is not None and not self._refused:
            self._proxy.start(self._body.put(None))

    def on_connection_close(self) -> None:
        """Give up: nobody waits for the answer."""
        if self._task is not None:
            self._task.cancel()

    async def _pieces(self) -> AsyncIterator[bytes]:
        while (chunk := await self._body.get()) is not None:
            yield chunk

    async def _pass(self, has_body: bool) -> None:
        try:
            await self._ask(has_body)
        except ApiError as error:
            self._fail(error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            logger.info("agent not reached", error=type(error).__name__)
            self._fail(away())
        except StreamClosedError:
            pass  # the caller has gone
        finally:
            self._refused = True
            while not self._body.empty():  # who waits to put a piece down may go on
                self._body.get_nowait()

    async def _ask(self, has_body: bool) -> None:
        request, upstream = self._request, self._proxy.upstream
        headers: CIMultiDict[str] = CIMultiDict(upstream.forwarding.request(request))
        async with upstream.session.request(
            str(request.method), upstream.address(str(request.uri)),
            headers=headers, data=self._pieces() if has_body else None, allow_redirects=False,
        ) as answer:  # fmt: skip
            self._begun = True
            line = ResponseStartLine("HTTP/1.1", answer.status, answer.reason or "")
            head = self._connection.write_headers(line, kept_raw(answer.raw_headers))
            await head
            async for chunk in answer.content.iter_any():
                if request.method != "HEAD":
                    await self._connection.write(chunk)
            self._connection.finish()

    def _fail(self, error: ApiError) -> None:
        """Answer with problem details, or hang up where an answer has begun."""
        if self._begun:
            self._connection.stream.close()
            return
        name = uuid.uuid4().hex
        problem = problem_of(error.status_code, error, self._request.path[:200], name)
        body = orjson.dumps(problem.model_dump(exclude_none=True))
        given = HEADERS | error.headers | {
            "Content-Type": "application/problem+json; charset=utf-8", "X-Request-Id": name,
            "Content-Length": str(len(body)), "Connection": "close",
        }  # fmt: skip
        line = ResponseStartLine("HTTP/1.1", error.status_code, problem.title)
        with suppress(StreamClosedError):
            self._connection.write_headers(
                line, HTTPHeaders(given), b"" if self._request.method == "HEAD" else body
            )
            self._connection.finish()
