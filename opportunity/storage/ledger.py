"""The ledger: books with fills, positions and risk state.

Whatever belongs together is written as one, once, and only by whoever holds the lease.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from opportunity.storage.books import (
    PAPER,
    SHADOW,
    Book,
    BookError,
    Identity,
    Posting,
    shadow_book,
)
from opportunity.storage.events import Event, StoredEvent, add_events, stored_events
from opportunity.storage.failures import failure
from opportunity.storage.lease import Lease
from opportunity.storage.ledger_identity import identity_of
from opportunity.storage.ledger_pages import LedgerPages
from opportunity.storage.ledger_postings import follows, write
from opportunity.storage.ledger_rows import (
    account_body,
    accounts_of,
    position_of,
)
from opportunity.storage.trading_tables import (
    book,
    position,
)
from opportunity.storage.transactions import repeated, told
from opportunity.trading.terms import new_account, new_tally

__all__ = [
    "PAPER", "SHADOW", "Book", "BookError", "Identity", "Ledger", "Posting", "shadow_book",
]  # fmt: skip



class Ledger(LedgerPages):
    """The books of one market.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it: each market has books of its own.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, market: str, clock: Callable[[], int]) -> None:
        self.market, self._engine, self._clock = market, engine, clock

    # -- books -------------------------------------------------------------------------------

    def open_book(
        self, name: str, cash: float, time: int, lease: Lease | None = None
    ) -> Book:
        """Return a book as it is stored; one that there is none of begins.

        Parameters
        ----------
        name : str
            `PAPER`, or `shadow_book(...)`.
        cash : float
            That a new book begins with, quote currency, > 0.
        time : int
            Feed time at which a new one begins, ms UTC.
        lease : Lease, optional
            Checked before a new one begins.

        Raises
        ------
        LeaseLost
            If another server holds the lease.
        DatabaseError
            If the database fails.
        """

        def work(connection: sa.Connection) -> Book:
            if lease is not None:
                lease.check(connection)
            there = self._row(connection, name)
            if there is None:
                self._begin(connection, name, self._next_epoch(connection, name), cash, time, 0)
                there = self._row(connection, name)
            return self._book(connection, there)

        return repeated(self._engine, work, "book must be opened, was not")

    def read_book(self, name: str) -> Book | None:
        """Return a book as it is stored; None where there is none.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        with told("book must be readable, was not"), self._engine.connect() as connection:
            there = self._row(connection, name)
            return None if there is None else self._book(connection, there)

    def time_of(self, name: str = PAPER) -> int | None:
        """Return up to which feed time a book is worked in, ms UTC; None where there is none.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        with told("book must be readable, was not"), self._engine.connect() as connection:
            there = self._row(connection, name)
            return None if there is None else int(there.time)

    def version_of(self, name: str) -> tuple[int, int] | None:
        """Return epoch and version of a book, as `commit` left them; None where there is none.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        with told("book must be readable, was not"), self._engine.connect() as connection:
            there = self._row(connection, name)
            return None if there is None else (int(there.epoch), int(there.version))

    def reset(
        self, name: str, cash: float, time: int, by: str, why: str = "",
        lease: Lease | None = None,
    ) -> Book:
        """Begin a book anew, with cash and nothing else; what was stays readable by its epoch.

        The audit of it has the key `reset_key(book)`.

        Raises
        ------
        BookError
            If there is no such book.
        LeaseLost
            If another server holds the lease.
        DatabaseError
            If the database fails.
        """

        def work(connection: sa.Connection) -> Book:
            if lease is not None:
                lease.check(connection)
            there = self._row(connection, name)
            if there is None:
                raise BookError(f"book must be known to be reset, was {name!r}")
            before = self._book(connection, there)
            self._again(connection, before, cash, max(time, before.time), {"by": by, "why": why})
            return self._book(connection, self._row(connection, name))

        return repeated(self._engine, work, "book must be reset, was not")

    def rewind(self, time: int, lease: Lease | None = None) -> tuple[str, ...]:
        """Begin every book anew that is ahead of a time: the market goes through it again.

        Parameters
        ----------
        time : int
            Feed time from which on bars will come, ms UTC.
        lease : Lease, optional

        Returns
        -------
        tuple of str
            Names of those books; each begins with the cash that it began with before.

        Raises
        ------
        LeaseLost
            If another server holds the lease.
        DatabaseError
            If the database fails.
        """

        def work(connection: sa.Connection) -> tuple[str, ...]:
            if lease is not None:
                lease.check(connection)
            ahead = (book.c.market == self.market) & (book.c.time > time)
            found = connection.execute(sa.select(book).where(ahead).order_by(book.c.name)).all()
            for row in found:
                before = self._book(connection, row)
                told = {"by": "start", "why": "the market is gone through again"}
                self._again(connection, before, before.cash, time, told)
            return tuple(row.name for row in found)

        return repeated(self._engine, work, "books must be begun anew, were not")

    # -- postings ----------------------------------------------------------------------------

    def commit(
        self, postings: Sequence[Posting], lease: Lease | None = None
    ) -> tuple[StoredEvent, ...]:
        """Write postings as one transaction; return their events as they are in the log.

        One that is in already is skipped whole, and so is one of an epoch that is over: after an
        error the same postings may be given again.

        Raises
        ------
        LeaseLost
            If another server holds the lease.
        BookError
            If one does not follow what its book holds.
        StorageFull, DatabaseError
            If the database does not take them; none is in then, unless the line broke while the
            commit was under way.
        """

        def work(connection: sa.Connection) -> tuple[StoredEvent, ...]:
            if lease is not None:
                lease.check(connection)
            now, events = self._clock(), [e for posting in postings for e in posting.events]
            for posting in postings:
                if follows(self._row(connection, posting.book), posting):
                    write(connection, self.market, posting, now)
            return stored_events(connection, [event.key for event in events])

        try:
            return repeated(self._engine, work, "ledger must be written, was not")
        except sa.exc.IntegrityError as error:
            raise failure(error, "posting must fit the ledger, did not") from error

    def stored(self, keys: Sequence[str]) -> tuple[StoredEvent, ...]:
        """Return the events of these keys that are in the log.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        with told("events must be readable, were not"), self._engine.connect() as connection:
            return stored_events(connection, keys)

    def identity(self, name: str) -> Identity:
        """Add up the fills of a book's epoch and hold them against what it has.

        Raises
        ------
        BookError
            If there is no such book.
        DatabaseError
            If the database cannot be read.
        """
        with told("book must be readable, was not"), self._engine.connect() as connection:
            there = self._row(connection, name)
            if there is None:
                raise BookError(f"book must be known, was {name!r}")
            return identity_of(connection, self._book(connection, there))

    # -- inside ------------------------------------------------------------------------------

    def _row(self, connection: sa.Connection, name: str) -> Any:
        wanted = sa.select(book).where(book.c.name == name, book.c.market == self.market)
        return connection.execute(wanted).first()

    def _next_epoch(self, connection: sa.Connection, name: str) -> int:
        """Return a number that no epoch of this name has had, in whatever market."""
        newest = sa.select(sa.func.max(book.c.epoch)).where(book.c.name == name)
        found = connection.execute(newest).scalar()
        return 0 if found is None else int(found) + 1

    def _begin(
        self, connection: sa.Connection, name: str, epoch: int, cash: float, time: int,
        version: int,
    ) -> None:
        connection.execute(sa.insert(book).values(
            name=name, market=self.market, epoch=epoch, cash=cash, begun=time, time=time,
            version=version, account=account_body(new_account(cash), new_tally(cash)),
            updated_at=self._clock(),
        ))  # fmt: skip

    def _again(
        self, connection: sa.Connection, before: Book, cash: float, time: int,
        told: dict[str, str],
    ) -> None:
        """Begin the next epoch of a book, and tell who wanted it and why."""
        epoch = self._next_epoch(connection, before.name)
        self._forget(connection, before.name)
        self._begin(connection, before.name, epoch, cash, time, before.version + 1)
        equity = float(before.account["equity"][0])
        body = {
            "book": before.name, **told,
            "before": {"epoch": before.epoch, "cash": before.cash, "equity": equity},
            "after": {"epoch": epoch, "cash": cash},
        }  # fmt: skip
        event = Event(reset_key(before.name, epoch), time, "reset", body)
        add_events(connection, (event,), self._clock())

    def _forget(self, connection: sa.Connection, name: str) -> None:
        """Let go of the present state of a book; what it did stays."""
        there = self._row(connection, name)
        of = (position.c.book == name) & (position.c.epoch == there.epoch)
        connection.execute(sa.delete(position).where(of))
        mine = (book.c.name == name) & (book.c.market == self.market)
        connection.execute(sa.delete(book).where(mine))

    def _book(self, connection: sa.Connection, row: Any) -> Book:
        account, tally = accounts_of(row.account, float(row.cash))
        of = (position.c.book == row.name) & (position.c.epoch == row.epoch)
        held = connection.execute(sa.select(position).where(of).order_by(position.c.symbol)).all()
        return Book(
            row.name, row.market, int(row.epoch), float(row.cash), int(row.begun), int(row.time),
            int(row.version), account, tally,
            {one.symbol: position_of(one.body) for one in held},
            {one.symbol: int(one.body.get("seen", row.time)) for one in held},
        )  # fmt: skip


def reset_key(name: str, epoch: int) -> str:
    """Return the key of the event that tells of a reset; `epoch` is the one that began."""
    return f"{name}:{epoch}:reset"
