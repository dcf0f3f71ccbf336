"""Asks a venue for the funding of its perpetuals."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.clock import Clock
from opportunity.market.observations import Funding, Record
from opportunity.market.timeframe import DAY_MS

logger = structlog.get_logger(__name__)

POLL_S: Final = 600.0
"""Seconds of the feed between two questions; a venue whose time runs fast is asked as often."""

PAST_MS: Final = 90 * DAY_MS
"""How much of the past is asked for at the start: sentiment ranks a rate among those of 90 days,
and says nothing with less than 90 settlements."""

MOST_PASTS: Final = 60
"""Symbols whose past is asked for: each is a request of its own."""

AT_ONCE: Final = 4
"""Requests for the past under way together."""

PAST_S: Final = 15.0
"""Wall seconds that all of the past may take: a feed waits for it to open."""


class FundingVenue(Protocol):
    """What is asked of a venue."""

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    async def funding(self, symbols: Sequence[str]) -> Iterable[Funding]:
        """Return the newest rate of each symbol that has one."""
        ...

    async def funding_history(self, symbol: str, since: int, until: int) -> Iterable[Funding]:
        """Return the settlements of one symbol in [since, until), ms UTC."""
        ...


class FundingTape(Protocol):
    """Where rates go."""

    def add(self, record: Record) -> None:
        """Take one."""
        ...

    def asked(self, kind: type[Record]) -> bool:
        """Whether rates have been asked for already."""
        ...


async def load_funding(venue: FundingVenue, symbols: Sequence[str], tape: FundingTape) -> None:
    """Put the settlements of the last 90 days on a tape, of the first `MOST_PASTS` symbols.

    Does nothing once rates were asked for: the past would come too late to be one. What a venue
    does never raises.
    """
    if tape.asked(Funding):
        return
    now = venue.clock.now()
    found: list[Funding] = []

    async def ask(symbol: str) -> bool:
        try:
            found.extend(await venue.funding_history(symbol, now - PAST_MS, now))
        except OpportunityError as error:
            logger.info("funding not had", symbol=symbol, error=str(error))
            return False
        return True

    with suppress(TimeoutError):
        async with asyncio.timeout(PAST_S):
            for first in range(0, min(len(symbols), MOST_PASTS), AT_ONCE):
                few = symbols[first : min(first + AT_ONCE, MOST_PASTS)]
                async with asyncio.TaskGroup() as group:
                    asked = [group.create_task(ask(symbol)) for symbol in few]
                if not all(task.result() for task in asked):
                    break
    for record in sorted(found, key=lambda r: r.available_at):
        if record.available_at <= now:
            tape.add(record)


async def poll_funding(venue: FundingVenue, symbols: Sequence[str], tape: FundingTape) -> None:
    """Put the newest rates on a tape; what a venue does never raises."""
    try:
        found = list(await venue.funding(symbols))
    except OpportunityError as error:
        logger.info("funding not had", error=str(error))
        return
    now = venue.clock.now()
    for record in found:
        heard = Funding(record.event_time, now, record.source, record.symbol, record.rate)
        tape.add(heard)
