"""A WebSocket client that says exactly what a test wants, right or wrong."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import struct
from dataclasses import dataclass
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WAIT_S = 5.0

CONTINUE, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def client_frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True,
    length: bytes | None = None,
) -> bytes:
    """Return a frame; `length` takes the place of the bytes that say how long it is."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit, size = (0x80 if masked else 0), len(payload)
    if length is None:
        if size < 126:
            length = bytes([bit | size])
        elif size <= 0xFFFF:
            length = struct.pack("!BH", bit | 126, size)
        else:
            length = struct.pack("!BQ", bit | 127, size)
    if not masked:
        return bytes([first]) + length + payload
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([first]) + length + mask + hidden


def text_frame(**message: Any) -> bytes:
    return client_frame(TEXT, json.dumps(message).encode())


@dataclass
class Frame:
    """A frame as the server sent it."""

    opcode: int
    payload: bytes

    @property
    def message(self) -> dict[str, Any]:
        return dict(json.loads(self.payload))

    @property
    def code(self) -> int | None:
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) > 1 else None


class Raw:
    """The bare line after the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.status, self.headers, self.body = 0, {}, b""

    async def shake(self, lines: str) -> None:
        """Send a request and read the head of the answer; after a refusal the body, too."""
        self.writer.write(lines.encode())
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)).decode()
        first, *rest = head.strip().split("\r\n")
        self.status = int(first.split()[1])
        pairs = (line.partition(":") for line in rest)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if self.status != 101:
            n = int(self.headers.get("content-length", 0))
            self.body = await asyncio.wait_for(self.reader.readexactly(n), WAIT_S)

    async def send(self, *frames: bytes) -> None:
        for data in frames:
            self.writer.write(data)
        await self.writer.drain()

    async def frame(self) -> Frame | None:
        """Read the next frame, which must be right; None when the line has ended."""
        try:
            async with asyncio.timeout(WAIT_S):
                first, size = await self.reader.readexactly(2)
                assert first & 0x70 == 0
                assert first & 0x80
                assert size & 0x80 == 0  # a server masks nothing
                if size == 126:
                    (size,) = struct.unpack("!H", await self.reader.readexactly(2))
                    assert size > 125
                elif size == 127:
                    (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
                    assert size > 0xFFFF
                return Frame(first & 0x0F, await self.reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def message(self) -> dict[str, Any]:
        """Read the next text message; pings and pongs in between are passed over."""
        while True:
            frame = await self.frame()
            assert frame is not None, "the line has ended"
            if frame.opcode == TEXT:
                return frame.message
            assert frame.opcode in (PING, PONG), frame

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.send(text_frame(**message))
        return await self.message()

    async def lives(self) -> bool:
        """Say whether a ping is still answered."""
        mark = os.urandom(6).hex()
        await self.send(client_frame(PING, mark.encode()))
        while (frame := await self.frame()) is not None:
            if frame.opcode == PONG and frame.payload == mark.encode():
                return True
            if frame.opcode == CLOSE:
                return False
        return False

    async def verdict(self) -> int | None:
        """Read to the end; return the code of the closing frame, None without one."""
        code = None
        while (frame := await self.frame()) is not None:
            if frame.opcode == CLOSE:
                code = frame.code
                with contextlib.suppress(ConnectionError):
                    await self.send(client_frame(CLOSE, frame.payload[:2]))
        return code

    async def end(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def request_of(port: int, without: str = "", **headers: str) -> str:
    """Return the head of a handshake; names are given with `_` for `-`."""
    given = {
        "Host": f"127.0.0.1:{port}", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key(),
    } | {name.replace("_", "-"): value for name, value in headers.items()}  # fmt: skip
    lines = [f"{name}: {value}" for name, value in given.items() if name != without]
    return "\r\n".join(["GET /ws/realtime HTTP/1.1", *lines]) + "\r\n\r\n"
