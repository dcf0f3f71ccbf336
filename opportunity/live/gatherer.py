"""Gathers what becomes known besides bars: from the feed, from sources, from what was kept."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.live.observers import PRINTS_MS
from opportunity.market.observations import (
    Observation,
    ObservationStore,
    Record,
    Trades,
    by_availability,
)
from opportunity.market.timeframe import DAY_MS

logger = structlog.get_logger(__name__)

KEPT_MS: Final = 400 * DAY_MS
"""Feed time for which records are kept: four times as long as any matters."""

MOST_UNKEPT: Final = 100_000
"""Records that wait for a database that is slow or does not answer; older ones are let go."""


class Sources(Protocol):
    """Sources beside the feed, e.g. pollers of headlines."""

    async def run(self) -> None:
        """Poll until cancelled."""
        ...

    def drain(self, until: int) -> Sequence[Observation]:
        """Return what became known before `until` (ms UTC) and was not drained yet."""
        ...

    async def close(self) -> None:
        """Let go of connections and tasks."""
        ...


class Gatherer:
    """Hands records to the agent in the order in which they become known, and keeps them.

    Parameters
    ----------
    feed : Feed
        Asked for the records of its market.
    store : ObservationStore, optional
        Where records are kept, and read from at the start.
    sources : Sources, optional
        Asked beside the feed; their time is wall time, so the feed's has to be, too.
    """

    def __init__(
        self, feed: Feed, store: ObservationStore | None = None, sources: Sources | None = None
    ) -> None:
        self._feed, self._store, self.sources = feed, store, sources
        self._kinds: tuple[type[Record], ...] = ()
        self._until = 0
        self._pruned = 0
        self._unkept: list[Observation] = []
        self._writing = False
        self._lost = 0

    async def past(
        self, needs: dict[type[Record], int], start: int, first: int | None = None
    ) -> list[Record]:
        """Return what was known at the start and still matters.

        Parameters
        ----------
        needs : dict
            Kinds, and for how long a record of each matters, ms.
        start : int
            Feed time from which on bars will come; records of that very instant are past.
        first : int, optional
            Close of the oldest bar that asks; defaults to `start`.
        """
        self._kinds, self._until = tuple(needs), start + 1
        first = start if first is None else min(first, start)
        by_since: dict[int, list[type[Record]]] = {}
        for kind, memory in needs.items():
            since = max(first - memory, start - PRINTS_MS) if kind is Trades else first - memory
            by_since.setdefault(since, []).append(kind)
        kept: list[Record] = []
        given: list[Record] = []
        for since, kinds in by_since.items():
            kept += await asyncio.to_thread(self._kept, kinds, since)
            given += await self._feed.observations(tuple(kinds), since, start + 1)
        past, fresh = await asyncio.to_thread(_joined, kept, given)
        self._unkept += fresh
        return past

    def _kept(self, kinds: Sequence[type[Record]], since: int) -> list[Record]:
        found: list[Record] = []
        if self._store is None:
            return found
        try:
            for kind in kinds:
                if issubclass(kind, Observation):  # blocks of prints are too many to be kept
                    found += self._store.known(kind, since, self._until)
        except (OSError, OpportunityError) as error:
            logger.error("records not read", error=str(error))
        return found

    async def fresh(self, until: int) -> list[Record]:
        """Return what became known up to and including `until`, feed time, since the last call."""
        if until < self._until or not self._kinds:
            return []
        since, self._until = self._until, until + 1
        found = await self._feed.observations(self._kinds, since, until + 1)
        if self.sources is not None:
            drained = self.sources.drain(until + 1)
            found += [r for r in drained if isinstance(r, self._kinds)]
        # What comes late became known to us only now: it must not change what was answered, and
        # a backtest of what is kept must not know it any sooner.
        found = by_availability([_not_before(r, since) for r in found])
        self._wait([r for r in found if not isinstance(r, Trades)])
        return found

    @property
    def wants_made(self) -> bool:
        """Whether to keep what detectors make of records: only where those cannot be had again."""
        return self._store is not None and not self._feed.lasting

    def note(self, records: Iterable[Observation]) -> None:
        """Take records to be kept that the detectors made, e.g. minutes of prints."""
        self._wait(records)

    def _wait(self, records: Iterable[Observation]) -> None:
        """Have records wait to be kept; a database that is slower than they come bounds them."""
        self._unkept += records
        if self._writing and len(self._unkept) > MOST_UNKEPT:
            self._lost += len(self._unkept) - MOST_UNKEPT
            del self._unkept[:-MOST_UNKEPT]

    async def keep(self) -> None:
        """Write what was gathered since the last call; a failure is logged and tried again."""
        if self._store is None:
            self._unkept.clear()
            return
        records, self._unkept = self._unkept, []
        try:
            if records:
                self._writing = True
                await asyncio.to_thread(self._store.append, records)
            if self._until - self._pruned >= DAY_MS:
                self._pruned = self._until
                await asyncio.to_thread(self._store.forget, self._until - KEPT_MS)
        except (OSError, OpportunityError) as error:
            self._unkept = (records + self._unkept)[-MOST_UNKEPT:]
            logger.error("records not kept", error=str(error), records=len(records))
        finally:
            self._writing = False
            if self._lost:
                logger.error("records let go: the database is too slow", records=self._lost)
                self._lost = 0


def _joined(
    kept: list[Record], given: list[Record]
) -> tuple[list[Record], list[Observation]]:
    """Join what the store and the feed gave, in order; return also what the store lacks.

    What was heard twice counts from the first time on.
    """
    heard: set[Observation] = set()
    joined: list[Record] = []
    for record in by_availability([*kept, *given]):
        if not isinstance(record, Trades):
            said = replace(record, available_at=0)
            if said in heard:
                continue
            heard.add(said)
        joined.append(record)
    held = {r for r in kept if not isinstance(r, Trades)}
    return joined, [r for r in joined if not isinstance(r, Trades) and r not in held]


def _not_before(record: Record, since: int) -> Record:
    if isinstance(record, Trades):
        if not len(record) or record.time[0] >= since:
            return record
        return replace(record, time=np.maximum(record.time, since))
    return record if record.available_at >= since else replace(record, available_at=since)
