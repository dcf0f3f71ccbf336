"""Which symbols are watched: the choice that people store, and what it would give.

A choice is used by the next start (`app/feed.py`), unless flags or the environment say which
symbols or how many. Symbols with an open position are always watched.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.names import universe_key
from opportunity.config import Settings
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.simulation.universe import symbols_of
from opportunity.live.agent import Agent
from opportunity.market.symbols import parse_symbol
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.storage.turned import TurnedRepository, Why

SIMULATED_QUOTE: Final = "USDT"
SIMULATED_TOP: Final = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """What to watch; empty parts are as the settings say.

    Parameters
    ----------
    quote : str
        Quote currency of the largest; empty: the usual one.
    top : int or None
        How many of the largest.
    symbols : tuple of str
        Which ones; they win over `top`.
    """

    quote: str = ""
    top: int | None = None
    symbols: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Choice | None":
        """Return a stored choice; None where nothing was stored."""
        if not values:
            return None
        return cls(values.get("quote", ""), values.get("top"), tuple(values.get("symbols", ())))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"quote": self.quote, "top": self.top, "symbols": list(self.symbols)}


@dataclass(frozen=True, slots=True)
class Quote:
    """A symbol and what is known of its last 24 hours; NaN: not known."""

    symbol: str
    price: float
    change: float
    volume: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a choice gives: symbols, and those of them that are there for an open position only."""

    symbols: tuple[Quote, ...]
    held: tuple[str, ...]
    note: str


def overruled(settings: Settings) -> str:
    """Say which setting names symbols or their number itself; empty when none does."""
    if settings.symbols:
        return "symbols"
    return "top" if "top" in settings.model_fields_set else ""


def in_force(settings: Settings, stored: Choice | None) -> Choice:
    """Return the choice of the next start: of the settings where they name it, else the stored."""
    named = tuple(dict.fromkeys(parse_symbol(s) for s in settings.symbols))
    if overruled(settings) or stored is None:
        top = settings.top if settings.feed == "exchange" else None
        return Choice(settings.quote, None if named else top, named)
    if stored.symbols:
        return stored
    usual = settings.top if settings.feed == "exchange" else None
    return Choice(stored.quote or settings.quote, stored.top or usual)


class Universe:
    """What is watched now, and what a choice would make of it.

    Parameters
    ----------
    settings : Settings
    stored : TurnedRepository
    agent : Agent
        Whose feed is asked.
    held : callable
        Returns the symbols with an open position.
    """

    def __init__(
        self, settings: Settings, stored: TurnedRepository, agent: Agent,
        held: Callable[[], Iterable[str]],
    ) -> None:  # fmt: skip
        self._settings, self._stored, self._agent, self._held = settings, stored, agent, held
        self._name = universe_key(settings)

    @property
    def overruled(self) -> str:
        """The setting that names symbols or their number, so that a choice changes nothing."""
        return overruled(self._settings)

    def in_force(self, stored: Choice | None) -> Choice:
        """Return the choice of the next start; see the function of that name."""
        return in_force(self._settings, stored)

    async def chosen(self) -> Choice | None:
        """Return the stored choice; None before the first."""
        return Choice.of((await asyncio.to_thread(self._stored.read, self._name)).values)

    def watched(self, sort: str = "volume") -> tuple[Quote, ...]:
        """Return what is watched now, by ``volume`` or ``name``."""
        known = _known(self._agent.snapshot())
        return _sorted([_quote(s, known) for s in self._feed.symbols], sort)

    async def look(self, choice: Choice, sort: str = "volume") -> Outcome:
        """Return what a choice would give at the next start.

        Raises
        ------
        ValueError
            If its quote or a symbol is not there.
        """
        known, turnover, note = _known(self._agent.snapshot()), {}, ""
        if choice.symbols:
            names = self._checked(choice.symbols)
        elif isinstance(self._feed, ExchangeFeed):
            try:
                turnover = await self._agent.ask(
                    self._feed.largest(choice.top or self._settings.top, choice.quote)
                )
            except OpportunityError as error:
                note = f"The exchange could not be asked: {error}"
            names = tuple(turnover) or self._feed.symbols
        else:
            names = self._invented(choice)
        more = tuple(s for s in self._held() if s not in names)
        quotes = [_quote(s, known, turnover) for s in (*names, *more)]
        return Outcome(_sorted(quotes, sort), more, note)

    async def choose(self, choice: Choice, by: str, why: str = "") -> Outcome:
        """Keep a choice for the next start; return what it will give.

        Raises
        ------
        ValueError
            If its quote or a symbol is not there.
        DatabaseError
            If it cannot be stored.
        """
        found = await self.look(choice)
        before = await asyncio.to_thread(self._stored.read, self._name)
        about = Why("agent", by, why, self._agent.time or 0)
        await asyncio.to_thread(
            self._stored.write, self._name, choice.as_dict(), before.values, about
        )
        return found

    @property
    def _feed(self) -> Feed:
        return self._agent.feed

    def _checked(self, symbols: Sequence[str]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(symbols))
        if isinstance(self._feed, SimulatedFeed):
            return symbols_of(names)
        if isinstance(self._feed, ExchangeFeed):
            return self._feed.chosen(names)
        return names

    def _invented(self, choice: Choice) -> tuple[str, ...]:
        if not isinstance(self._feed, SimulatedFeed):
            ranked = _sorted(self.watched(), "volume")
            return tuple(q.symbol for q in ranked[: choice.top or len(ranked)])
        if choice.quote.upper() not in ("", SIMULATED_QUOTE):
            raise ValueError(
                f"quote must be {SIMULATED_QUOTE} in the simulated market, was {choice.quote}"
            )
        return symbols_of(choice.top or SIMULATED_TOP)


def _known(snapshot: MarketSnapshot | None) -> dict[str, Quote]:
    if snapshot is None:
        return {}
    columns = zip(
        snapshot.symbols, snapshot.price.tolist(), snapshot.change_24h.tolist(),
        snapshot.volume_24h.tolist(), strict=True,
    )  # fmt: skip
    return {quote.symbol: quote for quote in (Quote(*row) for row in columns)}


def _quote(
    symbol: str, known: Mapping[str, Quote], turnover: Mapping[str, float] | None = None
) -> Quote:
    found = known.get(symbol)
    if found is None:
        return Quote(symbol, np.nan, np.nan, (turnover or {}).get(symbol, np.nan))
    return found


def _sorted(quotes: Iterable[Quote], sort: str) -> tuple[Quote, ...]:
    if sort == "name":
        return tuple(sorted(quotes, key=lambda q: q.symbol))
    return tuple(sorted(quotes, key=lambda q: (np.isnan(q.volume), -q.volume, q.symbol)))
