"""What people do to the account of an agent: close, flatten, reset, and turn how it trades."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from opportunity.errors import OpportunityError
from opportunity.live.config import Challenger
from opportunity.live.core import Core
from opportunity.live.desk import Desk
from opportunity.live.paper_trading import PaperTrading
from opportunity.shared import Shared
from opportunity.trading.costs import Sizing

T = TypeVar("T")


class PaperAgent(Shared):
    """The part of an `Agent` that trades on paper; each method is called on the caller's loop."""

    trading: PaperTrading | None
    last_error: Any
    _core: Core
    _desk: Desk
    _challengers: tuple[Challenger, ...]
    _relearn: int

    def _changed(self, *_: Any) -> None:
        raise NotImplementedError  # the agent says: it hands a new config to its core

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Loop that it works on, with `thread` one of its own; None before the start."""
        return self._core.loop

    @property
    def n_unstored(self) -> int:
        """Batches of its account that wait to be stored."""
        keeper = self._desk.keeping.keeper
        return 0 if keeper is None else keeper.n_waiting

    async def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine of the feed on the agent's loop, from the caller's.

        Raises
        ------
        OpportunityError
            If the agent has stopped.
        """
        loop = self._core.loop
        if loop is None or loop is asyncio.get_running_loop():
            return await coroutine
        if loop.is_closed():
            coroutine.close()
            raise OpportunityError(f"agent must run to be asked, was stopped: {self.last_error}")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))

    def set_sizing(self, sizing: Sizing) -> None:
        """Size entries by this from the next batch on.

        Raises
        ------
        OpportunityError
            If the agent does not trade.
        ValueError
            If it does not fit the trade rules; nothing has changed then.
        """
        if self.trading is None:
            raise OpportunityError("agent must trade on paper, does not: give it a ledger")
        before, self.trading.sizing = self.trading.sizing, sizing
        try:
            self.trading.setup()
        except ValueError:
            self.trading.sizing = before
            raise
        self._changed()

    def set_challengers(self, challengers: tuple[Challenger, ...]) -> None:
        """Run these weights on paper beside those in force, from the next batch on."""
        self._challengers = tuple(challengers)
        self._changed()

    def learn_again(self) -> None:
        """Learn the calibration anew from history up to now; a saved one yields to it then."""
        self._relearn += 1
        self._changed()

    async def close_position(self, symbol: str, by: str, why: str = "") -> int:
        """Leave a position at its next open; an entry that waits there is withdrawn.

        Parameters
        ----------
        symbol : str
        by, why : str
            For the audit.

        Returns
        -------
        int
            Number of the order that leaves it. It is stored once this returns.

        Raises
        ------
        ValueError
            If the symbol is not watched, or nothing is held of it.
        OpportunityError
            If the agent does not trade now, or it cannot be stored; nothing has changed then.
        """
        orders = await self.ask(self._desk.hand.leave((symbol,), by, why))
        if not orders:
            raise ValueError(f"symbol must be held to be closed, was not: {symbol}")
        return orders[0]

    async def flatten(self, by: str, why: str = "") -> tuple[int, ...]:
        """Leave everything; return the numbers of the orders. See `close_position`."""
        return await self.ask(self._desk.hand.leave(None, by, why))

    async def reset_account(self, cash: float, by: str, why: str = "") -> None:
        """Begin a new epoch of the paper account with cash and nothing else.

        Raises
        ------
        ValueError
            If the cash is not finite or not > 0.
        OpportunityError
            If a session is recorded, the agent does not trade now, or it cannot be stored;
            nothing has changed then.
        """
        await self.ask(self._desk.hand.reset(cash, by, why))

    async def reset_breakers(
        self, name: str | None = None, by: str = "python", why: str = ""
    ) -> tuple[str, ...]:
        """Close a breaker by hand, or all; return the names of those that were not closed.

        Raises
        ------
        ValueError
            If there is no breaker of that name.
        OpportunityError
            If the agent does not trade now, or it cannot be stored; nothing has changed then.
        """
        return await self.ask(self._desk.hand.reset_breakers(name, by, why))
