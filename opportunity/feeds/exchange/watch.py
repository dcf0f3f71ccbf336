"""Looks over a venue's shoulder: its clock, its list of markets, its tickers against our bars."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.venue import Venue

logger = structlog.get_logger(__name__)

CLOCK_S: Final = 600.0
MARKETS_S: Final = 900.0
TICKERS_S: Final = 60.0
"""Wall seconds between two looks."""

MOST_APART: Final = 0.05
"""A ticker further than this from the newest bar, as a fraction, puts the symbol in doubt."""

OLDEST_TICKER_MS: Final = 120_000
"""A ticker of a quiet market says what was long ago: older ones prove nothing."""


Look = Callable[[], Awaitable[object]]


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
    """

    def __init__(self, venue: Venue, assembler: Assembler, symbols: Sequence[str]) -> None:
        self._venue, self._assembler, self._symbols = venue, assembler, symbols
        self._ended: set[int] = set()

    async def run(self) -> None:
        """Look in turns until cancelled; what a venue does never ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(CLOCK_S, self._venue.resync), name="exchange: clock")
            group.create_task(self._every(MARKETS_S, self.markets), name="exchange: markets")
            if self._venue.has("fetchTickers"):
                group.create_task(self._every(TICKERS_S, self.tickers), name="exchange: tickers")

    async def _every(self, wall_s: float, look: Look) -> None:
        while True:
            await asyncio.sleep(wall_s / min(self._venue.speed, 60.0))
            try:
                await look()
            except VenueError as error:
                logger.info("not looked", exchange=self._venue.name, error=str(error))

    async def markets(self) -> None:
        """Read the list of markets: drop what is not traded any more, take back what is again."""
        await self._venue.refresh()
        for row, symbol in enumerate(self._symbols):
            market = self._venue.markets.get(symbol)
            gone = market is None or not market.active
            if gone and row not in self._ended:
                logger.warning("symbol not traded", symbol=symbol, exchange=self._venue.name)
                self._ended.add(row)
                self._assembler.drop(row)
            elif not gone and row in self._ended:
                self._ended.discard(row)
                self._assembler.restore(row)

    async def tickers(self) -> None:
        """Hold the last trade of each symbol against the newest bar."""
        found = await self._venue.tickers(self._symbols)
        now = self._venue.clock.now()
        for row, symbol in enumerate(self._symbols):
            ticker, close = found.get(symbol), self._assembler.last_price(row)
            if ticker is None or close is None or not ticker.last > 0:
                continue
            if now - ticker.time > OLDEST_TICKER_MS * self._venue.speed:
                continue
            apart = abs(ticker.last / close - 1.0)
            self._assembler.doubt(row, apart > MOST_APART, "ticker and bars disagree")
