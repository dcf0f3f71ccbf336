"""What people do to the paper account by hand: each is stored before it counts.

A command holds the desk's turn, so that no batch comes between it and its storing. One that
cannot be stored is taken back, as if it had never been.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from opportunity.errors import OpportunityError, unknown
from opportunity.live.account import Account, Decided
from opportunity.live.bookkeeper import Unsure
from opportunity.storage.books import Book
from opportunity.storage.events import Event
from opportunity.storage.failures import DatabaseError
from opportunity.storage.ledger import reset_key
from opportunity.trading.records import BREAKERS, CLOSED, MANUAL, STATES
from opportunity.trading.terms import new_account

if TYPE_CHECKING:
    from opportunity.live.desk import Desk

T = TypeVar("T")


class Hand:
    """Commands by hand; every method runs on the agent's loop.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._under_way: set[asyncio.Task[Any]] = set()

    async def leave(self, symbols: Sequence[str] | None, by: str, why: str) -> tuple[int, ...]:
        """Leave positions at their next open, and withdraw entries that wait.

        Parameters
        ----------
        symbols : sequence of str or None
            None: all.
        by, why : str

        Returns
        -------
        tuple of int
            Numbers of the orders that leave, and of those withdrawn.
        """
        return await self._whole(self._leave(symbols, by, why))

    async def reset(self, cash: float, by: str, why: str) -> None:
        """Begin anew with cash and nothing else."""
        await self._whole(self._reset(cash, by, why))

    async def reset_breakers(self, name: str | None, by: str, why: str) -> tuple[str, ...]:
        """Close a breaker, or all; return the names of those that were not closed."""
        return await self._whole(self._reset_breakers(name, by, why))

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work that goes on to its end even when whoever asked does not wait."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _leave(self, symbols: Sequence[str] | None, by: str, why: str) -> tuple[int, ...]:
        async with self._desk.turn:
            account = self._account()
            known = account.broker.symbols
            for symbol in symbols or ():
                if symbol not in known:
                    raise ValueError(unknown("symbol", symbol, known))
            active = account.active
            rows = active if symbols is None else np.array(
                sorted({known.index(s) for s in symbols} & set(active.tolist())), np.int64
            )
            if not rows.size:
                return ()
            names = [known[row] for row in rows.tolist()]
            found: list[int] = []

            def do() -> dict[str, Any]:
                positions = account.broker.positions
                waits = rows[positions["wanted"][rows] != 0]
                withdrawn = positions["order"][waits].tolist()
                found.extend(account.broker.leave(rows, account.time, MANUAL).tolist())
                found.extend(withdrawn)
                return {"symbols": names, "orders": list(found)}

            await self._store(account, do, ("leave", by, why))
            self._desk.frames.hand({"what": "leave", "reason": MANUAL}, rows)
            return tuple(found)

    async def _reset_breakers(self, name: str | None, by: str, why: str) -> tuple[str, ...]:
        async with self._desk.turn:
            account = self._account()
            if name is not None and name not in BREAKERS:
                raise ValueError(unknown("breaker", name, BREAKERS))
            states = account.broker.account["breaker"][0]
            asked = range(len(BREAKERS)) if name is None else (BREAKERS.index(name),)
            due = [i for i in asked if states[i] != CLOSED]
            if not due:
                return ()
            names = tuple(BREAKERS[i] for i in due)
            before = {BREAKERS[i]: STATES[int(states[i])] for i in due}

            def do() -> dict[str, Any]:
                for index in due:
                    account.broker.reset_breaker(index, max(0, account.time))
                return {"before": before, "after": dict.fromkeys(names, STATES[CLOSED])}

            await self._store(account, do, ("reset_breakers", by, why))
            for index in due:
                self._desk.frames.hand({"what": "reset_breaker", "index": index})
            return names

    async def _reset(self, cash: float, by: str, why: str) -> None:
        new_account(cash)  # refuses what is no cash
        async with self._desk.turn:
            account = self._account()
            if self._desk.frames.running:
                raise OpportunityError(
                    "account must not be recorded to be reset: the session's log holds one account"
                )
            keeping = self._desk.keeping
            ledger, lease = keeping.books.ledger, keeping.books.lease
            if keeping.keeper is None or ledger is None:
                account.restart(cash)
            else:
                time, name = account.time, account.name
                try:
                    stored = await keeping.keeper.call(
                        lambda: ledger.reset(name, cash, time, by, why, lease)
                    )
                except DatabaseError as error:
                    stored = await self._found(account, error)
                account.resume(stored)
                events = await keeping.keeper.call(
                    lambda: ledger.stored((reset_key(name, stored.epoch),))
                )
                keeping.tell(events)
            self._desk.show()

    async def _found(self, account: Account, error: DatabaseError) -> Book:
        """Return the book after a reset that failed, if it is stored all the same.

        Trading stops where nobody knows: what it would post might be of an epoch that is over.
        """
        keeper = self._desk.keeping.keeper
        assert keeper is not None
        try:
            there = await asyncio.to_thread(keeper.ledger.read_book, account.name)
        except DatabaseError:
            there = None
        if there is None:
            self._desk.halt("a reset of the account may or may not be stored: start again")
            raise error
        if there.epoch == account.epoch:
            raise error
        return there

    async def _store(
        self, account: Account, do: Callable[[], dict[str, Any]], audit: tuple[str, str, str]
    ) -> None:
        """Do something to an account and have it stored, or take it back."""
        what, by, why = audit
        keeping, before = self._desk.keeping, account.keep()
        body = {"book": account.name, "what": what, "by": by, "why": why} | do()
        key = f"{account.name}:{account.epoch}:hand:{account.version + 1}"
        event = Event(key, account.time, "hand", body)
        posting = account.settle(Decided.none(), events=(event,), reason=_by_hand(by, why)).posting
        assert posting is not None
        if keeping.keeper is not None:
            try:
                await keeping.keeper.durable((posting,))
            except Unsure:
                raise  # it is in force: the next posting builds on it
            except OpportunityError:
                account.undo(before)
                raise
        self._desk.show()

    def _account(self) -> Account:
        desk = self._desk
        if desk.trader is None or not (desk.trades or desk.halted):
            raise OpportunityError("agent must trade on paper to be told by hand, does not (yet)")
        if desk.halted:
            raise OpportunityError(f"agent must trade to be told by hand, does not: {desk.halted}")
        if desk.keeping.storage:
            raise DatabaseError(f"account must be storable, is not: {desk.keeping.storage}")
        return desk.trader


def _by_hand(by: str, why: str) -> str:
    """Say who turned a breaker, and why if that was said."""
    return f"reset by hand ({by})" + (f": {why}" if why else "")
