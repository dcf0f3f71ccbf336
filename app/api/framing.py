"""RFC 6455 to the letter: frames that break it end the connection with the code that says why.

Tornado takes unmasked frames and any closing code, and drops the line without a word at what it
does not take. Its ping answers also wait in memory for a client that never reads them.
"""

import base64
from asyncio import Future
from typing import Final, Protocol

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketProtocol13

PROTOCOL_ERROR: Final = 1002
BAD_TEXT: Final = 1007

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
KNOWN: Final = frozenset({0x0, TEXT, 0x2, CLOSE, PING, PONG})
KEY_BYTES: Final = 16
MOST_CONTROL: Final = 125
"""Bytes of a ping, pong or close."""

MOST_WAITING: Final = 64 * 1024
"""Bytes that wait for a client which still gets pongs."""

_SENT_NEVER: Final = frozenset({1004, 1005, 1006})


class Beats(Protocol):
    """What the connection's handler says of pings and pongs that come in."""

    def beat(self) -> bool:
        """Count one; False where there were too many, and it is not answered."""


def wrong_header(first: int, second: int, continues: bool) -> str:
    """Say what is wrong with the first two bytes of a client's frame; empty if nothing.

    Parameters
    ----------
    first, second : int
        The bytes.
    continues : bool
        Whether a message has begun and not ended.
    """
    opcode, size = first & 0x0F, second & 0x7F
    if first & 0x70:
        return "reserved bits must be 0"
    if opcode not in KNOWN:
        return "opcode must be known"
    if not second & 0x80:
        return "frames of a client must be masked"
    if opcode >= CLOSE:
        if size > MOST_CONTROL:
            return "control frames must be short"
        return "" if first & 0x80 else "control frames must be whole"
    if opcode == 0 and not continues:
        return "nothing to continue"
    return "message within a message" if opcode and continues else ""


def wrong_close(data: bytes) -> tuple[int, str] | None:
    """Return code and reason to answer a closing frame that is wrong; None if it is right."""
    if not data:
        return None
    code = int.from_bytes(data[:2], "big") if len(data) > 1 else 0
    given = 1000 <= code < 1015 and code not in _SENT_NEVER
    if not (given or 3000 <= code < 5000):
        return PROTOCOL_ERROR, "closing code must be one that is sent"
    return None if is_text(data[2:]) else (BAD_TEXT, "reason must be UTF-8")


def is_text(data: bytes) -> bool:
    """Say whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class StrictProtocol(WebSocketProtocol13):
    """Tornado's protocol with the checks that it leaves out; `handler` has a `beat`."""

    _header_next = False

    async def _receive_frame(self) -> None:
        self._header_next = True
        await super()._receive_frame()

    async def _read_bytes(self, n: int) -> bytes:
        data = await super()._read_bytes(n)
        if self._header_next:
            self._header_next = False
            wrong = wrong_header(data[0], data[1], self._fragmented_message_buffer is not None)
            if wrong:
                self._fail(PROTOCOL_ERROR, wrong)
                raise StreamClosedError
        return data

    def _handle_message(self, opcode: int, data: bytes) -> "Future[None] | None":
        if opcode == TEXT and not is_text(data):
            self._fail(BAD_TEXT, "text must be UTF-8")
            return None
        if opcode == CLOSE and (wrong := wrong_close(data)) is not None:
            self._fail(*wrong)
            return None
        if opcode in (PING, PONG) and not self._counted():
            return None
        return super()._handle_message(opcode, data)

    def _counted(self) -> bool:
        beats: Beats = self.handler  # type: ignore[assignment]  # RealtimeHandler is one
        # Who reads nothing of what waits already is not sent pongs on top: nobody counts those.
        waiting = len(getattr(self.stream, "_write_buffer", None) or b"")
        return beats.beat() and waiting <= MOST_WAITING

    def _fail(self, code: int, reason: str) -> None:
        self.close(code, reason)
        self._abort()


def is_key(text: str) -> bool:
    """Say whether a handshake's key is what it must be: 16 bytes in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False
