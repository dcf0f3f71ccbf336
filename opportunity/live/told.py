"""What a broker did since somebody asked last, and the events that tell of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.storage.events import Event
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import (
    BREAKERS,
    CLOSED,
    DAY,
    DEPTH,
    EXPIRED,
    FILL,
    HALF_OPEN,
    ORDER,
    PLACED,
    REASONS,
    STALENESS,
    STATES,
    STATUSES,
    TRADE,
)

_BREAKER_FIELDS = ("breaker", "until", "tripped", "n_trips")

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """Rows that are new, and orders that became something else; copies.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Of the orders.
    orders : ndarray of ORDER, shape (n,)
    first_fill, first_trade : int
        Number of the first of each.
    fills : ndarray of FILL
    trades : ndarray of TRADE
    """

    numbers: NDArray[np.int64]
    orders: Rows
    first_fill: int
    fills: Rows
    first_trade: int
    trades: Rows

    def __bool__(self) -> bool:
        """Whether anything happened."""
        return bool(self.numbers.size or self.fills.size or self.trades.size)


NOTHING = Fresh(
    np.empty(0, np.int64), np.empty(0, ORDER), 0, np.empty(0, FILL), 0, np.empty(0, TRADE)
)


class Told:
    """Remembers what of a broker's rows was told already, and has it let go of them.

    Parameters
    ----------
    broker : PaperBroker
        What it did so far counts as told.
    """

    def __init__(self, broker: PaperBroker) -> None:
        account = broker.account
        self._next = [int(account[name][0]) for name in ("n_orders", "n_fills", "n_trades")]
        positions = broker.positions
        waits = np.concatenate([
            positions["order"][positions["wanted"] != 0],
            positions["exit_order"][positions["exit"] != 0],
        ])
        self._waiting: NDArray[np.int64] = np.unique(waits).astype(np.int64)

    def take(self, broker: PaperBroker) -> Fresh:
        """Return what happened since the last call; it is told then."""
        account, known = broker.account[0], self._next
        now = [int(account[name]) for name in ("n_orders", "n_fills", "n_trades")]
        if now == known and not self._waiting.size:
            return NOTHING
        places = np.concatenate([self._waiting, np.arange(known[0], now[0])])
        orders = broker.orders_of(places)
        waits = orders["status"] == PLACED
        changed = ~waits | (places >= known[0])
        fresh = Fresh(
            places[changed], orders[changed], known[1], broker.fills_since(known[1]),
            known[2], broker.trades_since(known[2]),
        )  # fmt: skip
        self._next, self._waiting = now, places[waits]
        broker.trim(*now)
        return fresh


def events_of(
    fresh: Fresh, key: str, common: Mapping[str, Any], symbols: Sequence[str]
) -> list[Event]:
    """Return the events of orders that were placed or withdrawn, of fills and of trades.

    Parameters
    ----------
    fresh : Fresh
    key : str
        What keys begin with: book and epoch.
    common : mapping
        What every body says.
    symbols : sequence of str
    """
    return [
        *_orders(fresh, key, common, symbols),
        *_fills(fresh, key, common, symbols),
        *_trades(fresh, key, common, symbols),
    ]


def _orders(
    fresh: Fresh, key: str, common: Mapping[str, Any], symbols: Sequence[str]
) -> list[Event]:
    """Orders that wait or were withdrawn; a fill tells of those that were filled."""
    found = []
    for number, order in zip(fresh.numbers.tolist(), fresh.orders, strict=True):
        status = int(order["status"])
        if status in (PLACED, EXPIRED):
            name, limit = STATUSES[status], float(order["limit"])
            found.append(Event(f"{key}:order:{number}:{name}", int(order["time"]), "order", {
                **common, "number": number, "symbol": symbols[int(order["symbol"])],
                "side": int(order["side"]), "reason": REASONS[int(order["reason"])],
                "status": name, "limit": None if np.isnan(limit) else limit,
            }))  # fmt: skip
    return found


def _fills(
    fresh: Fresh, key: str, common: Mapping[str, Any], symbols: Sequence[str]
) -> list[Event]:
    found = []
    for number, fill in enumerate(fresh.fills, fresh.first_fill):
        found.append(Event(f"{key}:fill:{number}", int(fill["time"]), "fill", {
            **common, "number": number, "symbol": symbols[int(fill["symbol"])],
            "side": int(fill["side"]), "reason": REASONS[int(fill["reason"])],
            "quantity": float(fill["quantity"]), "price": float(fill["price"]),
            "fee": float(fill["fee"]), "slippage": float(fill["slippage"]),
            "trade": int(fill["number"]),
        }))  # fmt: skip
    return found


def _trades(
    fresh: Fresh, key: str, common: Mapping[str, Any], symbols: Sequence[str]
) -> list[Event]:
    found = []
    for number, trade in enumerate(fresh.trades, fresh.first_trade):
        r = float(trade["r"])
        found.append(Event(f"{key}:trade:{number}", int(trade["closed"]), "trade", {
            **common, "number": number, "symbol": symbols[int(trade["symbol"])],
            "side": int(trade["side"]), "entry": float(trade["entry"]),
            "exit": float(trade["exit"]), "quantity": float(trade["quantity"]),
            "pnl": float(trade["pnl"]), "r": None if np.isnan(r) else r,
            "reason": REASONS[int(trade["reason"])], "opened": int(trade["opened"]),
            "closed": int(trade["closed"]),
        }))  # fmt: skip
    return found


def breaker_rows(account: Rows) -> Rows:
    """Return all that is known of the breakers of an account, shape (4, 4); a copy."""
    return np.stack([account[name][0] for name in _BREAKER_FIELDS])


def breaker_events(
    before: Rows, account: Rows, key: str, common: Mapping[str, Any], moment: tuple[int, int, str]
) -> list[Event]:
    """Return an event for each breaker that is in another state, or has tripped again.

    Parameters
    ----------
    before : ndarray
        Of `breaker_rows`.
    account : ndarray of ACCOUNT, shape (1,)
        As it is now.
    key : str
    common : mapping
        As in `events_of`.
    moment : tuple of int, int and str
        Feed time, version of the book, and why where that is not said by the breaker itself.
    """
    time, version, reason = moment
    after, found = breaker_rows(account), []
    for i, name in enumerate(BREAKERS):
        if before[0, i] == after[0, i] and before[3, i] == after[3, i]:
            continue
        found.append(Event(f"{key}:breaker:{name}:{version}", time, "breaker", {
            **common, "name": name, "state": STATES[int(after[0, i])],
            "before": STATES[int(before[0, i])], "until": int(after[1, i]) or None,
            "reason": reason or _turned(i, int(before[0, i]), account[0]),
        }))  # fmt: skip
    return found


def _turned(index: int, before: int, account: Any) -> str:
    """Say why a breaker is in its state, with the numbers that turned it."""
    state = int(account["breaker"][index])
    if index == STALENESS:
        return "the data is stale" if state != CLOSED else "news come in time again"
    if state == HALF_OPEN:
        return "the pause is over: one entry at a time, until a trade has won"
    if state == CLOSED:
        return "a new day (UTC) has begun" if index == DAY else "the trade after the pause has won"
    if index == DAY:
        return f"lost {_fallen(account, 'day_equity')} since midnight UTC"
    again = "open again after the pause: " if before == HALF_OPEN else ""
    if index == DEPTH:
        return f"{again}equity {_fallen(account, 'peak')} below its peak"
    if again:
        return f"{again}the trade has not won"
    losses = int(account["losses"])
    return f"{losses} losing trade{'' if losses == 1 else 's'} in a row"


def _fallen(account: Any, since: str) -> str:
    began = float(account[since])
    lost = 1.0 - float(account["equity"]) / began if began > 0.0 else np.nan
    return f"{100.0 * lost:.1f} %"
