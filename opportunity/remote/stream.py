"""The stream: one WebSocket that comes back by itself and asks for what it missed."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Any, Final, Literal

import aiohttp
import orjson
import structlog

from opportunity.remote.backoff import LONGEST_S, Backoff
from opportunity.remote.line import Line
from opportunity.remote.numbers import Numbers
from opportunity.remote.wanted import Wanted, command

logger = structlog.get_logger(__name__)

State = Literal["connecting", "connected", "reconnecting", "error", "disconnected"]

HEARTBEAT_S: Final = 20.0
"""Between our pings; a server that does not answer two is gone."""

STABLE_S: Final = 5.0
"""A line that held so long was none of those that fail at once."""

REFUSED: Final = {4001: "the token ended or was revoked", 1008: "the server closed the line"}
"""Close codes after which trying again at once helps nobody."""

SLOW_AFTER: Final = 10
"""Attempts after which the line counts as broken; it is tried on, every half minute."""


class Stream:
    """Keeps a line open until it is closed; use it on one loop.

    Parameters
    ----------
    line : Line
        Whose session and address are used.
    hear : callable
        Gets every message once, in order.
    turned : callable
        Gets each state of the line with a sentence.
    """

    def __init__(
        self,
        line: Line,
        hear: Callable[[dict[str, Any]], None],
        turned: Callable[[State, str], None],
    ) -> None:
        self._line, self._hear, self._turned = line, hear, turned
        self.numbers = Numbers()
        self._backoff = Backoff()
        self._wanted = Wanted()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._asked_ms: int | None = None
        self._least_s = 0.0
        self._since = inf
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[bool] | None = None

    def open(self) -> None:
        """Begin; a second time changes nothing."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._go_on())

    async def close(self) -> None:
        """End; nothing is heard any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            self._turned("disconnected", "closed")

    async def subscribe(
        self, channels: Sequence[str], symbols: Sequence[str] = (), **more: Any
    ) -> None:
        """Ask for channels, now and after every break of the line."""
        self._wanted.add(channels, symbols, more)
        with suppress(aiohttp.ClientError, OSError):  # asked for again when the line is back
            await self._say(command(channels, symbols, more))

    async def unsubscribe(self) -> None:
        """Ask for nothing any more."""
        self._wanted.clear()
        await self._say({"action": "unsubscribe"})

    async def ping(self) -> None:
        """Ask for a pong, which is heard like any message."""
        await self._say({"action": "ping", "ts": asyncio.get_running_loop().time()})

    # -- inside ------------------------------------------------------------------------------

    async def _say(self, command: dict[str, Any]) -> None:
        if self._socket is not None and not self._socket.closed:
            await self._socket.send_str(orjson.dumps(command).decode())

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        self._turned("connecting", "")
        while True:
            self._asked_ms, self._least_s, self._since = None, 0.0, inf
            why, final = await self._hold()
            if loop.time() - self._since > STABLE_S:
                self._backoff.held()
            least_s = LONGEST_S if final else self._least_s
            pause_s = max(self._backoff.pause_s(self._asked_ms), least_s)
            broken = final or self._backoff.attempts > SLOW_AFTER
            self._turned("error" if broken else "reconnecting", f"{why}; again in {pause_s:.1f} s")
            await asyncio.sleep(pause_s)

    async def _hold(self) -> tuple[str, bool]:
        """Open a line and read until it ends; return why, and whether trying again may not help."""
        try:
            async with self._line.session.ws_connect(
                self._line.address.stream, heartbeat=HEARTBEAT_S, max_msg_size=16 << 20
            ) as socket:
                self._socket, self._since = socket, asyncio.get_running_loop().time()
                self._turned("connected", "")
                await self._greet()
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._take(message.data)
                code = socket.close_code or 1006
                return REFUSED.get(code, f"the line ended ({code})"), code in REFUSED
        except aiohttp.WSServerHandshakeError as error:
            wait = error.headers.get("Retry-After", "") if error.headers else ""
            self._least_s = float(wait) if wait.isdecimal() else 0.0
            return f"the server answered {error.status}", error.status in (401, 403, 404)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return str(error) or type(error).__name__, False
        finally:
            self._socket = None

    async def _greet(self) -> None:
        """Ask for all that was asked for before, and for what was missed."""
        missed = self.numbers.command
        if missed is not None:
            self.numbers.resume()
        for each in self._wanted.commands():
            await self._say(each)
        if missed is not None:
            await self._say(missed)

    def _take(self, data: str) -> None:
        try:
            message = orjson.loads(data)
            new = self._is_new(message)
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("message not read", bytes=len(data))
            return
        if new:
            self._hear(message)

    def _is_new(self, message: dict[str, Any]) -> bool:
        kind = message.get("type")
        if kind == "closing":
            self._asked_ms = int(message.get("reconnect_after_ms") or 0) or None
        elif kind == "subscription_confirmed":
            self.numbers.subscribed(message)
        elif kind == "resumed":
            complete = self.numbers.resumed(message)
            if not complete:
                logger.warning("events missed", server=self._line.address.http)
        elif kind == "error":
            logger.warning("the server did not do it", code=message.get("code"),
                           message=message.get("message"))  # fmt: skip
            if self.numbers.waits and self._socket is not None:  # else events wait for ever
                self._ending = asyncio.ensure_future(self._socket.close())
        return self.numbers.takes(message)
