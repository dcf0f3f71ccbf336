"""Let go of rows that are too old, a few thousand at a time so that nobody has to wait."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from opportunity.storage.retention import RULES, THIN_MS, Rule, cutoff
from opportunity.storage.trading_tables import METADATA
from opportunity.storage.transactions import repeated, told

PIECE: Final = 2_000
"""Rows of one transaction: some hundredths of a second."""


class Pruner:
    """Lets go of what the rules call too old.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    days : mapping
        Days by table; see `opportunity.storage.retention.cutoff`.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(
        self, engine: sa.Engine, days: Mapping[str, int], clock: Callable[[], int]
    ) -> None:
        self._engine, self._days, self._clock = engine, dict(days), clock

    def prune(self, enough: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Let go of all that is too old; return how many rows by table.

        Parameters
        ----------
        enough : callable
            Asked between two transactions: True ends it, the rest is for the next time.

        Raises
        ------
        DatabaseError
            If the database does not do it; what was done until then stays done.
        """
        gone: dict[str, int] = {}
        for rule in RULES:
            table = METADATA.tables[rule.table]
            for doomed in self._doomed(rule, table):
                remove = _removal(table, doomed)
                while not enough():
                    n = repeated(self._engine, remove, f"old rows of {rule.table} must go, did not")
                    gone[rule.table] = gone.get(rule.table, 0) + n
                    if n < PIECE:
                        break
        return {name: n for name, n in gone.items() if n}

    def _doomed(self, rule: Rule, table: sa.Table) -> Iterator["sa.Select[Any]"]:
        """Choose the keys of what is too old, `PIECE` at most, for each market or book."""
        time = table.c[rule.time]
        for name, now in self._owners(rule, table):
            before = cutoff(rule, self._days, now)
            if before is None:
                continue
            chosen = sa.select(*table.primary_key).where(time < before).limit(PIECE)
            if rule.of:
                chosen = chosen.where(table.c[rule.of] == name)
            if rule.but:
                column, value = rule.but
                chosen = chosen.where(table.c[column] != value)
            if rule.thinned:
                chosen = chosen.where(_has_later(table, rule.time))
            if "id" in table.c:  # ids never start anew: the newest row stays
                newest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
                chosen = chosen.where(table.c.id < newest)
            yield chosen

    def _owners(self, rule: Rule, table: sa.Table) -> list[tuple[str, int]]:
        if not rule.of:
            return [("", self._clock())]
        of, newest = table.c[rule.of], sa.func.max(table.c[rule.time])
        asked = sa.select(of, newest).group_by(of)
        with told(f"{rule.table} must be readable, was not"), self._engine.connect() as connection:
            return [(name, int(now)) for name, now in connection.execute(asked)]


def _removal(table: sa.Table, doomed: "sa.Select[Any]") -> Callable[[sa.Connection], int]:
    keys = list(table.primary_key)
    key: Any = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
    statement = sa.delete(table).where(key.in_(doomed))
    return lambda connection: int(connection.execute(statement).rowcount)


def _has_later(table: sa.Table, name: str) -> "sa.Exists":
    """Say that a row is not the last of its hour: one of the same owner comes after it."""
    later = table.alias("later")
    same = [later.c[c.name] == c for c in table.primary_key if c.name != name]
    time = table.c[name]
    # A mark at the full hour ends the hour before: the bar that closed then lies in it.
    end = time + (THIN_MS - time % THIN_MS) % THIN_MS + 1
    return sa.exists().where(*same, later.c[name] > time, later.c[name] < end)
