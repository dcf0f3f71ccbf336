"""Keeps an edge's source filled: from the bus, and by asking each second while that is silent."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import orjson
import pydantic
import structlog

from app.edge.source import BusSource, Unavailable
from app.edge.upstream import Upstream
from opportunity.bus.parcel import Parcel
from opportunity.bus.redis import Names, connect
from opportunity.bus.redis_reader import Ears, Reader
from opportunity.contracts.stream import StreamChanges, StreamFacts

logger = structlog.get_logger(__name__)

POLL_S: Final = 1.0
LOOK_S: Final = 5.0
"""Between two questions while the bus carries: what it may have lost of states comes by them."""


class Tap:
    """Where the stream comes into an edge.

    Parameters
    ----------
    source : BusSource
        Filled by it.
    upstream : Upstream
        Asked while the bus is silent.
    redis_url : str
        Of the bus; '' for none: then it is always asked.
    secret : str
        Shared by the processes of one server.
    ended : callable
        Called with each user, login or token that holds no more, and with '' when some may have
        ended that are not known: then all must be looked at.
    """

    def __init__(
        self, source: BusSource, upstream: Upstream, redis_url: str, secret: str,
        ended: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._source, self._upstream, self._ended = source, upstream, ended
        self._run, self._cursor = "", 0
        self._facts: StreamFacts | None = None
        self._wake = asyncio.Event()
        self._reader: Reader | None = None
        if redis_url:
            ears = Ears(source.take, self._beat, self._joined, self._wake.set)
            self._reader = Reader(connect(redis_url), Names.of(secret), ears)
        self.polls = 0

    @property
    def bus_up(self) -> bool:
        """Whether the bus brings what comes."""
        return self._reader is not None and self._reader.up

    async def run(self) -> None:
        """Fill the source until cancelled."""
        if self._reader is None:
            await self._poll_on()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reader.run())
            group.create_task(self._poll_on())

    async def _poll_on(self) -> None:
        """Ask each second while the bus is silent, and now and then while it carries."""
        while True:
            self._wake.clear()
            done = await self._poll()
            if self.bus_up and done:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()
            else:
                await asyncio.sleep(POLL_S)

    async def _joined(self) -> None:
        self._wake.set()

    async def _poll(self) -> bool:
        self.polls += 1
        try:
            told = await self._upstream.changes(self._run, self._cursor)
        except Unavailable:
            return await self._poll_bus()
        self._hear(told.facts)
        self._run, self._cursor = told.facts.run, told.cursor
        self._source.take(_parcels(told))
        return True

    async def _poll_bus(self) -> bool:
        """Make do with the states that the bus holds while the agent is away."""
        if self._reader is not None and self.bus_up:
            self._source.take(await self._reader.newest())
        return False

    def _beat(self, data: bytes) -> None:
        try:
            facts = StreamFacts.model_validate_json(data)
        except pydantic.ValidationError:
            logger.warning("beat not understood")
            return
        self._hear(facts)

    def _hear(self, facts: StreamFacts) -> None:
        before, self._facts = self._facts, facts
        self._source.hear(facts)
        if before is None:
            return
        if before.run != facts.run:  # it cannot tell what ended before it began
            self._wake.set()
            self._ended("")
            return
        fresh = facts.n_revoked - before.n_revoked
        if fresh > len(facts.revoked):
            self._ended("")
        elif fresh > 0:
            for who in facts.revoked[-fresh:]:
                self._ended(who)


def _parcels(told: StreamChanges) -> list[Parcel]:
    return [
        Parcel(one.channel, one.key, one.seq, told.facts.epoch, orjson.dumps(one.data))
        for one in told.states
    ]
