"""How the desk has accounts kept: opens books, hands postings on, tells what is stored."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import structlog

from opportunity.bus.memory import Hub
from opportunity.live.bookkeeper import Bookkeeper
from opportunity.live.portfolio import OK, PortfolioState
from opportunity.storage.books import Book, Posting
from opportunity.storage.events import StoredEvent
from opportunity.storage.failures import DatabaseError
from opportunity.storage.lease import Lease
from opportunity.storage.ledger import Ledger

logger = structlog.get_logger(__name__)


class Books(NamedTuple):
    """Where accounts are kept, by what right, and who is told; None of each for none."""

    ledger: Ledger | None = None
    lease: Lease | None = None
    hub: Hub | None = None


class Keeping:
    """Keeps the accounts of one agent; without a ledger they are in memory only.

    Parameters
    ----------
    books : Books
    """

    def __init__(self, books: Books = Books()) -> None:  # noqa: B008 - never changed
        self.books = books
        self.keeper: Bookkeeper | None = None
        self._closed = False
        self._newest: Future[Any] | None = None  # of all that was put
        self.on_state: Callable[[PortfolioState], None] = lambda state: None
        self.on_error: Callable[[str], None] = lambda text: None

    @property
    def storage(self) -> str:
        """Why nothing can be stored now; empty while all is well, or nothing is to be."""
        return "" if self.keeper is None else self.keeper.error

    @property
    def lost(self) -> str:
        """Why nothing may be stored any more; empty while the lease is held."""
        return "" if self.keeper is None else self.keeper.lost

    async def open(self) -> None:
        """Take the lease, where it is not held yet, and begin to renew it and to write.

        Raises
        ------
        LeaseTaken
            If another live server holds it.
        DatabaseError
            If the database cannot be reached.
        """
        ledger, lease = self.books.ledger, self.books.lease
        if ledger is None or not (self.keeper is None or self._closed):
            return
        if lease is not None and not lease.fence:
            await asyncio.to_thread(lease.acquire)
        self.keeper, self._closed = Bookkeeper(ledger, lease, self.tell, self._turned), False

    async def flush(self) -> None:
        """Wait until all that was put is stored."""
        if self.keeper is not None:
            await self.keeper.flush()

    async def book(self, name: str, cash: float, time: int) -> Book | None:
        """Return a book as it is stored, a new one where there is none; None without a ledger."""
        if self.keeper is None or self.books.ledger is None:
            return None
        ledger, lease = self.books.ledger, self.books.lease
        found: Book = await self.keeper.call(lambda: ledger.open_book(name, cash, time, lease))
        return found

    async def rewind(self, time: int) -> None:
        """Begin every book anew that is ahead of a feed time, ms UTC."""
        if self.keeper is None or self.books.ledger is None:
            return
        ledger, lease = self.books.ledger, self.books.lease
        names = await self.keeper.call(lambda: ledger.rewind(time, lease))
        if names:
            logger.info("accounts begin anew", books=names)

    def open_book(self, name: str, cash: float, time: int, lease: Lease | None = None) -> Book:
        """Return a book as it is stored once all that was put is in; blocks, not on the loop.

        Raises
        ------
        LeaseLost, DatabaseError
            If it cannot be opened now.
        """
        ledger = self.books.ledger
        if self.keeper is None or ledger is None:
            raise DatabaseError(f"book must be kept somewhere to be opened, is not: {name!r}")
        work = self.keeper.ask(lambda: ledger.open_book(name, cash, time, lease))
        found: Book = work.result()
        return found

    def put(self, postings: Sequence[Posting]) -> "Future[Any] | None":
        """Have postings stored; None without a ledger, or where there are none."""
        if self.keeper is None or not postings:
            return None
        self._newest = self.keeper.put(postings)
        return self._newest

    def show(self, state: PortfolioState, after: "Future[Any] | None" = None) -> None:
        """Show an account, once what led to it is stored: by default all that was put so far.

        One that says itself that it is not stored is shown at once.
        """
        newest = self._newest
        failed = newest is not None and newest.done() and newest.exception() is not None
        if after is None and newest is not None and (not newest.done() or failed):
            after = newest
        if self.lost:  # what people must see now is why nothing is traded any more
            after = None
        if after is None or state.storage != OK:
            self._show(state)
            return
        after.add_done_callback(
            lambda done: None if done.exception() is not None else self._show(state)
        )

    def _show(self, state: PortfolioState) -> None:
        self.on_state(state)
        if self.books.hub is not None:
            self.books.hub.publish("portfolio", "", state)

    def close(self) -> None:
        """Store what waits and let the lease go; blocks."""
        self._closed = True
        if self.keeper is not None:
            self.keeper.close()

    def tell(self, events: tuple[StoredEvent, ...]) -> None:
        """Tell of events that are stored; from any thread."""
        hub = self.books.hub
        if hub is None:
            return
        try:
            for event in events:
                hub.emit("event", event)
        except OverflowError as error:  # they are in the log, from where they can be read
            logger.error("events not told", error=str(error))

    def _turned(self) -> None:
        text = self.lost or self.storage
        if self.books.hub is not None:
            self.books.hub.publish("storage", "", {"ok": not text, "text": text})
        if self.lost:
            self.on_error(self.lost)
