"""Keeps what happened to single bars, and says aloud when bars were corrected."""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.market.notes import BarNote
from opportunity.market.timeframe import DAY_MS

logger = structlog.get_logger(__name__)

KEEP_EVERY_S: Final = 5.0

KEPT_MS: Final = 400 * DAY_MS
"""Feed time for which notes are kept."""

MOST_KEPT: Final = 1_000_000
"""Notes that are kept; older ones are let go."""

MOST_UNKEPT: Final = 20_000
"""Notes that wait for a database that does not answer; older ones are let go."""

FORGET_EVERY: Final = 50_000
"""Notes after which it is looked for what can be let go, if a day does not pass before."""

ALARM_BP: Final = 5.0
"""Change of a price from which a correction is told, basis points."""


class NoteStore(Protocol):
    """Where notes are kept."""

    def append(self, notes: Sequence[BarNote]) -> int:
        """Keep notes; OSError or OpportunityError if they cannot be kept."""
        ...

    def forget(self, before: int, most: int) -> int:
        """Let go of notes made before a time, and of all but the newest `most`."""
        ...


class NoteKeeper:
    """Drains a feed's notes every few seconds and has them written.

    Parameters
    ----------
    feed : Feed
        Asked for its notes, on its own loop.
    store : NoteStore, optional
        Without one, notes are drained and corrections told, and that is all.
    """

    def __init__(self, feed: Feed, store: NoteStore | None = None) -> None:
        self._feed, self._store = feed, store
        self._unkept: deque[BarNote] = deque(maxlen=MOST_UNKEPT)
        self._writing = threading.Lock()  # the last one waits for one whose await was cancelled
        self._forgotten_at = 0
        self._added = 0

    async def run(self) -> None:
        """Have notes kept every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self.keep()

    async def keep(self) -> None:
        """Write the notes since the last call; a failure is logged and tried again."""
        fresh = self._feed.notes()
        if fresh:
            tell(fresh)
        if self._store is not None:
            self._unkept.extend(fresh)
            if self._unkept or self._writing.locked():
                await asyncio.to_thread(self._write, self._store, self._feed.clock.now())

    def _write(self, store: NoteStore, now: int) -> None:
        with self._writing:
            notes = [self._unkept.popleft() for _ in range(len(self._unkept))]
            try:
                if notes:
                    store.append(notes)
                    self._added += len(notes)
            except (OSError, OpportunityError) as error:
                self._unkept.extendleft(reversed(notes))
                logger.error("notes not kept", error=str(error), notes=len(notes))
                return
            if now - self._forgotten_at < DAY_MS and self._added < FORGET_EVERY:
                return
            self._forgotten_at, self._added = now, 0
            try:
                store.forget(now - KEPT_MS, MOST_KEPT)
            except (OSError, OpportunityError) as error:
                logger.error("notes not forgotten", error=str(error))


def tell(notes: Sequence[BarNote]) -> None:
    """Log corrections that matter, in one line however many there are."""
    found = [n for n in notes if n.kind == "corrected" and n.change_bp > ALARM_BP]
    if found:
        worst = max(found, key=lambda n: n.change_bp)
        logger.warning(
            "bars corrected",
            bars=len(found),
            symbol=worst.symbol,
            timeframe=worst.timeframe,
            time=worst.time,
            change_bp=round(worst.change_bp, 1),
        )
