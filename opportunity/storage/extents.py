"""How much the tables hold that are pruned: rows, and when the oldest is from."""

from dataclasses import dataclass

import sqlalchemy as sa

from opportunity.storage.retention import RULES
from opportunity.storage.trading_tables import METADATA
from opportunity.storage.transactions import told


@dataclass(frozen=True, slots=True)
class Extent:
    """What a table holds.

    Parameters
    ----------
    table : str
    rows : int
    oldest : int or None
        Time of its oldest row, ms UTC: wall time, or feed time where `feed_time`; None if empty.
    feed_time : bool
        Whether the age of its rows is counted in feed time.
    """

    table: str
    rows: int
    oldest: int | None
    feed_time: bool


def extents(engine: sa.Engine) -> tuple[Extent, ...]:
    """Return what each pruned table holds, in the order of the rules; reads whole indexes.

    Raises
    ------
    DatabaseError
        If the database cannot be read.
    """
    found = []
    with told("tables must be readable, were not"), engine.connect() as connection:
        for rule in RULES:
            table = METADATA.tables[rule.table]
            asked = sa.select(sa.func.count(), sa.func.min(table.c[rule.time])).select_from(table)
            rows, oldest = connection.execute(asked).one()
            since = None if oldest is None else int(oldest)
            found.append(Extent(rule.table, int(rows), since, bool(rule.of)))
    return tuple(found)
