"""A broker on paper, without clock or network: batches and decisions go in, fills come out.

It drives the functions that the backtest runs in a compiled loop, one batch at a time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.logs import Logs
from opportunity.trading.records import (
    BREAKERS,
    CLOSED,
    DAY,
    DEPTH,
    ENTRY,
    MANUAL,
    OPEN,
    STALENESS,
    STATES,
    STREAK,
    columns_of,
)
from opportunity.trading.stepping import run_batch, run_decisions, run_forget, run_leave
from opportunity.trading.terms import Records, new_account, new_positions, new_tally

Rows = NDArray[np.int64]


class PaperBroker:
    """An account, its positions and its orders.

    Parameters
    ----------
    symbols : sequence of str
        What rows and decisions number.
    terms : ndarray of TERMS, shape (1,)
        `terms_of(...)`; may be replaced between two batches.
    cash : float
        At the start, quote currency, > 0.
    """

    def __init__(self, symbols: Sequence[str], terms: Records, cash: float) -> None:
        self.symbols = tuple(symbols)
        self.terms = terms
        self.account, self.tally = new_account(cash), new_tally(cash)
        self.positions = new_positions(len(self.symbols))
        self._logs = Logs(self.account, self.positions)

    @property
    def equity(self) -> float:
        """Cash and what is held at the newest marks, quote currency."""
        return float(self.account["equity"][0])

    @property
    def orders(self) -> NDArray[Any]:
        """All orders that are kept, oldest first; a copy. The newest status may still change."""
        return self._logs.kept_orders()

    @property
    def fills(self) -> NDArray[Any]:
        """All fills that are kept, oldest first; a copy."""
        return self.fills_since(int(self._logs.first[1]))

    @property
    def trades(self) -> NDArray[Any]:
        """All trades that are over and kept, in the order of their ends; a copy."""
        return self.trades_since(int(self._logs.first[2]))

    def orders_of(self, numbers: Rows) -> NDArray[Any]:
        """Return the orders of these numbers as they are now, without copying all of them.

        Raises
        ------
        ValueError
            If one was let go, or never was.
        """
        return self._logs.orders_of(numbers)

    def fills_since(self, number: int) -> NDArray[Any]:
        """Return the fills from a number on; a copy of these alone.

        Raises
        ------
        ValueError
            If some of them were let go.
        """
        return self._logs.since(1, number)

    def trades_since(self, number: int) -> NDArray[Any]:
        """Return the trades that are over from a number on; see `fills_since`."""
        return self._logs.since(2, number)

    def trim(self, orders: int, fills: int, trades: int) -> None:
        """Let go of rows below these numbers, which stay what they are.

        Orders that wait are kept however old they are, until the first trim after they have
        become something.
        """
        self._logs.trim(orders, fills, trades)

    def restore(self, account: Records, tally: Records, positions: Records) -> None:
        """Go on with the account of another broker of the same symbols; all rows are let go.

        Parameters
        ----------
        account, tally : ndarray of ACCOUNT and TALLY, shape (1,)
        positions : ndarray of POSITION, shape (n_symbols,)
            Copied. Orders that wait in them are known as they were.

        Raises
        ------
        ValueError
            If one is of another kind or shape.
        """
        for name, given in (("account", account), ("tally", tally), ("positions", positions)):
            mine = getattr(self, name)
            if given.dtype != mine.dtype or given.shape != mine.shape:
                raise ValueError(
                    f"{name} must be {mine.shape} of its record, was {given.shape} of "
                    f"{len(given.dtype.names or ())} fields"
                )
        self.account, self.tally = account.copy(), tally.copy()
        self.positions = positions.copy()
        self._logs = Logs(self.account, self.positions)

    def batch(self, rows: Rows, opened: TimeArray, closed: int, values: FloatArray) -> None:
        """Take bars that closed together: fill what waits, walk the bars, mark.

        Parameters
        ----------
        rows, opened : ndarray of int64, shape (k,)
            Symbols, ascending, and the opening times of their bars, ms UTC.
        closed : int
            When they closed, ms UTC.
        values : ndarray of shape (k, 5)
        """
        self._reserve(rows.size)
        run_batch(
            *self._records(), np.ascontiguousarray(rows), np.ascontiguousarray(opened), closed,
            np.ascontiguousarray(values),
        )

    def decide(self, decisions: NDArray[Any]) -> None:
        """Act on the decisions that fall at the end of the newest batch.

        Parameters
        ----------
        decisions : ndarray of DECISION
            By symbol.
        """
        self._reserve(decisions.size)
        run_decisions(*self._records(), columns_of(decisions))

    def leave(self, rows: Rows, time: int, reason: int = MANUAL) -> Rows:
        """Order the exit of what is held, each at its next open; an entry that waits is withdrawn.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            Symbols.
        time : int
            Of the orders, ms UTC.
        reason : int
            Of their fills, an index into `records.REASONS`.

        Returns
        -------
        ndarray of int64
            Numbers of the exits that wait now, also of those that were ordered before; none for
            symbols that hold nothing.
        """
        asked = np.ascontiguousarray(rows, np.int64)
        self._reserve(asked.size)
        run_leave(*self._records(), asked, time, reason)
        leaving = asked[self.positions["exit"][asked] != ENTRY]
        return np.array(self.positions["exit_order"][leaving], np.int64)

    def forget(self, row: int, time: int) -> None:
        """Close what is held of a symbol at its last mark at once, with the reason GONE.

        What waits is withdrawn. The equity takes note at the next batch.
        """
        self._reserve(1)
        run_forget(*self._records(), row, time)

    def set_stale(self, state: int, time: int) -> None:
        """Tell of stale data, between a batch and its decisions.

        Parameters
        ----------
        state : int
            Of the breaker: CLOSED, OPEN (no entries) or HALF_OPEN (one at a time).
        time : int
            Since when, ms UTC.
        """
        if state not in range(len(STATES)):
            raise ValueError(f"state must be one of 0..{len(STATES) - 1}, was {state}")
        account = self.account[0]
        if state == OPEN and account["breaker"][STALENESS] != OPEN:
            account["tripped"][STALENESS] = time
            account["n_trips"][STALENESS] += 1
        account["breaker"][STALENESS] = state

    def reset_breaker(self, index: int, time: int) -> None:
        """Close a breaker by hand: what it counts is counted anew from here.

        Parameters
        ----------
        index : int
            DAY, DEPTH, STREAK or STALENESS.
        time : int
            When, ms UTC, >= 0.
        """
        if index not in range(len(BREAKERS)):
            raise ValueError(f"breaker must be one of 0..{len(BREAKERS) - 1}, was {index}")
        if time < 0:
            raise ValueError(f"time must be >= 0 ms, was {time}")
        account = self.account[0]
        account["breaker"][index], account["until"][index] = CLOSED, 0
        if index == DAY:
            account["day_equity"] = account["equity"]
        elif index == DEPTH:
            account["peak"] = account["equity"]
        elif index == STREAK:
            account["losses"] = 0

    def _records(self) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
        logs = self._logs
        return (
            self.account[0], self.positions, self.terms[0], (logs.fills, logs.trades),
            logs.orders, self.tally[0], (logs.first, logs.carried),
        )  # fmt: skip

    def _reserve(self, n: int) -> None:
        """Make room for all that `n` bars or decisions can write."""
        targets = int(self.terms["n_targets"][0])
        self._logs.reserve(2 * n, (targets + 3) * n, 2 * n)
