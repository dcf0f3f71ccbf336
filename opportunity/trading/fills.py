"""How one position is filled, walked through a bar and closed: the same code live and in tests.

Every function changes its records in place. Logs may be empty: nothing is written then.
"""

from typing import Any

import numpy as np

from opportunity.trading.breaking import end_probe
from opportunity.trading.inlining import inlined
from opportunity.trading.records import ENTRY, STOP, TARGET


@inlined
def fill(
    account: Any, position: Any, terms: Any, fills: Any, symbol: Any, time: Any, side: Any,
    quantity: Any, reference: Any, reason: Any,
) -> None:
    """Buy (+1) or sell (-1) `quantity` > 0 at a price that costs make worse than `reference`."""
    price = reference * (1.0 + side * terms.slip)
    notional = quantity * price
    fee = terms.fee * notional
    lost = quantity * abs(price - reference)
    account.cash -= side * notional + fee
    account.fees += fee
    account.slippage += lost
    account.turnover += notional
    position.flow -= side * notional + fee
    position.fees += fee
    position.slippage += lost
    position.n_fills += 1
    if reason == ENTRY:
        position.quantity = quantity
        position.initial = quantity
        position.entry = price
    else:
        position.exits += notional
        position.quantity -= quantity
    n = account.n_fills
    if n < fills.size:
        row = fills[n]
        row.time = time
        row.symbol = symbol
        row.side = side
        row.reason = reason
        row.quantity = quantity
        row.reference = reference
        row.price = price
        row.fee = fee
        row.slippage = lost
        row.number = position.number
    account.n_fills = n + 1


@inlined
def begin(
    account: Any, position: Any, terms: Any, fills: Any, symbol: Any, time: Any, quantity: Any,
    reference: Any, probed: Any,
) -> None:
    """Fill the entry that a position wants and set its stop; `probed`: what was half open."""
    side = position.wanted
    position.side = side
    position.probe = probed
    position.flow = 0.0
    position.exits = 0.0
    position.fees = 0.0
    position.slippage = 0.0
    position.funding = 0.0
    position.n_fills = 0
    position.targets = 0
    position.bars = 0
    position.opened = time
    position.score = position.order_score
    position.confidence = position.order_confidence
    position.wanted = 0
    position.number = account.n_entries
    account.n_entries += 1
    fill(account, position, terms, fills, symbol, time, side, quantity, reference, ENTRY)
    position.high = position.entry
    position.low = position.entry
    if position.distance > 0.0:
        position.risk = position.distance
        position.stop = position.entry - side * position.distance
    else:
        position.risk = np.nan
        position.stop = np.nan


@inlined
def leave(
    account: Any, position: Any, terms: Any, logs: Any, tally: Any, symbol: Any, time: Any,
    quantity: Any, reference: Any, reason: Any,
) -> None:
    """Sell what is long or buy back what is short; all of it ends the trade."""
    fills, trades = logs
    side = position.side
    whole = quantity >= position.quantity
    if whole:
        quantity = position.quantity
    fill(account, position, terms, fills, symbol, time, -side, quantity, reference, reason)
    if whole:
        _end(account, position, terms, tally, trades, symbol, time, reason)


@inlined
def _end(
    account: Any, position: Any, terms: Any, tally: Any, trades: Any, symbol: Any, time: Any,
    reason: Any,
) -> None:
    pnl = position.flow + position.funding
    unit = position.risk if position.risk > 0.0 else position.entry
    if position.side > 0:
        mfe, mae = position.high - position.entry, position.entry - position.low
    else:
        mfe, mae = position.entry - position.low, position.high - position.entry
    r = pnl / (position.risk * position.initial) if position.risk > 0.0 else np.nan
    n = account.n_trades
    if n < trades.size:
        row = trades[n]
        row.number = position.number
        row.symbol = symbol
        row.side = position.side
        row.opened = position.opened
        row.closed = time
        row.entry = position.entry
        row.exit = position.exits / position.initial
        row.quantity = position.initial
        row.pnl = pnl
        row.fees = position.fees
        row.slippage = position.slippage
        row.funding = position.funding
        row.r = r
        row.mae = mae / unit
        row.mfe = mfe / unit
        row.bars = position.bars
        row.reason = reason
        row.n_fills = position.n_fills
        row.score = position.score
        row.confidence = position.confidence
    account.n_trades = n + 1
    account.n_open -= 1
    account.losses = account.losses + 1 if pnl < 0.0 else 0
    end_probe(account, position, terms, pnl, time)
    tally.n_trades += 1
    if pnl > 0.0:
        tally.wins += 1
        tally.gains += pnl
    else:
        tally.pains -= pnl
    if r == r:
        tally.n_r += 1
        tally.r += r
        tally.r_squares += r * r
    position.side = 0
    position.quantity = 0.0
    position.exit = ENTRY


@inlined
def pass_targets(
    account: Any, position: Any, terms: Any, logs: Any, tally: Any, symbol: Any, time: Any,
    reached: Any, at_open: Any,
) -> None:
    """Take profit at every target up to the price `reached`; a gap beyond one fills at the open.

    `reached` is the best price of the bar for the position, or its open where `at_open`.
    """
    side = position.side
    while position.side != 0 and position.targets < terms.n_targets and position.risk > 0.0:
        i = position.targets
        target = position.entry + side * terms.target_r[i] * position.risk
        if side * (reached - target) < 0.0:
            break
        position.targets = i + 1
        quantity = position.initial * terms.target_share[i]
        if i == terms.n_targets - 1 and terms.take_all:
            quantity = position.quantity
        elif terms.whole:
            quantity = np.floor(quantity)
        if quantity > 0.0:
            price = reached if at_open else target
            if side > 0:
                position.high = max(position.high, price)
            else:
                position.low = min(position.low, price)
            leave(
                account, position, terms, logs, tally, symbol, time, quantity, price, TARGET
            )


@inlined
def quiet(position: Any, terms: Any, start: Any, high: Any, low: Any) -> Any:
    """Take a held position through a bar that reaches neither its stop nor a target.

    Returns
    -------
    bool
        False where the bar reaches one: nothing is changed then, and `walk` is due.

    Notes
    -----
    Nearly all bars are such; this touches two records and no array, so it is cheap.
    """
    side = position.side
    if side > 0:
        worst, best = low, high
    else:
        worst, best = high, low
    if side * (worst - position.stop) <= 0.0 or side * (start - position.stop) <= 0.0:
        return False
    if position.targets < terms.n_targets and position.risk > 0.0:
        target = position.entry + side * terms.target_r[position.targets] * position.risk
        if side * (best - target) >= 0.0 or side * (start - target) >= 0.0:
            return False
    position.high = max(position.high, high)
    position.low = min(position.low, low)
    return True


@inlined
def walk(
    account: Any, position: Any, terms: Any, logs: Any, tally: Any, symbol: Any, opened: Any,
    closed: Any, start: Any, high: Any, low: Any, fresh: Any,
) -> None:
    """Take a held position through one bar: gaps at the open, then the stop, then targets.

    Parameters
    ----------
    account, position, terms, tally : records
    logs : tuple of arrays
        FILL and TRADE rows.
    symbol, opened, closed : int
    start, high, low : float
        Open, high and low. Numbers, not a row: a view would be counted by reference.
    fresh : bool
        The entry was filled inside this bar, so only its stop can be reached for certain.
    """
    side = position.side
    if not fresh:
        if side * (start - position.stop) <= 0.0:  # never with a stop that is NaN
            if side > 0:
                position.low = min(position.low, start)
            else:
                position.high = max(position.high, start)
            leave(
                account, position, terms, logs, tally, symbol, opened, position.quantity, start,
                STOP,
            )
            return
        pass_targets(account, position, terms, logs, tally, symbol, opened, start, True)
        if position.side == 0:
            return
    worst = low if side > 0 else high
    if side * (worst - position.stop) <= 0.0:
        price = position.stop
        if side > 0:
            position.low = min(position.low, price)
        else:
            position.high = max(position.high, price)
        leave(
            account, position, terms, logs, tally, symbol, closed, position.quantity, price, STOP
        )
        return
    if side > 0:
        position.low = min(position.low, worst)
    else:
        position.high = max(position.high, worst)
    if fresh:
        return
    best = high if side > 0 else low
    pass_targets(account, position, terms, logs, tally, symbol, closed, best, False)
    if position.side != 0:
        if side > 0:
            position.high = max(position.high, best)
        else:
            position.low = min(position.low, best)


@inlined
def fund(account: Any, position: Any, rate: Any) -> None:
    """Pay (or get) funding at the newest mark: a long pays a positive rate."""
    paid = -position.side * position.quantity * position.mark * rate
    account.cash += paid
    account.funding += paid
    position.funding += paid


@inlined
def ratchet(position: Any, trail: Any) -> None:
    """Move the stop to `trail` (price, > 0) from the newest close, never back."""
    if position.side > 0:
        stop = position.mark - trail
        if not stop <= position.stop:  # also where there was none
            position.stop = stop
    else:
        stop = position.mark + trail
        if not stop >= position.stop:
            position.stop = stop


@inlined
def finish(
    account: Any, position: Any, terms: Any, logs: Any, tally: Any, symbol: Any, time: Any,
    reason: Any,
) -> None:
    """Close what is held at the newest mark: the test is over, or nobody watches the symbol."""
    if position.wanted != 0:
        position.wanted = 0
        account.n_open -= 1
    if position.side != 0:
        leave(
            account, position, terms, logs, tally, symbol, time, position.quantity, position.mark,
            reason,
        )
