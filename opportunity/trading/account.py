"""What an account holds: how large an entry is, how orders fill, and what it is worth.

Every function changes its records in place; the live agent, the backtest and the sweep share them.
"""

from typing import Any

import numpy as np

from opportunity.market.timeframe import DAY_MS
from opportunity.trading.bounding import bounds, least
from opportunity.trading.breaking import begin_day, calm, half_open, refusal, watch
from opportunity.trading.fills import begin, leave, quiet, walk
from opportunity.trading.inlining import inlined
from opportunity.trading.records import ENTRY, FILLED, PLACED, PROBING, TOO_SMALL


@inlined
def exposure(positions: Any) -> Any:
    """Return the value and the notional of all positions at their marks."""
    value = 0.0
    gross = 0.0
    for s in range(positions.size):
        if positions[s].side != 0:
            notional = positions[s].quantity * positions[s].mark
            value += positions[s].side * notional
            gross += notional
    return value, gross


@inlined
def size(account: Any, position: Any, terms: Any, value: Any, gross: Any, price: Any) -> Any:
    """Return how many units the entry of a position is of, >= 0, and which bound holds it.

    Parameters
    ----------
    account, position, terms : records
    value, gross : float
        Of all positions now, quote currency.
    price : float
        What the entry costs, with slippage.
    """
    found = bounds(
        account.cash + value, gross, terms, price, position.distance, position.atr,
        position.volume, position.order_confidence,
    )
    place = least(found)
    quantity = found[place]
    if terms.whole:
        quantity = np.floor(quantity)
    return max(quantity, 0.0), place


@inlined
def enter(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, symbol: Any,
    time: Any, reference: Any,
) -> None:
    """Fill the entry that a symbol waits for at `reference`, as large as the bounds allow.

    A breaker that has opened since it was ordered refuses it, and one that is half open does if
    it is not the only one.
    """
    position = positions[symbol]
    position.mark = reference  # what others are sized by from now on
    value, gross = exposure(positions)
    price = reference * (1.0 + position.wanted * terms.slip)
    quantity, bound = size(account, position, terms, value, gross, price)
    probed = 0
    status = FILLED if quantity > 0.0 else TOO_SMALL
    if not calm(account):
        probed = half_open(account)
        refused = refusal(account)
        if refused != PLACED:
            status = refused
        elif probed != 0 and account.n_open > 1:
            status = PROBING
    if status == FILLED:
        begin(account, position, terms, logs[0], symbol, time, quantity, reference, probed)
    else:
        position.wanted = 0
        account.n_open -= 1
        bound = -1
    if position.order < orders.size:
        orders[position.order].status = status
        orders[position.order].bound = bound


@inlined
def exit_now(
    account: Any, position: Any, terms: Any, logs: Any, orders: Any, tally: Any, symbol: Any,
    time: Any, reference: Any,
) -> None:
    """Fill the exit that a position waits for at `reference`."""
    reason = position.exit
    position.exit = ENTRY
    if position.exit_order < orders.size:
        orders[position.exit_order].status = FILLED
    leave(
        account, position, terms, logs, tally, symbol, time, position.quantity, reference, reason
    )


@inlined
def open_batch(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, symbols: Any,
    opened: Any, values: Any, first: Any, until: Any,
) -> None:
    """Fill at the open of a batch's bars what waits for it: exits, then entries by rank.

    Parameters
    ----------
    symbols, opened : int64 (n_rows,)
        Symbols of the bars, ascending in a batch, and their opening times.
    values : float64 (n_rows, 5)
    first, until : int
        Which rows are the batch.
    """
    waiting = 0
    for i in range(first, until):
        position = positions[symbols[i]]
        if position.exit != ENTRY and position.side != 0:
            exit_now(
                account, position, terms, logs, orders, tally, symbols[i], opened[i], values[i, 0]
            )
        if position.wanted != 0 and position.side == 0 and position.limit != position.limit:
            waiting += 1
    while waiting > 0:
        best = -1
        for i in range(first, until):
            position = positions[symbols[i]]
            waits = position.wanted != 0 and position.side == 0
            waits = waits and position.limit != position.limit
            if waits and (best < 0 or position.key > positions[symbols[best]].key):
                best = i
        enter(
            account, positions, terms, logs, orders, tally, symbols[best], opened[best],
            values[best, 0],
        )
        waiting -= 1


@inlined
def walk_bar(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, symbol: Any,
    opened: Any, closed: Any, start: Any, high: Any, low: Any,
) -> None:
    """Take one symbol through a bar: a resting limit first, then what is held."""
    position = positions[symbol]
    fresh = False
    if position.wanted != 0 and position.side == 0 and position.limit == position.limit:
        wanted = position.wanted
        reach = low if wanted > 0 else high
        if wanted * (reach - position.limit) <= 0.0:
            beyond = wanted * (start - position.limit) <= 0.0
            price = start if beyond else position.limit
            fresh = not beyond
            enter(
                account, positions, terms, logs, orders, tally, symbol,
                opened if beyond else closed, price,
            )
    if position.side != 0 and (fresh or not quiet(position, terms, start, high, low)):
        walk(
            account, position, terms, logs, tally, symbol, opened, closed, start, high, low, fresh
        )


@inlined
def mark_bars(positions: Any, symbols: Any, values: Any, first: Any, until: Any) -> None:
    """Take the closes of a batch's bars as marks, once all of them were walked.

    Earlier, a limit that fills inside a bar would be sized by closes of the same instant.
    """
    for i in range(first, until):
        positions[symbols[i]].mark = values[i, 3]


@inlined
def mark(account: Any, positions: Any, terms: Any, tally: Any, time: Any) -> None:
    """Work out the equity at the newest marks and add the return to the running sums."""
    value, gross = exposure(positions)
    note_equity(account, terms, tally, account.cash + value, gross > 0.0, time)


@inlined
def note_equity(account: Any, terms: Any, tally: Any, equity: Any, held: Any, time: Any) -> None:
    """Note an equity at a close: the day, the peak, the breakers, the running sums."""
    day = (time - 1) // DAY_MS  # a bar that closes at midnight belongs to the day before
    if day != account.day:
        begin_day(account, day)
    before = account.equity
    account.equity = equity
    account.peak = max(account.peak, equity)
    watch(account, terms, time)
    change = equity / before - 1.0 if before > 0.0 else 0.0
    tally.n += 1
    tally.total += change
    tally.squares += change * change
    if change < 0.0:
        tally.downside += change * change
    if held:
        tally.held += 1
    note_depth(tally, equity, 1)


@inlined
def note_depth(tally: Any, equity: Any, n: Any) -> None:
    """Note `n` bars at one equity: how deep below the peak, and for how long."""
    if equity >= tally.peak:
        tally.peak = equity
        tally.trough = equity
        tally.under = 0
        return
    tally.under += n
    tally.longest = max(tally.longest, tally.under)
    if equity < tally.trough:
        tally.trough = equity
        tally.drawdown = max(tally.drawdown, 1.0 - equity / tally.peak)
