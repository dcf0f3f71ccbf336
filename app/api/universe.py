"""Which symbols are watched, and which would be after the next start."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import invalid, warming
from app.api.symbols import read_symbols
from app.auth.roles import Role
from app.universe import Choice, Outcome, Quote
from opportunity.contracts.watchlists import (
    UniverseAnswer,
    UniverseBody,
    UniverseChoice,
    UniverseLine,
    UniverseOutcome,
    UniverseQuery,
)
from opportunity.market.symbols import compact


class UniverseHandler(BaseHandler):
    """What is watched; a choice is used by the next start."""

    @operation(Role.VIEWER, answer=UniverseAnswer, query=UniverseQuery)
    async def get(self) -> None:
        """Return what is watched now, and what a choice would give."""
        asked, universe = self.query(UniverseQuery), self.services.universe
        if not self.services.symbols:
            raise warming()
        stored = await universe.chosen()
        wanted = universe.in_force(stored)
        if asked.quote is not None or asked.top is not None:
            wanted = Choice(asked.quote or wanted.quote, asked.top or wanted.top)
        await self._answer(wanted, stored, asked.sort, False)

    @operation(Role.TRADER, answer=UniverseAnswer, body=UniverseBody)
    async def put(self) -> None:
        """Keep a choice for the next start; an empty one goes back to the settings."""
        told = self.body(UniverseBody)
        if not self.services.symbols:
            raise warming()
        symbols = tuple(read_symbols(told.symbols or (), "symbols"))
        wanted = Choice((told.quote or "").upper(), told.top, symbols)
        await self._answer(wanted, wanted, "volume", True, told.why)

    async def _answer(
        self, wanted: Choice, stored: Choice | None, sort: str, keep: bool, why: str = ""
    ) -> None:
        universe = self.services.universe
        try:
            if keep:
                found = await universe.choose(wanted, self.caller.name, why)
            else:
                found = await universe.look(wanted, sort)
        except ValueError as error:
            raise invalid("symbols" if wanted.symbols else "quote", str(error)) from error
        self.send(
            UniverseAnswer(
                watched=[_line(quote) for quote in universe.watched(sort)],
                chosen=None if stored is None else _choice(stored),
                would=self._outcome(found),
                source=self.services.source,
            )
        )

    def _outcome(self, found: Outcome) -> UniverseOutcome:
        watched, names = self.services.symbols, [quote.symbol for quote in found.symbols]
        by = self.services.universe.overruled
        note = f"The setting {by} says what is watched, and wins over a choice." if by else ""
        return UniverseOutcome(
            symbols=[_line(quote) for quote in found.symbols],
            added=[s for s in names if s not in watched],
            removed=[s for s in watched if s not in names],
            held=list(found.held), applies="overruled" if by else "restart",
            note=" ".join(part for part in (note, found.note) if part),
        )  # fmt: skip


def _line(quote: Quote) -> UniverseLine:
    return UniverseLine(
        symbol=quote.symbol, id=compact(quote.symbol), price=quote.price,
        change_24h=quote.change, volume_24h=quote.volume,
    )  # fmt: skip


def _choice(choice: Choice) -> UniverseChoice:
    return UniverseChoice(
        quote=choice.quote or None, top=choice.top, symbols=list(choice.symbols)
    )


routes = [("/api/universe", UniverseHandler)]
