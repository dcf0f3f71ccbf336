"""Takes notes from the server's loop to the outbox and has its workers send them."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from app.alerts.channels import Channel
from app.alerts.rules import AlertRules
from app.alerts.worker import Worker
from opportunity.storage.failures import DatabaseError
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note

logger = structlog.get_logger(__name__)

MOST_PENDING: Final = 5_000
"""Notes that wait for the database; beyond it the newest are let go."""

KEEP_CURSOR_S: Final = 60.0
DIRECT: Final = "storage"
"""Kind of note that is sent past the outbox when that cannot be written."""


class Post:
    """The way of a note: heard, kept, sent; lives on the server's loop.

    Parameters
    ----------
    outbox : Outbox
    channels : mapping of str to Channel
    rules : callable
        Returns the rules in force: they say which kind goes where.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(
        self, outbox: Outbox, channels: Mapping[str, Channel], rules: Callable[[], AlertRules],
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        self._outbox, self._channels, self._rules = outbox, channels, rules
        self._workers = [Worker(channel, outbox, clock) for channel in channels.values()]
        self._pending: deque[Note] = deque()
        self._read_up_to = self._kept_up_to = 0
        self._kept_at = 0.0
        self._troubled = False
        self._lost = 0  # notes that had no room, told once the database takes others again
        self.came = asyncio.Event()
        """Set when there is something to keep."""

    def start(self, read_up_to: int) -> None:
        """Begin to send; events up to this number are worked in."""
        self._read_up_to = self._kept_up_to = read_up_to
        self._kept_at = asyncio.get_running_loop().time()
        for worker in self._workers:
            worker.start()

    def add(self, note: Note | None) -> None:
        """Take a note; None is nothing to say."""
        if note is None or not self._channels:
            return
        if len(self._pending) >= MOST_PENDING:
            self._lost += 1
            return
        self._pending.append(note)
        self.came.set()

    def heard(self, number: int) -> None:
        """Take note of an event that was judged."""
        self._read_up_to = max(self._read_up_to, number)

    @property
    def due(self) -> bool:
        """Whether there is something to keep now; the number of the newest event can wait."""
        late = asyncio.get_running_loop().time() - self._kept_at > KEEP_CURSOR_S
        return bool(self._pending) or (late and self._read_up_to > self._kept_up_to)

    async def keep(self) -> bool:
        """Write what waits to the outbox and wake the workers; return whether it went well."""
        self.came.clear()
        batch, up_to = list(self._pending), self._read_up_to
        self._pending.clear()
        rules, names = self._rules(), tuple(self._channels)
        notes = [(note, rules.channels(note.kind, names)) for note in batch]
        try:
            await asyncio.to_thread(self._outbox.put, notes, up_to or None)
        except DatabaseError as error:
            await self._go_past(batch, error)
            return False
        self._troubled = False
        if self._lost:
            logger.error("alerts lost", n=self._lost)
            self._lost = 0
        self._kept_up_to, self._kept_at = up_to, asyncio.get_running_loop().time()
        for worker in self._workers:
            worker.wake()
        return True

    async def close(self) -> None:
        """Keep what was heard, then end; what is not sent yet is sent after the next start."""
        if self._pending or self._read_up_to > self._kept_up_to:
            await self.keep()
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self._workers))

    async def _go_past(self, batch: list[Note], error: DatabaseError) -> None:
        """Keep notes in memory for another try, but say at once that nothing can be stored."""
        direct = [note for note in batch if note.kind == DIRECT]
        self._pending.extendleft(reversed([note for note in batch if note.kind != DIRECT]))
        while len(self._pending) > MOST_PENDING:
            self._pending.pop()
            self._lost += 1
        if not self._troubled:
            self._troubled = True
            logger.error("alerts not kept", n=len(batch), error=str(error))
        for note in direct:
            for name in self._rules().channels(note.kind, tuple(self._channels)):
                failed = await asyncio.to_thread(
                    self._channels[name].send, note.title, f"{note.body}\n(sent past the outbox)"
                )
                if failed:
                    logger.warning("alert not sent", channel=name, error=failed)
