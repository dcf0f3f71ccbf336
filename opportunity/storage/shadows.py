"""Challengers: who they are, what became of them, and the marks they are compared by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from opportunity.errors import ConflictError, unknown
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.storage.books import PAPER, shadow_book
from opportunity.storage.ledger import Ledger
from opportunity.storage.ledger_rows import accounts_of
from opportunity.storage.trading_tables import book, equity_mark, event, shadow
from opportunity.storage.transactions import repeated, told

MOST_SHADOWS: Final = 16
"""Challengers that run at the same time."""

MOST_STOPPED: Final = 50
"""Of those that have ended, the newest that are listed."""

MOST_MARKS: Final = 20_000
"""Pairs of marks of one page."""

MOST_CHAPTERS: Final = 100
KIND: Final = "shadow"


@dataclass(frozen=True, slots=True)
class Shadow:
    """A challenger; times are wall times in ms UTC, `stopped_at` None while it runs."""

    name: str
    weights: dict[str, float]
    note: str
    created_at: int
    stopped_at: int | None


@dataclass(frozen=True, slots=True)
class Chapter:
    """From when on a challenger is compared, and with what; a later one replaces it.

    Parameters
    ----------
    time : int
        Feed time, ms UTC.
    epoch, against : int
        Of the challenger's book, and of the champion's.
    why : str
    weights : tuple of float
        Of the champion.
    """

    time: int
    epoch: int
    against: int
    why: str
    weights: tuple[float, ...]

    def body(self, name: str) -> dict[str, Any]:
        """Return it as an event says it of a challenger."""
        return {
            "book": shadow_book(name), "what": "chapter", "epoch": self.epoch,
            "against": self.against, "why": self.why, "weights": list(self.weights),
        }  # fmt: skip

    def key(self, name: str) -> str:
        """Return the key of that event: one for each moment of a book."""
        return f"{_prefix(name)}{self.epoch}:{self.time}"


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it was committed last; money in quote currency, times in feed ms UTC."""

    epoch: int
    begun: int
    time: int
    cash: float
    equity: float
    drawdown: float
    n_trades: int


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Equity of both accounts at the same times, ms UTC, oldest first.

    Parameters
    ----------
    time : ndarray of int64
    champion, challenger : ndarray
    """

    time: TimeArray
    champion: FloatArray
    challenger: FloatArray


class ShadowRepository:
    """Keeps challengers; a name is used once, so that its history stays its own.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Whose books are read; challengers run in every market, with a book in each.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, market: str, clock: Callable[[], int]) -> None:
        self._engine, self._market, self._clock = engine, market, clock

    @classmethod
    def beside(cls, ledger: Ledger) -> "ShadowRepository":
        """Return the challengers whose books a ledger keeps."""
        return cls(ledger._engine, ledger.market, ledger._clock)

    def read(self) -> tuple[Shadow, ...]:
        """Return those that run, oldest first, then those that have ended, newest first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = shadow.c
        runs = sa.select(shadow).where(c.stopped_at.is_(None)).order_by(c.created_at, c.name)
        ended = sa.select(shadow).where(c.stopped_at.is_not(None))
        ended = ended.order_by(c.stopped_at.desc(), c.name).limit(MOST_STOPPED)
        with told("challengers must be readable, were not"), self._engine.connect() as connection:
            rows = [*connection.execute(runs), *connection.execute(ended)]
        return tuple(_shadow(row) for row in rows)

    def find(self, name: str) -> Shadow:
        """Return a challenger that runs or has run.

        Raises
        ------
        KeyError
            If there is none of that name.
        DatabaseError
            If the database cannot be read.
        """
        with told("challengers must be readable, were not"), self._engine.connect() as connection:
            row = connection.execute(sa.select(shadow).where(shadow.c.name == name)).first()
        if row is None:
            raise KeyError(unknown("challenger", name, [one.name for one in self.read()]))
        return _shadow(row)

    def add(self, name: str, weights: Mapping[str, float], note: str = "") -> Shadow:
        """Keep a new challenger.

        Raises
        ------
        ConflictError
            If the name was ever used, or too many run.
        DatabaseError
            If the database does not take it.
        """
        kept = Shadow(name, dict(weights), note, self._clock(), None)

        def work(connection: sa.Connection) -> None:
            used = sa.select(shadow.c.name).where(shadow.c.name == name)
            if connection.execute(used).first() is not None:
                raise ConflictError(f"name must be a new one, was used before: {name!r}")
            runs = sa.select(sa.func.count()).where(shadow.c.stopped_at.is_(None))
            n = connection.execute(runs.select_from(shadow)).scalar_one()
            if n >= MOST_SHADOWS:
                raise ConflictError(f"challengers must be at most {MOST_SHADOWS}, was {n + 1}")
            connection.execute(sa.insert(shadow).values(
                name=name, weights=kept.weights, note=note, created_at=kept.created_at,
                stopped_at=None,
            ))  # fmt: skip

        repeated(self._engine, work, "challenger must be kept, was not")
        return kept

    def stop(self, name: str) -> Shadow:
        """Write down that a challenger has ended; once it has, nothing changes.

        Raises
        ------
        KeyError
            If there is none of that name.
        DatabaseError
            If the database does not take it.
        """
        def work(connection: sa.Connection) -> None:
            c = shadow.c
            wanted = sa.update(shadow).where(c.name == name, c.stopped_at.is_(None))
            connection.execute(wanted.values(stopped_at=self._clock()))

        repeated(self._engine, work, "challenger must be stopped, was not")
        return self.find(name)

    def chapters(self, name: str) -> tuple[Chapter, ...]:
        """Return the newest chapters of a challenger in this market, oldest first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        standing = self.standing(name)
        if standing is None:
            return ()
        c, start = event.c, f"{_prefix(name)}{standing.epoch}:"
        wanted = sa.select(c.time, c.body).where(  # LIKE would not tell capitals from small letters
            c.kind == KIND, sa.func.substr(c.key, 1, len(start)) == start
        )
        wanted = wanted.order_by(c.id.desc()).limit(MOST_CHAPTERS)
        with told("challengers must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        return tuple(_chapter(row.time, row.body) for row in reversed(rows))

    def standing(self, name: str | None = None) -> Standing | None:
        """Return the account of a challenger, by default the champion's; None before its first.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        wanted = sa.select(book).where(
            book.c.name == _book(name), book.c.market == self._market
        )
        with told("books must be readable, were not"), self._engine.connect() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        account = accounts_of(row.account, row.cash)[0][0]
        equity, peak = float(account["equity"]), float(account["peak"])
        drawdown = max(0.0, 1 - equity / peak) if peak > 0 else 0.0
        trades = int(account["n_trades"])
        return Standing(row.epoch, row.begun, row.time, row.cash, equity, drawdown, trades)

    def marks(self, name: str, chapter: Chapter, after: int = 0) -> Marks:
        """Return a page of the marks that champion and challenger have at the same times.

        Parameters
        ----------
        name : str
        chapter : Chapter
            Of which epochs, and from when on.
        after : int
            And later than this feed time, ms UTC.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        one, other = equity_mark.alias("champion"), equity_mark.alias("challenger")
        wanted = (
            sa.select(one.c.time, one.c.equity, other.c.equity)
            .select_from(one.join(other, one.c.time == other.c.time))
            .where(one.c.book == PAPER, one.c.epoch == chapter.against)
            .where(other.c.book == _book(name), other.c.epoch == chapter.epoch)
            .where(one.c.time >= chapter.time, one.c.time > after)
            .order_by(one.c.time)
            .limit(MOST_MARKS)
        )
        with told("marks must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted).all()
        times = np.array([row[0] for row in rows], np.int64)
        equities = np.array([tuple(row)[1:] for row in rows], float).reshape(-1, 2)
        return Marks(times, equities[:, 0].copy(), equities[:, 1].copy())


def _book(name: str | None) -> str:
    return PAPER if name is None else shadow_book(name)


def _prefix(name: str) -> str:
    return f"shadow:{name}:"


def _shadow(row: Any) -> Shadow:
    return Shadow(row.name, dict(row.weights), row.note, row.created_at, row.stopped_at)


def _chapter(time: int, body: Mapping[str, Any]) -> Chapter:
    return Chapter(time, body["epoch"], body["against"], body["why"], tuple(body["weights"]))
