"""Lists of symbols under a name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from opportunity.contracts.watchlists import MOST_SYMBOLS
from opportunity.errors import unknown
from opportunity.storage.failures import failure
from opportunity.storage.trading_tables import watchlist
from opportunity.storage.transactions import repeated

MOST_LISTS: Final = 200
"""Lists that are kept at most."""


@dataclass(frozen=True, slots=True)
class Watchlist:
    """Symbols under a name; `updated_at` in wall time, ms UTC."""

    name: str
    symbols: tuple[str, ...]
    updated_at: int


class WatchlistRepository:
    """Keeps the lists that people saved.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def read(self) -> tuple[Watchlist, ...]:
        """Return all lists in the order of their names.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(sa.select(watchlist).order_by(watchlist.c.name)).all()
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "watchlists must be readable, were not") from error
        return tuple(Watchlist(row.name, tuple(row.symbols), row.updated_at) for row in rows)

    def write(self, name: str, symbols: Sequence[str]) -> Watchlist:
        """Save or replace a list.

        Raises
        ------
        ValueError
            If there are too many lists.
        DatabaseError
            If the database does not take it.
        """

        def work(connection: sa.Connection) -> Watchlist:
            return self._keep(connection, name, symbols)

        return repeated(self._engine, work, "watchlist must be kept, was not")

    def change(
        self, name: str, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Watchlist:
        """Put symbols on a list and take others off: what somebody else did to it meanwhile stays.

        A list that is not there is made, unless something is to be taken off it.

        Raises
        ------
        KeyError
            If there is none of that name to take symbols off.
        ValueError
            If there are too many lists, or symbols on this one.
        DatabaseError
            If the database does not take it.
        """

        def work(connection: sa.Connection) -> Watchlist | None:
            found = sa.select(watchlist.c.symbols).where(watchlist.c.name == name)
            there = connection.execute(found.with_for_update()).scalar_one_or_none()
            if there is None and remove:
                return None
            symbols = [s for s in dict.fromkeys([*(there or ()), *add]) if s not in set(remove)]
            if len(symbols) > MOST_SYMBOLS:
                raise ValueError(f"symbols must be at most {MOST_SYMBOLS}, was {len(symbols)}")
            return self._keep(connection, name, symbols)

        kept = repeated(self._engine, work, "watchlist must be kept, was not")
        if kept is None:
            raise KeyError(unknown("watchlist", name, [one.name for one in self.read()]))
        return kept

    def _keep(self, connection: sa.Connection, name: str, symbols: Sequence[str]) -> Watchlist:
        kept = Watchlist(name, tuple(symbols), self._clock())
        connection.execute(sa.delete(watchlist).where(watchlist.c.name == name))
        n = connection.execute(sa.select(sa.func.count()).select_from(watchlist)).scalar_one()
        if n >= MOST_LISTS:
            raise ValueError(f"watchlists must be at most {MOST_LISTS}, was {n + 1}")
        connection.execute(
            sa.insert(watchlist).values(
                name=name, symbols=list(kept.symbols), updated_at=kept.updated_at
            )
        )
        return kept

    def delete(self, name: str) -> None:
        """Delete a list.

        Raises
        ------
        KeyError
            If there is none of that name.
        DatabaseError
            If the database does not let it go.
        """

        def work(connection: sa.Connection) -> bool:
            gone = connection.execute(sa.delete(watchlist).where(watchlist.c.name == name))
            return bool(gone.rowcount)

        if not repeated(self._engine, work, "watchlist must be deleted, was not"):
            raise KeyError(unknown("watchlist", name, [kept.name for kept in self.read()]))


