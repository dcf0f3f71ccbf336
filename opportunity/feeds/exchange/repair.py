"""Asks a venue over REST for the bars that the stream did not bring."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.records import Answer, Want
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.market.timeframe import Timeframe, length_ms

logger = structlog.get_logger(__name__)

LOOK_S: Final = 0.1
"""Longest pause between two looks at what is wanted, wall seconds."""

MOST_AT_ONCE: Final = 8
"""Requests under way together: enough to hide the round trip, few enough for any venue."""

AUDIT_BARS: Final = 10
"""Bars between two audits of a symbol: what the stream said is held against REST that often."""


class Repair:
    """Carries out what an assembler wants, in the order in which it wants it.

    Parameters
    ----------
    venue : Venue
        Is asked; its gate says how often.
    assembler : Assembler
        Wants bars and takes the answers.
    symbols : sequence of str
        By row.
    base : Timeframe
        Timeframe of the bars.
    wake : asyncio.Event
        Set after each answer.
    """

    def __init__(
        self,
        venue: Venue,
        assembler: Assembler,
        symbols: Sequence[str],
        base: Timeframe,
        wake: asyncio.Event,
    ) -> None:
        self._venue, self._assembler, self._symbols = venue, assembler, symbols
        self._base, self._length, self._wake = base, length_ms(base), wake
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        assembler.budget = MOST_AT_ONCE
        self._turn = 0
        self._next_audit: int | None = None

    async def run(self) -> None:
        """Go on until cancelled; what a venue does never ends it."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._audit(self._venue.clock.now())
                for want in self._assembler.wanted(self._venue.clock.now()):
                    await self._slots.acquire()
                    task = group.create_task(self._ask(want), name="exchange: ask")
                    task.add_done_callback(lambda _: self._slots.release())
                await asyncio.sleep(min(LOOK_S, LOOK_S * 10 / self._venue.clock.speed))

    def _audit(self, now: int) -> None:
        """Let one symbol after the other be audited, each once in `AUDIT_BARS` bars."""
        step = AUDIT_BARS * self._length // len(self._symbols)
        if self._next_audit is None or self._next_audit < now - AUDIT_BARS * self._length:
            self._next_audit = now + step  # at first, and after a long sleep
        while self._next_audit <= now:
            self._assembler.audit(self._turn, now)
            self._turn = (self._turn + 1) % len(self._symbols)
            self._next_audit += step

    async def _ask(self, want: Want) -> None:
        symbol = self._symbols[want.row]
        n_bars = (want.until - want.since) // self._length
        try:
            rows = await self._venue.bars(symbol, self._base, want.since, n_bars)
        except VenueError as error:
            now = self._venue.clock.now()
            self._assembler.failed(want, now)
            if error.kind == "refused":
                logger.warning("symbol refused", symbol=symbol, error=str(error))
                self._assembler.drop(want.row)
            elif error.retry_at is None:  # else the gate is shut, and has said so
                logger.info("bars not had", symbol=symbol, error=str(error))
        else:
            self._assembler.answer(Answer(want, rows))
        self._wake.set()
