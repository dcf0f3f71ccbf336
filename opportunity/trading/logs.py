"""Rows of what a broker did, by numbers that go on however many of the oldest were let go.

Kernels count from the first row that is kept; `inward` turns an account's numbers into such places
and `outward` turns them back.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel
from opportunity.trading.inlining import inlined
from opportunity.trading.records import ENTRY, FILL, ORDER, PLACED, TRADE
from opportunity.trading.terms import Records

_ROOM: Final = 64
_COUNTS: Final = ("n_orders", "n_fills", "n_trades")


class Logs:
    """Orders, fills and trades that are kept.

    Parameters
    ----------
    account : ndarray of ACCOUNT, shape (1,)
        Whose counts go on.
    positions : ndarray of POSITION, shape (n,)
        Orders that wait there are kept, whatever their number.
    """

    def __init__(self, account: Records, positions: Records) -> None:
        self._account = account
        self.first = np.array([int(account[name][0]) for name in _COUNTS], np.int64)
        waiting = waiting_orders(positions)
        self.carried = np.array(sorted(waiting), np.int64)
        self.orders = np.zeros(_ROOM + self.carried.size, ORDER)
        for place, number in enumerate(self.carried.tolist()):
            self.orders[place] = waiting[number]
        self.fills, self.trades = np.zeros(_ROOM, FILL), np.zeros(_ROOM, TRADE)

    def _end(self, i: int) -> int:
        """Return how many rows of a kind are kept."""
        kept = int(self._account[_COUNTS[i]][0]) - int(self.first[i])
        return kept + self.carried.size if i == 0 else kept

    def reserve(self, orders: int, fills: int, trades: int) -> None:
        """Make room for so many more rows."""
        self.orders = _grown(self.orders, self._end(0) + orders)
        self.fills = _grown(self.fills, self._end(1) + fills)
        self.trades = _grown(self.trades, self._end(2) + trades)

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the orders that are kept, ascending."""
        return np.concatenate([
            self.carried, np.arange(self.first[0], int(self._account["n_orders"][0]))
        ])

    def kept_orders(self) -> Records:
        """Return the orders that are kept, by number; a copy."""
        return self.orders[: self._end(0)].copy()

    def orders_of(self, numbers: NDArray[np.int64]) -> Records:
        """Return some orders; a copy.

        Raises
        ------
        ValueError
            If one was let go, or never was.
        """
        asked = np.asarray(numbers, np.int64)
        kept = self.numbers()
        there = np.isin(asked, kept)
        if not there.all():
            raise ValueError(f"order must be one that is kept, was {asked[~there][0]}")
        return self.orders[np.searchsorted(kept, asked)]

    def since(self, i: int, number: int) -> Records:
        """Return fills (1) or trades (2) from a number on; a copy.

        Raises
        ------
        ValueError
            If some of them were let go.
        """
        first = int(self.first[i])
        if number < first:
            name = ("orders", "fills", "trades")[i]
            raise ValueError(f"{name} must be asked for from {first} on, was {number}: let go")
        rows = (self.orders, self.fills, self.trades)[i]
        return rows[number - first : self._end(i)].copy()

    def trim(self, orders: int, fills: int, trades: int) -> None:
        """Let go of the rows below these numbers; orders that wait stay."""
        kept, rows = self.numbers(), self.orders[: self._end(0)]
        stays = (kept >= orders) | (rows["status"] == PLACED)
        if not stays.all():
            self.first[0] = max(int(self.first[0]), min(orders, int(self._account["n_orders"][0])))
            self.carried = kept[stays & (kept < self.first[0])]
            _keep(self.orders, rows[stays])
        for i, (rows, number) in enumerate(((self.fills, fills), (self.trades, trades)), 1):
            first, end = int(self.first[i]), self._end(i)
            gone = min(max(number - first, 0), end)
            if gone:
                _keep(rows, rows[gone:end].copy())
                self.first[i] = first + gone


def _keep(room: Records, rows: Records) -> None:
    room[: rows.size] = rows


def _grown(rows: NDArray[Any], wanted: int) -> NDArray[Any]:
    if wanted <= rows.size:
        return rows
    grown = np.zeros(max(wanted, 2 * rows.size), rows.dtype)
    grown[: rows.size] = rows
    return grown


def waiting_orders(positions: Records) -> dict[int, Records]:
    """Return the orders that positions wait for, by number, as they were written."""
    found = {}
    for symbol in np.flatnonzero((positions["wanted"] != 0) | (positions["exit"] != ENTRY)):
        row = positions[symbol]
        if row["wanted"] != 0:
            found[int(row["order"])] = _waiting(
                symbol, row["order_time"], row["wanted"], ENTRY, row["limit"], row["distance"],
                row["order_score"], row["order_confidence"],
            )
        if row["exit"] != ENTRY:
            found[int(row["exit_order"])] = _waiting(
                symbol, row["exit_time"], -row["side"], row["exit"], np.nan, np.nan,
                row["exit_score"], row["exit_confidence"],
            )
    return found


def _waiting(
    symbol: Any, time: Any, side: Any, reason: Any, limit: Any, distance: Any, score: Any,
    confidence: Any,
) -> Records:
    values = (time, symbol, side, reason, PLACED, limit, distance, score, confidence, -1)
    row: Records = np.array([values], ORDER)[0]
    return row


@inlined
def _place(number: Any, waits: Any, first: Any, carried: Any) -> Any:
    """Turn a number into the place of its row; one that nobody waits for is turned below 0."""
    if not waits:
        return -2 - number
    if number >= first:
        return number - first + carried.size
    return np.searchsorted(carried, number)


@inlined
def _number(place: Any, first: Any, carried: Any) -> Any:
    if place < 0:
        return -2 - place
    return carried[place] if place < carried.size else place - carried.size + first


@kernel
def inward(account: Any, positions: Any, first: Any, carried: Any) -> None:
    """Count an account's rows, and the orders of its positions, from the first that is kept."""
    account.n_orders += carried.size - first[0]
    account.n_fills -= first[1]
    account.n_trades -= first[2]
    for s in range(positions.size):
        row = positions[s]
        row.order = _place(row.order, row.wanted != 0, first[0], carried)
        row.exit_order = _place(row.exit_order, row.exit != ENTRY, first[0], carried)


@kernel
def outward(account: Any, positions: Any, first: Any, carried: Any) -> None:
    """Undo `inward` after rows were added."""
    account.n_orders -= carried.size - first[0]
    account.n_fills += first[1]
    account.n_trades += first[2]
    for s in range(positions.size):
        row = positions[s]
        row.order = _number(row.order, first[0], carried)
        row.exit_order = _number(row.exit_order, first[0], carried)
