"""One step of a broker at a time: a batch, its decisions, and what somebody does by hand.

All take the records of a broker: account, positions, terms, fills and trades, orders, running sums,
and the numbers from which its rows are kept.
"""

from typing import Any

import numpy as np

from opportunity.kernels import kernel
from opportunity.trading.account import mark, mark_bars, open_batch, walk_bar
from opportunity.trading.deciding import decide, give_up, order_exit
from opportunity.trading.fills import finish
from opportunity.trading.logs import inward, outward
from opportunity.trading.records import ENTRY, EXPIRED, GONE


@kernel
def run_batch(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, kept: Any,
    symbols: Any, opened: Any, closed: Any, values: Any,
) -> None:
    """Take one batch: fills at the open, ranges, marks."""
    inward(account, positions, kept[0], kept[1])
    open_batch(
        account, positions, terms, logs, orders, tally, symbols, opened, values, 0, symbols.size
    )
    for i in range(symbols.size):
        walk_bar(
            account, positions, terms, logs, orders, tally, symbols[i], opened[i], closed,
            values[i, 0], values[i, 1], values[i, 2],
        )
    mark_bars(positions, symbols, values, 0, symbols.size)
    mark(account, positions, terms, tally, closed)
    outward(account, positions, kept[0], kept[1])


@kernel
def run_decisions(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, kept: Any,
    decisions: Any,
) -> None:
    """Act on the decisions of a batch."""
    inward(account, positions, kept[0], kept[1])
    decide(
        account, positions, terms, logs, orders, tally, decisions, 0, decisions[0].size
    )
    outward(account, positions, kept[0], kept[1])


@kernel
def run_leave(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, kept: Any,
    symbols: Any, time: Any, reason: Any,
) -> None:
    """Order the exit of some symbols and withdraw their entries."""
    inward(account, positions, kept[0], kept[1])
    for i in range(symbols.size):
        position = positions[symbols[i]]
        if position.wanted != 0:
            give_up(account, position, orders)
        if position.side != 0 and position.exit == ENTRY:
            decision = (time, symbols[i], np.nan, np.nan, np.nan)
            order_exit(account, position, orders, decision, reason)
    outward(account, positions, kept[0], kept[1])


@kernel
def run_forget(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, kept: Any,
    symbol: Any, time: Any,
) -> None:
    """Close a symbol at its last mark."""
    inward(account, positions, kept[0], kept[1])
    position = positions[symbol]
    if position.wanted != 0:
        give_up(account, position, orders)
    if position.exit != ENTRY:
        if position.exit_order < orders.size:
            orders[position.exit_order].status = EXPIRED
        position.exit = ENTRY
    finish(account, position, terms, logs, tally, symbol, time, GONE)
    outward(account, positions, kept[0], kept[1])
