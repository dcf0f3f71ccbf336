"""What a server tidies up by itself, on a thread of its own: rows that are too old."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from opportunity.errors import OpportunityError
from opportunity.storage.repositories import Memory

logger = structlog.get_logger(__name__)

FIRST_S: Final = 60.0
"""After the start, when the agent is warm."""

EVERY_S: Final = 86_400.0
AGAIN_S: Final = 3_600.0
"""After it failed."""


class Housekeeping:
    """Prunes the database shortly after the start and then once a day.

    Parameters
    ----------
    days : callable
        Returns the days by table that hold now; see `Pruner`.
    memory : Memory
        Stays open until `close` has returned.
    first_s : float
        Seconds until the first time.
    """

    def __init__(
        self, days: Callable[[], Mapping[str, int]], memory: Memory, first_s: float = FIRST_S
    ) -> None:
        self._days, self._memory, self._first_s = days, memory, first_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.rounds = 0
        """How often it was done since the start."""

    def start(self) -> None:
        """Begin; called again it does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
            self._thread.start()

    async def close(self) -> None:
        """End it; a transaction that is under way is waited for."""
        self._ended.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self) -> None:
        pause = self._first_s
        while not self._ended.wait(pause):
            try:
                gone = self._memory.pruner(self._days()).prune(self._ended.is_set)
            except (OpportunityError, OSError) as error:
                logger.warning("old rows not let go", error=str(error))
                pause = AGAIN_S
                continue
            finally:
                self.rounds += 1
            pause = EVERY_S
            if gone:
                logger.info("old rows let go", rows=gone)
