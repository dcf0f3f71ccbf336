"""WebSockets: who is subscribed to what, and the writing of frames to many at once."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from tornado.concurrent import Future
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from app.exchange import wire
from app.exchange.core import Core
from app.exchange.socket_faults import ErrorAck, HandshakeRefuse, Stall
from opportunity.market.timeframe import TIMEFRAMES, divides

logger = structlog.get_logger(__name__)

MOST_WAITING: Final = 8 * 2**20
"""Bytes that may wait for a reader before it is cut off."""

_NAME: Final = re.compile(
    r"([a-z0-9]{1,40})@(kline_[0-9]{1,2}[mhdw]|trade|aggTrade|miniTicker"
    r"|depth@100ms|depth)"
)
ALL_TICKERS: Final = "!miniTicker@arr"


@dataclass(frozen=True, slots=True)
class Channel:
    """One stream: its name, the symbol's row (-1: all), and what it carries."""

    name: str
    row: int
    kind: str


class Socket(WebSocketHandler):
    """One connection; `plain` ones get bare events, others an envelope with the stream's name."""

    def initialize(self, hub: "Hub", plain: bool) -> None:
        """Take the hub."""
        self.hub, self.plain = hub, plain
        self.channels: set[Channel] = set()
        self.opened_at = 0.0
        self.stalled_by: int | None = None
        self.dead_by: int | None = None
        self.out: list[bytes] = []

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Take the handshake, or refuse it."""
        faults = self.hub.core.faults
        if faults.maintained("handshake"):
            return self._refuse(503, None)
        refusal = faults.first(HandshakeRefuse, "handshake")
        if refusal is not None:
            return self._refuse(refusal.status, refusal.retry_after_s)
        return await super().get(*args, **kwargs)

    def _refuse(self, status: int, retry_after_s: int | None) -> None:
        self.set_status(status, "Unavailable")
        if retry_after_s is not None:
            self.set_header("Retry-After", str(retry_after_s))
        self.finish()

    def open(self, *args: str | None, **kwargs: str) -> None:
        """Subscribe to what the address names."""
        self.set_nodelay(True)
        self.hub.join(self)
        named = self.get_query_argument("streams", "") or (args[0] or "" if args else "")
        names = [n for n in named.split("/") if n and not n.isdecimal()]
        self._subscribe(names)

    def on_message(self, message: str | bytes) -> None:
        """Obey SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
        try:
            order = wire.strict(message if isinstance(message, bytes) else message.encode())
            method, names = order["method"], order.get("params", [])
            number = order.get("id")
            valid = all(isinstance(n, str) for n in names)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._say({"error": {"code": 3, "msg": "Invalid JSON"}})
            return
        if method == "LIST_SUBSCRIPTIONS":
            self._say({"result": sorted(c.name for c in self.channels), "id": number})
        elif method not in ("SUBSCRIBE", "UNSUBSCRIBE") or not valid:
            self._say({"error": {"code": 2, "msg": "Invalid request"}, "id": number})
        elif method == "UNSUBSCRIBE":
            self.hub.leave(self, {c for c in self.channels if c.name in names})
            self._say({"result": None, "id": number})
        else:
            self._ordered(names, number)

    def _ordered(self, names: list[str], number: object) -> None:
        fault = self.hub.core.faults.first(ErrorAck, f"{len(names)} streams")
        if fault is not None:
            self._say({"error": {"code": fault.code, "msg": fault.message}, "id": number})
        elif self._subscribe(names):
            self._say({"result": None, "id": number})
        else:
            said = {"code": 2, "msg": "Invalid request: invalid stream"}
            self._say({"error": said, "id": number})

    def _subscribe(self, names: Iterable[str]) -> bool:
        """Subscribe to streams; False, and nothing done, where a name is no stream's."""
        found = [self.hub.channel(name) for name in names]
        if any(c is None for c in found):
            return False
        self.hub.enter(self, {c for c in found if c is not None})
        return True

    def _say(self, value: object) -> None:
        self.out.append(framed(wire.dump(value)))
        self.drain()

    def on_close(self) -> None:
        """Forget the connection."""
        self.hub.part(self)

    def silence(self) -> None:
        """Answer nothing any more, not even pings, while the connection stays open."""
        connection: Any = self.ws_connection
        if connection is not None:
            connection._write_frame = _swallow

    def cut(self) -> None:
        """End the connection without a word."""
        connection: Any = self.ws_connection
        if connection is not None:
            connection.stream.close()

    def drain(self) -> None:
        """Write all waiting frames at once."""
        waiting, self.out = self.out, []
        connection: Any = self.ws_connection
        if not waiting or connection is None or self.dead_by is not None:
            return
        stream = connection.stream
        if stream.closed():  # cut a moment ago: it has no buffer any more
            return
        if len(stream._write_buffer) > MOST_WAITING:
            logger.warning("slow reader cut off", waiting=len(stream._write_buffer))
            stream.close()
            return
        try:
            stream.write(b"".join(waiting))
        except StreamClosedError:
            logger.debug("reader has gone")


def _swallow(*_: object, **__: object) -> "Future[None]":
    done: Future[None] = Future()
    done.set_result(None)
    return done


def framed(payload: bytes) -> bytes:
    """Put a text message into one WebSocket frame, as a server sends it (RFC 6455, 5.2)."""
    n = len(payload)
    if n < 126:
        return bytes((0x81, n)) + payload
    if n < 65_536:
        return b"\x81\x7e" + n.to_bytes(2, "big") + payload
    return b"\x81\x7f" + n.to_bytes(8, "big") + payload


class Hub:
    """All sockets of an exchange and their subscriptions."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.sockets: set[Socket] = set()
        self.subscribers: defaultdict[Channel, set[Socket]] = defaultdict(set)

    def channel(self, name: str) -> Channel | None:
        """Return the stream of a name; None where there is none such.

        A symbol that does not exist has a stream too: nothing comes on it, as on Binance.
        """
        if name == ALL_TICKERS:
            return Channel(name, -1, name)
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        kind = "depth" if match[2].startswith("depth") else match[2]
        timeframe = kind.removeprefix("kline_")
        base = self.core.market.base
        if timeframe != kind and not (timeframe in TIMEFRAMES and divides(base, timeframe)):
            return None
        row = self.core.rows.get(match[1].upper())
        return Channel(name, -2 if row is None else row, kind)

    def join(self, socket: Socket) -> None:
        """Add a connection."""
        socket.opened_at = self.core.clock.real()
        self.sockets.add(socket)

    def part(self, socket: Socket) -> None:
        """Remove a connection."""
        self.leave(socket, set(socket.channels))
        self.sockets.discard(socket)

    def enter(self, socket: Socket, channels: set[Channel]) -> None:
        """Subscribe a connection."""
        socket.channels |= channels
        for channel in channels:
            self.subscribers[channel].add(socket)

    def leave(self, socket: Socket, channels: set[Channel]) -> None:
        """Unsubscribe a connection."""
        socket.channels -= channels
        for channel in channels:
            readers = self.subscribers.get(channel)
            if readers is not None:
                readers.discard(socket)
                if not readers:
                    del self.subscribers[channel]

    def send(self, channel: Channel, payload: bytes) -> None:
        """Queue an event for all who are subscribed; encoded once for each form."""
        plain = wrapped = b""
        for socket in self.subscribers.get(channel, ()):
            if socket.stalled_by is not None and self._stalled(socket, channel):
                continue
            if socket.plain:
                plain = plain or framed(payload)
                socket.out.append(plain)
            else:
                wrapped = wrapped or framed(
                    b'{"stream":"' + channel.name.encode() + b'","data":' + payload + b"}"
                )
                socket.out.append(wrapped)

    def _stalled(self, socket: Socket, channel: Channel) -> bool:
        for armed, fault in self.core.faults.of(Stall):
            if armed.id == socket.stalled_by:
                row = channel.row
                symbol = self.core.market.symbols[row] if row >= 0 else None
                return fault.concerns(symbol)
        socket.stalled_by = None  # the fault is over
        return False

    def flush(self) -> None:
        """Write what is queued, once for each connection."""
        for socket in list(self.sockets):
            socket.drain()
