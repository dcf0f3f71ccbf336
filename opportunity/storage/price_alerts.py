"""Prices that people want to be told of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import sqlalchemy as sa

from opportunity.errors import OpportunityError
from opportunity.storage.trading_tables import price_alert
from opportunity.storage.transactions import repeated, told

Rule = Literal["above", "below"]

MOST: Final = 500
"""Price alerts that are kept at once."""


class TooManyError(OpportunityError, ValueError):
    """Raised when another price alert would be one too many."""


@dataclass(frozen=True, slots=True)
class PriceAlert:
    """A price to be told of.

    Parameters
    ----------
    id : int
    symbol : str
    rule : str
        ``above``: told at a high at or over `price`; ``below``: at a low at or under it.
    price : float
        In quote currency.
    note : str
        What somebody wrote to it; at most 200 characters.
    again : bool
        Told again once the price was on the other side.
    active : bool
        Whether the next touch is told. One that goes on is inactive until the price has left.
    created_at : int
        Wall time, ms UTC.
    fired_at : int or None
        Feed time of the newest touch that was told, ms UTC.
    """

    id: int
    symbol: str
    rule: Rule
    price: float
    note: str
    again: bool
    active: bool
    created_at: int
    fired_at: int | None

    @property
    def watched(self) -> bool:
        """Whether prices have to be looked at for it."""
        return self.active or self.again


class PriceAlertRepository:
    """Keeps price alerts.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it: a price of one market says nothing about another.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, market: str, clock: Callable[[], int]) -> None:
        self._engine, self._market, self._clock = engine, market, clock

    def read(self) -> tuple[PriceAlert, ...]:
        """Return all, oldest first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        columns = [price_alert.c[name] for name in PriceAlert.__dataclass_fields__]
        mine = price_alert.c.market == self._market
        wanted = sa.select(*columns).where(mine).order_by(price_alert.c.id)
        with (
            told("price alerts must be readable, were not"), self._engine.connect() as connection,
        ):  # fmt: skip
            rows = connection.execute(wanted).all()
        return tuple(PriceAlert(*row) for row in rows)

    def add(self, symbol: str, rule: Rule, price: float, note: str, again: bool) -> PriceAlert:
        """Keep a new one and return it.

        Raises
        ------
        ValueError
            If the price is not above 0.
        TooManyError
            If there are `MOST` already.
        DatabaseError
            If the database does not take it.
        """
        if not 0 < price < float("inf"):
            raise ValueError(f"price must be a number > 0, was {price}")
        row: dict[str, Any] = {
            "symbol": symbol, "rule": rule, "price": float(price), "note": note[:200],
            "again": again, "active": True, "created_at": self._clock(), "fired_at": None,
        }  # fmt: skip
        count = sa.select(sa.func.count()).select_from(price_alert)

        def keep(connection: sa.Connection) -> int:
            if connection.execute(count).scalar_one() >= MOST:
                raise TooManyError(f"price alerts must be at most {MOST}, delete some first")
            new = sa.insert(price_alert).values(market=self._market, **row)
            made = connection.execute(new).inserted_primary_key
            return int(cast(tuple[int], made)[0])

        made = repeated(self._engine, keep, "price alert must be kept, was not")
        return PriceAlert(id=made, **row)

    def mark(self, alert: PriceAlert) -> None:
        """Keep whether it is active and when it was touched."""
        changed = sa.update(price_alert).where(price_alert.c.id == alert.id)
        self._do(changed.values(active=alert.active, fired_at=alert.fired_at))

    def delete(self, id: int) -> bool:
        """Delete one; return whether it was there."""
        mine = (price_alert.c.id == id) & (price_alert.c.market == self._market)
        return self._do(sa.delete(price_alert).where(mine)) > 0

    def _do(self, statement: Any) -> int:
        return repeated(
            self._engine, lambda connection: int(connection.execute(statement).rowcount),
            "price alert must be changed, was not",
        )  # fmt: skip
