"""Looks over a venue's shoulder: its clock, its list of markets, its tickers against our bars."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.venue import FASTEST, Venue

logger = structlog.get_logger(__name__)

STRAY_S: Final = 5.0
"""Wall seconds between two looks at whether the clock has gone astray, which asks nobody."""

MOST_APART: Final = 0.05
"""A ticker further than this from the newest bar, as a fraction, puts the symbol in doubt."""

OLDEST_TICKER_MS: Final = 120_000
"""A ticker of a quiet market says what was long ago: older ones prove nothing."""


Look = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Looks:
    """Seconds between two looks at the clock, the markets and the tickers.

    Of wall time at real speed; where time runs faster, up to `FASTEST` times as often.
    """

    clock_s: float = 600.0
    markets_s: float = 900.0
    tickers_s: float = 60.0


class Watch:
    """Compares what the stream says with what else the venue says.

    Parameters
    ----------
    venue : Venue
        Is asked.
    assembler : Assembler
        Is told which rows are in doubt or are not traded any more.
    symbols : sequence of str
        By row.
    looks : Looks, optional
        How often it looks.
    """

    def __init__(
        self,
        venue: Venue,
        assembler: Assembler,
        symbols: Sequence[str],
        looks: Looks | None = None,
    ) -> None:
        self._venue, self._assembler, self._symbols = venue, assembler, symbols
        self._looks = looks or Looks()

    async def run(self) -> None:
        """Look in turns until cancelled; what a venue does never ends it."""
        looks: list[tuple[str, float, Look]] = [
            ("clock", self._looks.clock_s, self._venue.resync),
            ("markets", self._looks.markets_s, self.markets),
        ]
        if self._venue.has("fetchTickers"):
            looks.append(("tickers", self._looks.tickers_s, self.tickers))
        async with asyncio.TaskGroup() as group:
            for name, wall_s, look in looks:
                group.create_task(self._every(wall_s, look), name=f"exchange: {name}")

    async def _every(self, wall_s: float, look: Look) -> None:
        while True:
            await self._pause(pause_s(wall_s, self._venue.speed), look == self._venue.resync)
            try:
                await look()
            except VenueError as error:
                logger.info("not looked", exchange=self._venue.name, error=str(error))

    async def _pause(self, left_s: float, for_clock: bool) -> None:
        """Wait; for the clock only until it has gone astray."""
        while left_s > 0:
            await asyncio.sleep(min(left_s, STRAY_S))
            if for_clock and self._venue.astray:
                return
            left_s -= STRAY_S

    async def markets(self) -> None:
        """Read the list of markets: drop what is not traded any more, take back what is again.

        What is taken back may have been dropped by others, e.g. because a call was refused.
        """
        await self._venue.refresh()
        for row, symbol in enumerate(self._symbols):
            market = self._venue.markets.get(symbol)
            gone = market is None or not market.active
            if gone and row not in self._assembler.dropped:
                logger.warning("symbol not traded", symbol=symbol, exchange=self._venue.name)
                self._assembler.drop(row)
            elif not gone and row in self._assembler.dropped:
                logger.info("symbol traded again", symbol=symbol, exchange=self._venue.name)
                self._assembler.restore(row)

    async def tickers(self) -> None:
        """Hold the last trade of each symbol against the newest bar."""
        # one that is gone would have the question for all of them refused
        gone = self._assembler.dropped
        asked = tuple(s for row, s in enumerate(self._symbols) if row not in gone)
        found = await self._venue.tickers(asked)
        now = self._venue.clock.now()
        for row, symbol in enumerate(self._symbols):
            ticker, close = found.get(symbol), self._assembler.last_price(row)
            if ticker is None or close is None or not ticker.last > 0:
                continue
            apart = abs(ticker.last / close - 1.0) > MOST_APART
            if apart and now - ticker.time > OLDEST_TICKER_MS * self._venue.speed:
                continue  # an old one casts no doubt, but may end it
            self._assembler.doubt(row, apart, "ticker and bars disagree")


def pause_s(wall_s: float, speed: float) -> float:
    """Return the wall seconds between two looks that are `wall_s` apart at real speed."""
    return wall_s / min(max(speed, 1.0), FASTEST)
