"""Reads what is turned on a server: at first, and again where the stream cannot tell of it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import structlog

from opportunity.remote.line import Answer, Line
from opportunity.remote.problems import RemoteError

logger = structlog.get_logger(__name__)


class Found(NamedTuple):
    """What the server said of its agent."""

    status: Any
    config: Any
    weights: Answer


class Reading:
    """Keeps what was read in step with the stream; use it on one loop.

    The stream tells of changes from its first confirmation on, and has lost some when it could not
    resume. So it is read anew after both: what was turned before is in it, what is turned later
    is told.

    Parameters
    ----------
    line : Line
    take : callable
        Called with what was read anew.
    """

    def __init__(self, line: Line, take: Callable[[Found], None]) -> None:
        self._line, self._take = line, take
        self._stale, self._n_turned = True, 0
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> Found:
        """Read once.

        Raises
        ------
        RemoteError
            If the server refuses or fails, or is not there.
        """
        return Found(
            await self._line.get("/api/agent/status"), await self._line.get("/api/agent/config"),
            await self._line.ask("GET", "/api/config/weights"),
        )  # fmt: skip

    def turned(self) -> None:
        """Note a change that was made here: what is being read may be of before; any thread."""
        self._n_turned += 1

    def hear(self, message: Mapping[str, Any]) -> None:
        """Look at a message of the stream, before anybody else takes it."""
        kind = message.get("type")
        if kind == "config_changed":
            self.turned()
        elif kind in ("subscription_confirmed", "resumed"):
            self._stale = self._stale or message.get("complete") is False
            if self._stale and (self._task is None or self._task.done()):
                self._task = asyncio.ensure_future(self._read_again())

    async def close(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _read_again(self) -> None:
        while self._stale:
            before = self._n_turned
            try:
                found = await self.read()
            except RemoteError as error:  # the line comes back, and with it this
                logger.warning("state not read", error=str(error))
                return
            if before == self._n_turned:  # else what was told meanwhile may be newer
                self._stale = False
                self._take(found)
