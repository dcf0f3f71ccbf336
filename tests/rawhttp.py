"""Raw bytes to a server and back, for tests of what no client library sends."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_NEW = re.compile(rb"(?<=\r\n)(Date|X-Request-Id): [^\r\n]*")


HOT = {
    "status": ("GET", "/api/agent/status", b""),
    "weights": ("GET", "/api/config/weights", b""),
    "price": ("GET", "/api/price/BTC-USDT", b""),
    "live": ("GET", "/api/signals/live?limit=3", b""),
    "scanned": ("GET", "/api/scanner/symbol/ETHUSDT?timeframes=1h,4h", b""),
    "score": ("POST", "/api/signals/score", b'{"symbol": "BTCUSDT", "timeframe": "1h"}'),
    "scan": ("POST", "/api/scanner/run", b'{"symbols": ["BTCUSDT"], "timeframes": ["1h"]}'),
}


def request(world: Any, method: str, path: str, body: bytes = b"", *lines: str) -> bytes:
    """Return a request as a client sends it."""
    head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{world.port}", *lines]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, world: Any) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", world.port))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def send(self, *segments: bytes) -> None:
        """Send bytes, each piece by itself: the server has read one before the next comes."""
        for segment in segments:
            self._writer.write(segment)
            await self._writer.drain()
            await asyncio.sleep(0)
            await asyncio.sleep(0.002 if len(segments) > 1 else 0)

    async def answer(self, head_only: bool = False) -> bytes:
        """Return the next answer."""
        async with asyncio.timeout(10):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if length is None or head_only:
                return head
            return head + await self._reader.readexactly(int(length[1]))

    async def ask(self, raw: bytes, head_only: bool = False) -> bytes:
        """Send a request and return its answer."""
        await self.send(raw)
        return await self.answer(head_only)

    async def ended(self) -> bool:
        """Wait until the server has hung up."""
        async with asyncio.timeout(10):
            return await self._reader.read() == b""


def same(answer: bytes) -> bytes:
    """Return an answer without what is new each time."""
    return _NEW.sub(rb"\1: -", answer)


def statuses(answers: Sequence[bytes]) -> list[int]:
    """Return the status codes."""
    return [int(answer[9:12]) for answer in answers]


def plain(name: str, answer: bytes) -> bytes:
    """Return an answer without what is new each time: of a scan also how long it took."""
    if name != "scan":
        return same(answer)
    head, _, body = answer.partition(b"\r\n\r\n")
    told = json.loads(body)
    told["meta"]["duration_ms"] = 0
    head = b"\r\n".join(x for x in head.split(b"\r\n") if not x.startswith(b"Content-Length"))
    return same(head + b"\r\n\r\n" + json.dumps(told).encode())


async def fresh(world: Any, raw: bytes) -> bytes:
    """Return the answer to a request on a connection of its own: refusals end theirs."""
    line = await Line.to(world)
    try:
        return await line.ask(raw)
    finally:
        await line.close()
