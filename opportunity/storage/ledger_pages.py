"""Pages of what books did, and their equity curves, for people and programs to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from opportunity.market.timeframe import DAY_MS
from opportunity.storage.trading_tables import book, equity_mark, fill, paper_order, trade
from opportunity.storage.transactions import told

MOST_READ: Final = 1_000
"""Rows of one page."""

MOST_POINTS: Final = 10_000
"""Points of one curve."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, newest first; `after` asks for the next ones, None when these are the last."""

    rows: tuple[T, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order; `side` is that of the fill, `limit` None at the market."""

    number: int
    time: int
    symbol: str
    side: int
    reason: str
    status: str
    limit: float | None
    distance: float | None
    score: float | None
    confidence: float | None
    size_by: str


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill; `trade` is the number of the entry it belongs to."""

    number: int
    time: int
    symbol: str
    side: int
    reason: str
    quantity: float
    reference: float
    price: float
    fee: float
    slippage: float
    trade: int


@dataclass(frozen=True, slots=True)
class StoredTrade:
    """A trade that is over; numbers count ends, `entry_number` entries."""

    number: int
    entry_number: int
    symbol: str
    side: int
    opened: int
    closed: int
    entry: float
    exit: float
    quantity: float
    pnl: float
    fees: float
    slippage: float
    funding: float
    r: float | None
    mae: float | None
    mfe: float | None
    bars: int
    reason: str
    n_fills: int
    score: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve:
    """Points of a curve, oldest first; arrays of one length."""

    time: NDArray[np.int64]
    equity: NDArray[np.float64]
    cash: NDArray[np.float64]
    gross: NDArray[np.float64]
    drawdown: NDArray[np.float64]


class LedgerPages:
    """What may be read of the books of one market; every method blocks.

    All take `epoch`, by default the present one, and raise DatabaseError if the database cannot
    be read. A book that there is none of has done nothing.
    """

    market: str
    _engine: sa.Engine

    def orders(
        self, name: str, limit: int = 100, after: int | None = None, symbol: str | None = None,
        epoch: int | None = None,
    ) -> Page[StoredOrder]:
        """Return orders, newest first."""
        rows, more = self._page(paper_order, name, limit, after, symbol, epoch)
        names = [f if f != "limit" else "limit_price" for f in StoredOrder.__dataclass_fields__]
        return Page(tuple(StoredOrder(*(row[n] for n in names)) for row in rows), more)

    def fills(
        self, name: str, limit: int = 100, after: int | None = None, symbol: str | None = None,
        epoch: int | None = None,
    ) -> Page[StoredFill]:
        """Return fills, newest first."""
        rows, more = self._page(fill, name, limit, after, symbol, epoch)
        return Page(
            tuple(StoredFill(**{n: r[n] for n in StoredFill.__dataclass_fields__}) for r in rows),
            more,
        )

    def trades(
        self, name: str, limit: int = 100, after: int | None = None, symbol: str | None = None,
        epoch: int | None = None,
    ) -> Page[StoredTrade]:
        """Return trades that are over, the newest end first."""
        rows, more = self._page(trade, name, limit, after, symbol, epoch)
        names = tuple(StoredTrade.__dataclass_fields__)
        return Page(tuple(StoredTrade(**{n: r[n] for n in names}) for r in rows), more)

    def equity(
        self, name: str, since: int = 0, until: int | None = None, most: int = 1_000,
        epoch: int | None = None,
    ) -> EquityCurve:
        """Return the equity curve between two feed times, ms UTC, both included.

        Parameters
        ----------
        name : str
        since, until : int
        most : int
            Points at most, 2 to `MOST_POINTS`: of more each k-th is taken, and the newest.
        epoch : int, optional

        Raises
        ------
        ValueError
            If `most` is out of bounds.
        DatabaseError
            If the database cannot be read.
        """
        if not 2 <= most <= MOST_POINTS:
            raise ValueError(f"most must be 2 to {MOST_POINTS}, was {most}")
        c = equity_mark.c
        with told("equity must be readable, was not"), self._engine.connect() as connection:
            wanted = self._epoch(connection, name, epoch)
            mine = (c.book == name) & (c.epoch == wanted) & (c.time >= since)
            if until is not None:
                mine &= c.time <= until
            count = sa.select(sa.func.count()).select_from(equity_mark).where(mine)
            n = int(connection.execute(count).scalar() or 0)
            step = max(1, -(-n // most))
            place = sa.func.row_number().over(order_by=c.time.desc()).label("place")
            points = sa.select(c.time, c.equity, c.cash, c.gross, c.drawdown, place).where(mine)
            thin = points.subquery()
            chosen = sa.select(thin).where((thin.c.place - 1) % step == 0).order_by(thin.c.time)
            rows = connection.execute(chosen).all()
        return _curve(rows)

    def days(
        self, name: str, most: int = 366, until: int | None = None, epoch: int | None = None
    ) -> EquityCurve:
        """Return the last mark of each of the newest days, oldest first.

        Parameters
        ----------
        name : str
        most : int
            Days at most, >= 1; days without a mark do not count.
        until : int, optional
            Marks up to then, ms UTC; what closes at midnight belongs to the day that it ends.
        epoch : int, optional

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = equity_mark.c
        with told("equity must be readable, was not"), self._engine.connect() as connection:
            mine = (c.book == name) & (c.epoch == self._epoch(connection, name, epoch))
            if until is not None:
                mine &= c.time <= until
            ends = (
                sa.select(sa.func.max(c.time).label("time")).where(mine)
                .group_by((c.time - 1) // DAY_MS).order_by(sa.desc("time")).limit(most)
            ).subquery()
            points = sa.select(c.time, c.equity, c.cash, c.gross, c.drawdown).where(
                mine, c.time.in_(sa.select(ends.c.time))
            )
            return _curve(connection.execute(points.order_by(c.time)).all())

    def _epoch(self, connection: sa.Connection, name: str, epoch: int | None) -> int:
        if epoch is not None:
            return epoch
        mine = (book.c.name == name) & (book.c.market == self.market)
        found = connection.execute(sa.select(book.c.epoch).where(mine)).scalar()
        return -1 if found is None else int(found)

    def _page(
        self, table: sa.Table, name: str, limit: int, after: int | None, symbol: str | None,
        epoch: int | None,
    ) -> tuple[list[Any], int | None]:
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be 1 to {MOST_READ}, was {limit}")
        c = table.c
        with told(f"{table.name} must be readable, was not"), self._engine.connect() as connection:
            wanted = sa.select(table).where(
                c.book == name, c.epoch == self._epoch(connection, name, epoch)
            )
            if after is not None:
                wanted = wanted.where(c.number < after)
            if symbol is not None:
                wanted = wanted.where(c.symbol == symbol)
            rows = connection.execute(wanted.order_by(c.number.desc()).limit(limit + 1)).mappings()
            found = list(rows)
        kept = found[:limit]
        return kept, int(kept[-1]["number"]) if len(found) > limit else None


def _curve(rows: Sequence[Any]) -> EquityCurve:
    columns = [np.array([row[i] for row in rows], float) for i in range(1, 5)]
    return EquityCurve(np.array([row[0] for row in rows], np.int64), *columns)
