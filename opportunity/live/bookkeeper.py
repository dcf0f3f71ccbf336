"""Keeps books: the one thread that writes postings, in order, until each of them is stored.

Nothing here holds the agent's loop. What cannot be written now waits, and is tried again with
pauses that grow; `error` says so meanwhile. A server that has lost the lease writes nothing more.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import structlog

from opportunity.live.merging import merged
from opportunity.measured import MEASURED
from opportunity.storage.events import StoredEvent
from opportunity.storage.failures import DatabaseError
from opportunity.storage.lease import Lease, LeaseLost
from opportunity.storage.ledger import BookError, Ledger, Posting

logger = structlog.get_logger(__name__)

MOST_WAITING: Final = 10_000
"""Postings that wait for a database; more, and those of each book are merged into one."""

MOST_TOGETHER: Final = 64
"""Batches that are written as one transaction when they come faster than the disk."""

FIRST_S: Final = 0.1
LONGEST_S: Final = 10.0
"""Shortest and longest pause between two attempts, wall seconds; each is twice the one before."""

CLOSE_S: Final = 10.0
"""How long a database that fails is waited for at the end, wall seconds."""


class Unsure(DatabaseError):
    """Raised when the line broke while a command was stored: it is in force, and tried again."""


@dataclass(eq=False, slots=True)
class _Work:
    """Postings of one batch, or a call that takes their place in the order."""

    postings: tuple[Posting, ...]
    once: bool = False  # a command by hand: it is stored now or not at all
    call: Callable[[], Any] | None = None
    done: Future[Any] = field(default_factory=Future)

    def end(self, result: Any = None) -> None:
        """Tell whoever waits; nobody does who has been cancelled."""
        with suppress(InvalidStateError):
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        """Tell whoever waits that it came to nothing."""
        with suppress(InvalidStateError):
            self.done.set_exception(error)


class Bookkeeper:
    """Writes postings on a thread of its own and renews the lease.

    Parameters
    ----------
    ledger : Ledger
    lease : Lease or None
        Held already; it is let go at the end.
    told : callable
        Gets the events of what is stored, on this thread.
    turned : callable
        Called on this thread when `error` or `lost` is another one.
    """

    def __init__(
        self,
        ledger: Ledger,
        lease: Lease | None = None,
        told: Callable[[tuple[StoredEvent, ...]], None] = lambda events: None,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        self.ledger, self.lease = ledger, lease
        self.error = ""
        """Why nothing can be stored now; empty while all is well."""
        self.lost = ""
        """Why nothing will be stored any more; empty while the lease is held."""
        self._told, self._turned = told, turned
        self._changed = threading.Condition()
        self._waiting: deque[_Work] = deque()
        self._head: list[_Work] = []  # what is being written: it may be in already
        self._closing, self._deadline = False, 0.0
        self._renewed = monotonic()
        self._thread = threading.Thread(target=self._run, name="bookkeeper", daemon=True)
        self._thread.start()

    # -- from the agent's loop ---------------------------------------------------------------

    def put(self, postings: Sequence[Posting]) -> "Future[Any]":
        """Have the postings of a batch stored, after all that was put before."""
        return self._put(_Work(tuple(postings)))

    async def durable(self, postings: Sequence[Posting]) -> None:
        """Have a command's postings stored now or not at all, after all that was put before.

        Raises
        ------
        LeaseLost
            If another server has taken over.
        Unsure
            If it cannot be known whether they are stored: they are tried until they are.
        DatabaseError
            If they are not stored: nothing of them is waited for any more.
        """
        await asyncio.wrap_future(self._put(_Work(tuple(postings), once=True)))

    async def call(self, function: Callable[[], Any]) -> Any:
        """Call a function on the writing thread, after all that was put before is stored."""
        return await asyncio.wrap_future(self.ask(function))

    def ask(self, function: Callable[[], Any]) -> "Future[Any]":
        """Have a function called on the writing thread; see `call`."""
        return self._put(_Work((), once=True, call=function))

    async def flush(self) -> None:
        """Wait until all that was put so far is stored; see `durable` for what is raised."""
        await self.call(lambda: None)

    @property
    def n_waiting(self) -> int:
        """Batches that are not stored yet."""
        with self._changed:
            return len(self._waiting) + len(self._head)

    def close(self) -> None:
        """Store what waits, let the lease go and end the thread; blocks, call on a thread."""
        with self._changed:
            self._closing, self._deadline = True, monotonic() + CLOSE_S
            self._changed.notify()
        self._thread.join()

    def _put(self, work: _Work) -> "Future[Any]":
        with self._changed:
            if self.lost:
                work.fail(LeaseLost(self.lost))
            elif self._closing:
                work.fail(DatabaseError("bookkeeper must run, was closed"))
            elif work.once and self.error:
                work.fail(DatabaseError(self.error))
            else:
                self._waiting.append(work)
                if len(self._waiting) > MOST_WAITING:
                    self._merge()
                self._changed.notify()
        return work.done

    def _merge(self) -> None:
        """Make one batch of all that wait; their order is kept, and all that is money."""
        whole = _Work(merged(p for work in self._waiting for p in work.postings))
        parts, self._waiting = self._waiting, deque([whole])
        logger.warning("postings merged", batches=len(parts))
        for work in parts:
            _follow(whole.done, work.done)

    # -- on the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = FIRST_S
        while self._next():
            try:
                self._step()
                pause_s = FIRST_S
                self._say("")
            except LeaseLost as error:
                self._lose(str(error))
            except Exception as error:  # whatever it is, what waits must be kept
                if not isinstance(error, (DatabaseError, BookError)):
                    logger.exception("bookkeeper failed")
                MEASURED.count("commit_failures")
                self._say(str(error) or repr(error))
                self._refuse_commands(error)
                if not self._pause(pause_s):
                    break
                pause_s = min(2 * pause_s, LONGEST_S)
        self._end()

    def _next(self) -> bool:
        """Wait for work, or for the time to renew; False when all is done at the end."""
        with self._changed:
            while not (
                self._head or self._waiting or self._closing or self.error or self._due() <= 0
            ):
                self._changed.wait(self._due())
            return bool(self._head or self._waiting) or not self._closing

    def _due(self) -> float:
        """Return how long the lease needs no renewal, wall seconds."""
        if self.lease is None or self.lost:
            return 3_600.0
        return self._renewed + self.lease.ttl / 3_000 - monotonic()

    def _step(self) -> None:
        if self.lease is not None and not self.lost and (self.error or self._due() <= 0):
            self.lease.renew()
            self._renewed = monotonic()
        if not self._head:
            self._take()
        if not self._head:
            if self.error:
                self.ledger.commit((), self.lease)  # to see whether it works again
            return
        first = self._head[0]
        if first.call is not None:
            self._call(first)
        elif any(work.postings for work in self._head):
            postings = [p for work in self._head for p in work.postings]
            with MEASURED.timed("commit"):
                stored = self.ledger.commit(postings, self.lease)
            self._told(stored)
        done, self._head = self._head, []
        for work in done:
            work.end()

    def _take(self) -> None:
        """Take what is written next as one transaction; commands and calls go alone."""
        with self._changed:
            while self._waiting and len(self._head) < MOST_TOGETHER:
                alone = self._waiting[0].once
                if alone and self._head:
                    return
                self._head.append(self._waiting.popleft())
                if alone:
                    return

    def _call(self, work: _Work) -> None:
        assert work.call is not None
        try:
            result = work.call()
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            work.fail(error)
        else:
            work.end(result)

    def _refuse_commands(self, error: Exception) -> None:
        """Let commands fail that are not in; whoever asked has taken them back then."""
        with self._changed:
            waiting = [work for work in self._waiting if work.once]
            self._waiting = deque(work for work in self._waiting if not work.once)
        for work in waiting:
            work.fail(error)
        if not (self._head and self._head[0].once):
            return
        work = self._head[0]
        try:
            inside = self._inside(work.postings)
        except DatabaseError:
            work.once = False  # it is tried until it is known to be in
            work.fail(Unsure(f"not known to be stored yet: {error}"))
            return
        if not inside:
            self._head = []
            work.fail(error)

    def _inside(self, postings: Sequence[Posting]) -> bool:
        for posting in postings:
            there = self.ledger.version_of(posting.book)
            if there is None or there < (posting.epoch, posting.version):
                return False
        return True

    def _pause(self, pause_s: float) -> bool:
        """Wait before the next attempt; False where there is no time left for one."""
        with self._changed:
            if not self._closing:
                self._changed.wait_for(lambda: self._closing, pause_s)
                return True
            left_s = self._deadline - monotonic()
            self._changed.wait(max(0.0, min(pause_s, left_s)))
            return left_s > 0.0

    def _say(self, error: str) -> None:
        if error == self.error:
            return
        if bool(error) != bool(self.error):
            if error:
                logger.error("ledger not written", error=error)
            else:
                logger.info("ledger written again")
        self.error = error
        self._turned()

    def _lose(self, text: str) -> None:
        """Write nothing any more: another server does."""
        with self._changed:
            self.lost = text
            works = [*self._head, *self._waiting]
            self._head = []
            self._waiting.clear()
        logger.error("lease lost", error=text, dropped=len(works))
        for work in works:
            work.fail(LeaseLost(text))
        self._turned()

    def _end(self) -> None:
        with self._changed:
            self._closing = True
            works = [*self._head, *self._waiting]
            self._waiting.clear()
        if works:
            logger.error("postings not stored", batches=len(works), error=self.error)
        for work in works:
            work.fail(DatabaseError(self.error))
        if self.lease is not None and not self.lost:
            try:
                self.lease.release()
            except DatabaseError as error:
                logger.warning("lease not let go", error=str(error))


def _follow(leader: "Future[Any]", follower: "Future[Any]") -> None:
    """Have a future end as another one does."""

    def ended(done: "Future[Any]") -> None:
        error = done.exception()
        with suppress(InvalidStateError):
            if error is None:
                follower.set_result(None)
            else:
                follower.set_exception(error)

    leader.add_done_callback(ended)
