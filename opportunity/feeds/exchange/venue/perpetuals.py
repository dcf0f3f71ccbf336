"""Funding of a venue's perpetuals, on an object of its own: spot and contracts do not mix."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog

from opportunity.feeds.exchange.venue.answers import listed, number, whole
from opportunity.feeds.exchange.venue.asking import Asker
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.transport import MARKETS_BYTES, body_limit
from opportunity.market.observations import Funding
from opportunity.market.timeframe import EARLIEST_MS

logger = structlog.get_logger(__name__)

USUAL_H: Final = 8.0
"""Hours between two settlements where the venue does not say; rates are given per as many."""

MOST_RATE: Final = 0.5
"""A rate beyond this, as a fraction per settlement, is nonsense."""

PAGE: Final = 200


class Perpetuals:
    """Reads funding of linear perpetuals settled in the quote currency of the spot market.

    Parameters
    ----------
    venue : str
        Its name.
    make : callable
        Builds ccxt's object.
    ask : callable
        Carries out a question with retries.
    """

    def __init__(self, venue: str, make: Callable[[], Any], ask: Asker) -> None:
        self._venue, self._make, self._ask = venue, make, ask
        self._client: Any = None
        self._loading = asyncio.Lock()
        self._names: dict[str, str] = {}  # spot symbol: that of its perpetual
        self._hours: dict[str, float] = {}  # perpetual: hours between settlements

    async def close(self) -> None:
        """Let go of ccxt's object."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def rates(self, symbols: Sequence[str], at: tuple[str, int]) -> list[Funding]:
        """Return the newest rates; `at` is the stamp and the feed's time. [] where unsupported."""
        client = await self._ready("fetchFundingRates")
        names = {s: self._names[s] for s in symbols if s in self._names}
        if client is None or not names:
            return []

        async def ask() -> Any:
            return await client.fetch_funding_rates(
                list(names.values()) if len(names) <= PAGE // 2 else None
            )

        told = await self._ask(ask)
        if not isinstance(told, Mapping):
            raise VenueError(f"{self._venue} gave no funding rates", "garbled")
        found = []
        for symbol, name in names.items():
            rate = told.get(name)
            if isinstance(rate, Mapping):
                value = self._eight_hours(name, number(rate.get("fundingRate")), rate)
                time = whole(rate.get("timestamp")) or at[1]
                if value is not None and time >= EARLIEST_MS:
                    found.append(Funding(time, max(at[1], time), at[0], symbol, value))
        return found

    async def history(self, symbol: str, span: tuple[int, int], stamp: str) -> list[Funding]:
        """Return settlements with span[0] <= time < span[1], oldest first. [] where unsupported."""
        client = await self._ready("fetchFundingRateHistory")
        name = self._names.get(symbol)
        if client is None or name is None:
            return []
        since, until = span
        found: dict[int, Funding] = {}
        while since < until:
            ask = partial(client.fetch_funding_rate_history, name, since, PAGE)
            page: Any = await self._ask(ask)
            rows = [r for r in listed(page, "settlements") if isinstance(r, Mapping)]
            for row in rows:
                time = whole(row.get("timestamp"))
                value = self._eight_hours(name, number(row.get("fundingRate")), row)
                if value is not None and span[0] <= time < until:
                    found[time] = Funding(time, time, stamp, symbol, value)
            newest = max((whole(r.get("timestamp")) for r in rows), default=0)
            if len(rows) < PAGE or newest < since:
                break
            since = newest + 1
        return [found[t] for t in sorted(found)]

    async def _ready(self, what: str) -> Any:
        async with self._loading:  # who asks at the same time waits for the first
            if self._client is None:
                client = self._make()
                try:
                    await self._ask(lambda: self._load(client))
                except BaseException:
                    await client.close()
                    raise
                self._client = client
        return self._client if self._client.has.get(what) else None

    async def _load(self, client: Any) -> None:
        token = body_limit.set(MARKETS_BYTES)
        try:
            told = listed(await client.fetch_markets(), "markets")
        finally:
            body_limit.reset(token)
        swaps = [m for m in told if m.get("swap") and m.get("linear")]
        client.set_markets(swaps)
        self._names = {
            f"{m['base']}/{m['quote']}": m["symbol"] for m in swaps if m["settle"] == m["quote"]
        }
        if swaps and client.has.get("fetchFundingIntervals"):
            try:
                intervals = await client.fetch_funding_intervals()
            except VenueError as error:
                logger.info("funding intervals unknown", venue=self._venue, error=str(error))
                return
            for name, row in intervals.items():
                self._hours[name] = _hours(row)

    def _eight_hours(self, name: str, rate: float, row: Mapping[str, Any]) -> float | None:
        if not abs(rate) <= MOST_RATE:
            return None
        hours = _hours(row, self._hours.get(name, USUAL_H))
        return rate * USUAL_H / hours


def _hours(row: Mapping[str, Any], otherwise: float = USUAL_H) -> float:
    text = str(row.get("interval") or "")
    hours = number(text.removesuffix("h")) if text.endswith("h") else 0.0
    return hours if 0.5 <= hours <= 24.0 else otherwise
