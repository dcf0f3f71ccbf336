"""Takes what becomes known besides bars into the streams' observers, and has it kept."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from opportunity.live.gatherer import Gatherer
from opportunity.live.streams import Streams
from opportunity.market.observations import Observation, Record
from opportunity.market.timeframe import MINUTE_MS

logger = structlog.get_logger(__name__)

KEEP_EVERY_S: Final = 5.0

FORGET_EVERY_MS: Final = 10 * MINUTE_MS
"""Feed time between two looks at what nobody needs any more; a look costs as much as a scan."""


class Intake:
    """Records of the feed and of sources, on their way to the streams.

    All that takes time is done on other threads: nothing here holds the loop that awaits it.

    Parameters
    ----------
    gatherer : Gatherer
        Gives the records and keeps them.
    streams : Streams
        Whose observers take them.
    lock : threading.Lock
        Held while observers change; whoever reads them on another thread holds it, too.
    heard : callable, optional
        Told of records before they are taken.
    """

    def __init__(
        self, gatherer: Gatherer, streams: Streams, lock: threading.Lock,
        heard: Callable[[Sequence[Record]], None] = lambda records: None,
    ) -> None:
        self._gatherer, self._streams, self._lock = gatherer, streams, lock
        self._heard = heard
        self._made: list[Observation] = []  # outlives a `keep` that is cancelled half way
        self._forgotten = 0

    async def remember(self, start: int, first: int | None = None) -> None:
        """Take what was known at the start.

        Parameters
        ----------
        start : int
            Feed time from which on bars will come, ms UTC.
        first : int, optional
            Close of the oldest bar that will be caught up with, ms UTC; it sees what was known
            then. Defaults to `start`.
        """
        needs = self._streams.observers.needs
        if needs:
            records = await self._gatherer.past(needs, start, first)
            await asyncio.to_thread(self._take, records)
            await self._drain()  # the longest one: there are no readers yet that would wait

    async def observe(self, until: int) -> None:
        """Take what became known up to feed time `until`; most of it well before a bar closes."""
        records = await self._gatherer.fresh(until)
        if records:
            await asyncio.to_thread(self._take, records)

    async def run(self) -> None:
        """Have records kept every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self.keep()

    async def keep(self) -> None:
        """Have written what came since the last call, and what the detectors made of it."""
        await self._drain()
        await self._gatherer.keep()

    def _take(self, records: Sequence[Record]) -> None:
        with self._lock:
            self._heard(records)
            observers = self._streams.observers
            try:
                observers.take(records)
            except ValueError:  # one of them breaks a rule; those taken already are passed over
                for record in records:
                    try:
                        observers.take([record])
                    except ValueError as error:
                        kind = type(record).__name__
                        logger.warning("record refused", kind=kind, error=str(error))

    async def _drain(self) -> None:
        await asyncio.to_thread(self._look_through)
        made, self._made = self._made, []
        self._gatherer.note(made)

    def _look_through(self) -> None:
        with self._lock:
            observers, now = self._streams.observers, self._streams.time
            if self._gatherer.wants_made:
                self._made.extend(observers.drain())
            if now - self._forgotten >= FORGET_EVERY_MS:
                self._forgotten = now
                observers.forget(now)
