"""WebSockets of the pages, through an edge: bytes go both ways as they are.

Until the agent's process has said yes, nothing of the caller's goes through but the one request,
so that what looks like a WebSocket and is none cannot carry a second request past the first.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Final

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream, StreamClosedError

from app.api.problems import ApiError
from app.edge.upstream import Upstream

logger = structlog.get_logger(__name__)

CONNECT_S: Final = 2.0
ANSWER_S: Final = 30.0
MOST_HEAD: Final = 64 * 1024
MOST_PIECE: Final = 64 * 1024
MOST_TUNNELS: Final = 1_000
Lost: Final = (
    ApiError, OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
)  # fmt: skip
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


def asks_for_tunnel(request: HTTPServerRequest) -> bool:
    """Say whether a request is the handshake of a WebSocket; no other upgrade is passed on."""
    headers = request.headers
    connection = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    return (
        request.method == "GET"
        and headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in connection
        and headers.get("Content-Length", "0") == "0"
        and "Transfer-Encoding" not in headers
    )


class Tunnels:
    """Carries WebSockets to the agent's process.

    Parameters
    ----------
    upstream : Upstream
        Where it is.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._streams: set[IOStream] = set()

    @property
    def n_open(self) -> int:
        """Tunnels that are open now."""
        return len(self._streams)

    async def close(self) -> None:
        """Close all of them."""
        for stream in tuple(self._streams):
            stream.close()

    async def run(self, request: HTTPServerRequest, stream: IOStream) -> None:
        """Serve one caller until one side closes."""
        if len(self._streams) >= MOST_TUNNELS:
            with suppress(StreamClosedError):
                await stream.write(BUSY)
            stream.close()
            return
        self._streams.add(stream)
        try:
            await self._serve(request, stream)
        except StreamClosedError:
            pass  # the caller has gone
        except Lost:
            with suppress(StreamClosedError):
                await stream.write(BUSY)
        finally:
            self._streams.discard(stream)
            stream.close()

    async def _serve(self, request: HTTPServerRequest, stream: IOStream) -> None:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await self._open()
        try:
            writer.write(self._request(request))
            async with asyncio.timeout(ANSWER_S):
                head = await reader.readuntil(b"\r\n\r\n")
            if head.split(b" ", 2)[1:2] != [b"101"]:
                await _refuse(stream, head, reader)
                return
            await stream.write(head)
            await _both_ways(stream, reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = self._upstream.address("")
        context = ssl.create_default_context() if url.scheme == "https" else None
        return await asyncio.open_connection(url.host, url.port, ssl=context, limit=MOST_HEAD)

    def _request(self, request: HTTPServerRequest) -> bytes:
        pairs = [
            *self._upstream.forwarding.request(request), ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
        ]  # fmt: skip
        lines = [f"{request.method} {request.uri} HTTP/1.1", *(f"{n}: {v}" for n, v in pairs)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _both_ways(
    stream: IOStream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes until one side has no more; each waits for the other to take them."""
    down = asyncio.ensure_future(_down(stream, reader))
    up = asyncio.ensure_future(_up(stream, writer))
    try:
        await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (down, up):
            one.cancel()
        await asyncio.wait((down, up))


async def _down(stream: IOStream, reader: asyncio.StreamReader) -> None:
    with suppress(StreamClosedError, OSError):
        while data := await reader.read(MOST_PIECE):
            await stream.write(data)


async def _up(stream: IOStream, writer: asyncio.StreamWriter) -> None:
    with suppress(StreamClosedError, OSError):
        while True:
            writer.write(await stream.read_bytes(MOST_PIECE, partial=True))
            await writer.drain()


async def _refuse(stream: IOStream, head: bytes, reader: asyncio.StreamReader) -> None:
    """Pass on an answer that is none of a WebSocket, and hang up after it."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    found = [line for line in lines if line.lower().startswith(b"content-length:")]
    size = int(found[0].partition(b":")[2]) if found else 0
    async with asyncio.timeout(ANSWER_S):
        body = await reader.readexactly(min(size, MOST_HEAD))
    closing = b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])
    await stream.write(closing + body)
