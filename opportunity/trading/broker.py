"""A broker on paper, without clock or network: batches and decisions go in, fills come out.

It drives the functions that the backtest runs in a compiled loop, one batch at a time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.account import mark, mark_bars, open_batch, walk_bar
from opportunity.trading.deciding import decide
from opportunity.trading.records import FILL, ORDER, TRADE, columns_of
from opportunity.trading.terms import Records, new_account, new_positions, new_tally

_ROOM = 64


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
        self._orders = np.zeros(_ROOM, ORDER)
        self._fills, self._trades = np.zeros(_ROOM, FILL), np.zeros(_ROOM, TRADE)

    @property
    def equity(self) -> float:
        """Cash and what is held at the newest marks, quote currency."""
        return float(self.account["equity"][0])

    @property
    def orders(self) -> NDArray[Any]:
        """All orders so far, oldest first; a copy. The status of the newest may still change."""
        return self._orders[: int(self.account["n_orders"][0])].copy()

    @property
    def fills(self) -> NDArray[Any]:
        """All fills so far, oldest first; a copy."""
        return self.fills_since(0)

    @property
    def trades(self) -> NDArray[Any]:
        """All trades that are over, in the order of their ends; a copy."""
        return self.trades_since(0)

    def orders_of(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Return the orders of these numbers as they are now, without copying all of them."""
        return self._orders[numbers]

    def fills_since(self, number: int) -> NDArray[Any]:
        """Return the fills from a number on; a copy of these alone."""
        return self._fills[number : int(self.account["n_fills"][0])].copy()

    def trades_since(self, number: int) -> NDArray[Any]:
        """Return the trades that are over from a number on; a copy of these alone."""
        return self._trades[number : int(self.account["n_trades"][0])].copy()

    def batch(
        self, rows: NDArray[np.int64], opened: TimeArray, closed: int, values: FloatArray
    ) -> None:
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
            self.account[0], self.positions, self.terms[0], (self._fills, self._trades),
            self._orders, self.tally[0], np.ascontiguousarray(rows), np.ascontiguousarray(opened),
            closed, np.ascontiguousarray(values),
        )

    def decide(self, decisions: NDArray[Any]) -> None:
        """Act on the decisions that fall at the end of the newest batch.

        Parameters
        ----------
        decisions : ndarray of DECISION
            By symbol.
        """
        self._reserve(decisions.size)
        run_decisions(
            self.account[0], self.positions, self.terms[0], (self._fills, self._trades),
            self._orders, self.tally[0], columns_of(decisions),
        )

    def _reserve(self, n: int) -> None:
        """Make room for all that `n` bars or decisions can write."""
        account, targets = self.account[0], int(self.terms["n_targets"][0])
        self._orders = _grown(self._orders, int(account["n_orders"]) + 2 * n)
        self._fills = _grown(self._fills, int(account["n_fills"]) + (targets + 3) * n)
        self._trades = _grown(self._trades, int(account["n_trades"]) + 2 * n)


def _grown(rows: NDArray[Any], wanted: int) -> NDArray[Any]:
    if wanted <= rows.size:
        return rows
    grown = np.zeros(max(wanted, 2 * rows.size), rows.dtype)
    grown[: rows.size] = rows
    return grown


@kernel
def run_batch(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, symbols: Any,
    opened: Any, closed: Any, values: Any,
) -> None:
    """Take one batch: fills at the open, ranges, marks."""
    open_batch(
        account, positions, terms, logs, orders, tally, symbols, opened, values, 0, symbols.size
    )
    for i in range(symbols.size):
        walk_bar(
            account, positions, terms, logs, orders, tally, symbols[i], opened[i], closed,
            values[i, 0], values[i, 1], values[i, 2],
        )
    mark_bars(positions, symbols, values, 0, symbols.size)
    mark(account, positions, tally, closed)


@kernel
def run_decisions(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, decisions: Any
) -> None:
    """Act on the decisions of a batch."""
    decide(
        account, positions, terms, logs, orders, tally, decisions, 0, decisions[0].size
    )
