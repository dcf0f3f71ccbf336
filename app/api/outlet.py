"""Send frames to one socket without waiting for it, and without letting it fill the memory.

A frame is built once and the same bytes go to every socket. While a socket is free, its frames
leave in one `socket.send`; `write_message` would build each frame again and start a task per
client and message (measured: a third of the throughput). While it is not, its frames wait here:
of a state only the newest, of everything else all, until they pass `max_bytes` or nothing has
drained for `drain_s`; then the client is called slow and `on_slow` closes it.
"""

import asyncio
import struct
from collections.abc import Callable, Collection, Hashable
from typing import Any, Final

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

TEXT: Final = 0x81  # FIN and opcode text


def frame(payload: bytes) -> bytes:
    """Wrap a UTF-8 payload in an unmasked WebSocket text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", TEXT, size) + payload
    if size <= 0xFFFF:
        return struct.pack("!BBH", TEXT, 126, size) + payload
    return struct.pack("!BBQ", TEXT, 127, size) + payload


class Outlet:
    """The sending side of one WebSocket.

    Parameters
    ----------
    stream : IOStream
        The connection, already upgraded.
    now : callable
        Monotonic seconds.
    max_bytes : int
        Most bytes that may wait here.
    on_slow : callable
        Called once, when the client is too slow.
    direct : bool
        Use `socket.send` where the stream allows it; otherwise always `stream.write`.
    """

    def __init__(
        self,
        stream: IOStream,
        now: Callable[[], float],
        max_bytes: int,
        on_slow: Callable[[], None],
        direct: bool = True,
    ) -> None:
        self._stream, self._now, self._on_slow = stream, now, on_slow
        self._max_bytes = max_bytes
        self._direct = direct and not isinstance(stream, SSLIOStream)
        self._waiting: dict[Hashable, bytes] = {}
        self._bytes = 0
        self._busy_since: float | None = None
        self._idle: asyncio.Event | None = None
        self.closed = False
        self.coalesced = 0

    def send(self, frames: Collection[tuple[Hashable | None, bytes]]) -> None:
        """Send frames in order, now if the socket is free.

        Parameters
        ----------
        frames : collection of (key, bytes)
            A key names a state, whose newer frame takes the place of a waiting one; None is
            for what must all arrive.
        """
        if self._busy_since is None and not self._waiting and not self.closed:
            joined = b"".join([data for _, data in frames])
            if len(joined) <= self._max_bytes:
                if joined:
                    self._leave(joined)
                return
        for key, data in frames:
            self._hold(object() if key is None else key, data)
        if self._bytes > self._max_bytes:
            self._give_up()
        elif self._busy_since is None:
            self._flush()

    def send_one(self, key: Hashable | None, data: bytes) -> None:
        """Send one frame; the same as `send` of it alone, and quicker."""
        free = self._busy_since is None and not self._waiting and not self.closed
        if free and len(data) <= self._max_bytes:
            self._leave(data)
        else:
            self.send([(key, data)])

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait here for the socket."""
        return self._bytes

    def stuck_s(self) -> float:
        """Return for how many seconds nothing has drained; 0 while the socket is free."""
        return 0.0 if self._busy_since is None else self._now() - self._busy_since

    def check(self, drain_s: float) -> None:
        """Give up on a client that has not drained anything for `drain_s` seconds."""
        if self.stuck_s() > drain_s:
            self._give_up()

    async def left(self) -> None:
        """Wait until all has left, or this is closed; for one at a time."""
        while (self._waiting or self._busy_since is not None) and not self.closed:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def close(self) -> None:
        """Drop what waits and send nothing more."""
        self.closed = True
        self._waiting.clear()
        self._bytes = 0
        if self._idle is not None:
            self._idle.set()

    def _hold(self, key: Hashable, data: bytes) -> None:
        if self.closed:
            return
        old = self._waiting.get(key)
        if old is not None:
            self._bytes -= len(old)
            self.coalesced += 1
        self._waiting[key] = data
        self._bytes += len(data)

    def _give_up(self) -> None:
        if not self.closed:
            self.close()
            self._on_slow()

    def _flush(self) -> None:
        if not self._waiting or self.closed:
            return
        data = b"".join(self._waiting.values())
        self._waiting.clear()
        self._bytes = 0
        self._leave(data)

    def _leave(self, data: bytes) -> None:
        sent = self._send_now(data)
        if sent == len(data) or self._stream.closed():
            return
        try:
            future = self._stream.write(memoryview(data)[sent:])
        except StreamClosedError:
            return
        if not future.done():
            self._busy_since = self._now()
            future.add_done_callback(self._drained)

    def _send_now(self, data: bytes) -> int:
        # `_write_buffer` is private to Tornado: bytes that wait there must leave first. Without
        # it (another version) every byte goes through `stream.write`, slower but right.
        stream: Any = self._stream
        buffer = getattr(stream, "_write_buffer", None)
        if not self._direct or buffer is None or len(buffer) or stream.closed():
            return 0
        try:
            return int(stream.socket.send(data))
        except BlockingIOError:
            return 0
        except OSError:
            stream.close()
            return 0

    def _drained(self, future: Any) -> None:
        self._busy_since = None
        if not future.cancelled() and future.exception() is None:
            self._flush()
        if self._idle is not None:
            self._idle.set()
