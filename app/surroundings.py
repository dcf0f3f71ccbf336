"""What surrounds the market, read once for all who look at it at the same time."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from opportunity.live.agent import Agent
from opportunity.live.observers import Observers
from opportunity.live.surroundings import Surroundings, surroundings_of
from opportunity.market.observations import FearGreed, ObservationStore
from opportunity.market.timeframe import DAY_MS
from opportunity.storage.failures import DatabaseError

logger = structlog.get_logger(__name__)

LEAST_S: Final = 2.0
"""What was read is answered again for so long."""

MOODS_MS: Final = 90 * DAY_MS
"""Of feed time: how far back moods are shown."""


class Around:
    """Reads the surroundings of a server's market on a thread.

    Parameters
    ----------
    agent : Agent
        Knows what is known besides bars.
    store : ObservationStore
        Where moods of long ago are.
    now : callable
        Feed time, ms UTC.
    """

    def __init__(self, agent: Agent, store: ObservationStore, now: Callable[[], int]) -> None:
        self._agent, self._store, self._now = agent, store, now
        self._asked: asyncio.Future[Surroundings] | None = None
        self._asked_at = float("-inf")

    async def read(self) -> Surroundings | None:
        """Return what is known; None while the agent warms up."""
        known = self._agent.observers(self._agent.symbols)
        if known is None:
            return None
        loop = asyncio.get_running_loop()
        asked, now = self._asked, self._now()
        old = loop.time() - self._asked_at >= LEAST_S
        if asked is None or (asked.done() and (old or asked.exception() is not None)):
            self._asked_at = loop.time()
            asked = asyncio.ensure_future(asyncio.to_thread(self._gather, known, now))
            self._asked = asked
        return await asyncio.shield(asked)

    def _gather(self, known: Observers, now: int) -> Surroundings:
        found = surroundings_of(known, self._agent.feed.source, now)
        try:
            moods = tuple(self._store.known(FearGreed, now - MOODS_MS, now + 1))
        except DatabaseError as error:
            logger.warning("moods not read", error=str(error))
            return replace(found, problem=str(error))
        return replace(found, moods=moods)
