"""The client's side of a WebSocket as bytes: a handshake, masked frames out, frames in."""

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any, Final

KEY: Final = base64.b64encode(b"0123456789abcdef").decode()
MASK: Final = b"\0\0\0\0"
"""A mask of zeros is a mask: what is sent is nobody's secret here."""

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def upgrade(port: int) -> bytes:
    """Return the request that opens a WebSocket."""
    return (
        f"GET /ws/realtime HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, 0x80 | size) + MASK + payload
    return struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size) + MASK + payload


def text(message: dict[str, Any]) -> bytes:
    """Return a message as a frame."""
    return masked(TEXT, json.dumps(message).encode())


def frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of the whole frames of a buffer, and take them out of it."""
    at, end = 0, len(buffer)
    while end - at >= 2:
        size, head = buffer[at + 1], 2
        if size == 126:
            if end - at < 4:
                break
            size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
        elif size == 127:
            if end - at < 10:
                break
            size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
        if end - at < head + size:
            break
        yield buffer[at] & 15, bytes(buffer[at + head : at + head + size])
        at += head + size
    del buffer[:at]
