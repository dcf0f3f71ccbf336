"""One process that the supervisor has started."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from app.edge.child import Order, whereabouts

logger = structlog.get_logger(__name__)

KILLED_S: Final = 5.0
MOST_LINE: Final = 1 << 20
MODULE: Final = ("-P", "-m", "app.edge.child")
"""Of a child; `-P`: a file of the folder that the server is started in is never imported."""


class Process:
    """A child, from its start to its end.

    Parameters
    ----------
    order : Order
        What it shall be.
    environment : mapping
        Of the child.
    """

    def __init__(self, order: Order, environment: Mapping[str, str]) -> None:
        self._order, self._environment = order, dict(environment)
        self.told = order.agent_url
        self._process: asyncio.subprocess.Process | None = None
        self._printing: asyncio.Future[None] | None = None

    @property
    def pid(self) -> int:
        """Its number; 0 before the start."""
        return 0 if self._process is None else self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, said: Callable[[bytes], None] | None) -> None:
        """Start it, in a session of its own: keys that are pressed are for the supervisor.

        Parameters
        ----------
        said : callable, optional
            Called with each line that it writes; without it lines are dropped.
        """
        passed = () if self._order.listening is None else (self._order.listening,)
        process = await asyncio.create_subprocess_exec(
            sys.executable, *MODULE, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, env=self._environment, start_new_session=True,
            limit=MOST_LINE, pass_fds=passed,
        )  # fmt: skip
        self._process = process
        self._write(self._order.line())
        self._printing = asyncio.ensure_future(self._read(process, said))

    def tell(self, agent_url: str) -> None:
        """Say where the agent's process is; '' for nowhere."""
        self.told = agent_url
        self._write(whereabouts(agent_url))

    async def wait(self) -> int:
        """Wait for its end; return the exit code, negative for a signal."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        if self._printing is not None:
            await asyncio.wait([self._printing])
        return code

    async def stop(self, patience_s: float) -> int:
        """Ask it to stop, and kill it when it does not in time."""
        if self.alive:
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(patience_s):
                    await self._ended()
            except TimeoutError:
                logger.warning("process killed", kind=self._order.kind, pid=self.pid)
                self._signal(signal.SIGKILL)
        async with asyncio.timeout(KILLED_S):
            return await self.wait()

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _write(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(line)

    @staticmethod
    async def _read(
        process: asyncio.subprocess.Process, said: Callable[[bytes], None] | None
    ) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if said is not None:
                said(line)
