"""What a decision asks for: exits that are due, entries, and the limits that forbid one.

Every function changes its records in place; the live agent, the backtest and the sweep share them.
"""

from typing import Any

import numpy as np

from opportunity.trading.account import enter, exit_now
from opportunity.trading.fills import ratchet
from opportunity.trading.inlining import inlined
from opportunity.trading.records import (
    AT_CLOSE,
    AT_LIMIT,
    DAILY_LOSS,
    DRAWDOWN,
    ENTRY,
    EXPIRED,
    FLAGGED,
    LOSSES,
    PLACED,
    POSITIONS,
    SIGNAL,
    TIME,
    TOO_SMALL,
)


@inlined
def blocked(account: Any, terms: Any, time: Any) -> Any:
    """Return the limit that forbids entries now, PLACED where none does.

    A drawdown or a losing streak blocks for the cool-down; then both count anew from there.
    """
    if account.blocked_until != 0:
        if time < account.blocked_until:
            return account.blocked_by
        account.blocked_until = 0
        account.peak = account.equity
        account.losses = 0
    if account.equity <= account.day_equity * (1.0 - terms.max_daily_loss):
        return DAILY_LOSS
    reason = PLACED
    if account.equity <= account.peak * (1.0 - terms.max_drawdown):
        reason = DRAWDOWN
    elif terms.max_losses > 0 and account.losses >= terms.max_losses:
        reason = LOSSES
    if reason != PLACED:
        account.blocked_until = time + terms.cooldown_ms
        account.blocked_by = reason
    return reason


@inlined
def _order(
    account: Any, orders: Any, position: Any, decision: Any, side: Any, reason: Any, status: Any
) -> None:
    time, symbol, score, confidence = decision
    n = account.n_orders
    if n < orders.size:
        row = orders[n]
        row.time = time
        row.symbol = symbol
        row.side = side
        row.reason = reason
        row.status = status
        row.limit = position.limit if reason == ENTRY else np.nan
        row.distance = position.distance if reason == ENTRY else np.nan
        row.score = score
        row.confidence = confidence
    account.n_orders = n + 1


@inlined
def age(position: Any, terms: Any, side: Any, atr: Any) -> Any:
    """Age a held position by one decision bar and move its stop; return why to leave it.

    Returns
    -------
    int
        SIGNAL or TIME, ENTRY for no reason.
    """
    position.bars += 1
    if terms.trail_atr > 0.0 and atr > 0.0:
        ratchet(position, terms.trail_atr * atr)
    due = ENTRY
    if terms.target_mode:
        if side != position.side:
            due = SIGNAL
    elif terms.opposite and side == -position.side:
        due = SIGNAL
    elif terms.time_stop > 0 and position.bars >= terms.time_stop:
        due = TIME
    return due


@inlined
def give_up(account: Any, position: Any, orders: Any) -> None:
    """Withdraw an entry that nothing has filled since the decision before."""
    if position.order < orders.size:
        orders[position.order].status = EXPIRED
    position.wanted = 0
    account.n_open -= 1


@inlined
def decide_exit(
    account: Any, position: Any, terms: Any, logs: Any, orders: Any, tally: Any, decision: Any,
    side: Any, atr: Any,
) -> None:
    """Withdraw what waits in vain, age what is held, and order its exit where it is due.

    Parameters
    ----------
    decision : tuple
        Time, symbol, score and confidence.
    side : int
        Of the entry that the rules let through, 0 for none.
    atr : float
        Of the decision timeframe.
    """
    if position.wanted != 0:
        give_up(account, position, orders)
    if position.side == 0:
        return
    due = age(position, terms, side, atr)
    if due == ENTRY or position.exit != ENTRY:
        return  # an exit that no bar has filled yet stays ordered
    position.exit = due
    position.exit_order = account.n_orders
    _order(account, orders, position, decision, -position.side, due, PLACED)
    if terms.fill == AT_CLOSE:
        exit_now(
            account, position, terms, logs, orders, tally, decision[1], decision[0], position.mark
        )


@inlined
def _placeable(position: Any, terms: Any) -> Any:
    """Tell whether an entry has the stop and the limit that its terms ask for: no range, none."""
    if terms.stop_atr > 0.0 and not position.distance > 0.0:
        return False
    return terms.fill != AT_LIMIT or position.limit == position.limit


@inlined
def decide_entry(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, decision: Any,
    side: Any, atr: Any, key: Any, flagged: Any,
) -> None:
    """Order an entry, unless something is held for that side already or a limit forbids it.

    Parameters
    ----------
    decision, side, atr
        As in `decide_exit`; `side` is not 0.
    key : float
        Rank among the entries of this batch.
    flagged : int
        1: the decision's bar came after a gap.
    """
    time, symbol, score, confidence = decision
    position = positions[symbol]
    leaving = position.exit != ENTRY
    if position.side == side or (position.side != 0 and not leaving):
        return
    position.distance = terms.stop_atr * atr if terms.stop_atr > 0.0 else 0.0
    position.limit = np.nan
    if terms.fill == AT_LIMIT:
        position.limit = position.mark - side * terms.limit_atr * atr
    status = blocked(account, terms, time)
    if flagged:
        status = FLAGGED
    elif status == PLACED and account.n_open - leaving >= terms.max_positions:
        status = POSITIONS
    elif status == PLACED and not _placeable(position, terms):
        status = TOO_SMALL
    number = account.n_orders
    _order(account, orders, position, decision, side, ENTRY, status)
    if status != PLACED:
        return
    position.wanted = side
    position.key = key
    position.order = number
    position.order_score = score
    position.order_confidence = confidence
    account.n_open += 1
    if terms.fill == AT_CLOSE:
        enter(account, positions, terms, logs, orders, tally, symbol, time, position.mark)


@inlined
def decide(
    account: Any, positions: Any, terms: Any, logs: Any, orders: Any, tally: Any, decisions: Any,
    first: Any, until: Any,
) -> None:
    """Act on the decisions of one batch: exits first, then entries by rank.

    Parameters
    ----------
    decisions : tuple of arrays
        `records.columns_of(...)`.
    first, until : int
        Which of them, by symbol; of equal keys the first comes first.
    """
    _, times, symbols, sides, flagged, keys, atrs, scores, confidences = decisions
    n = 0
    for i in range(first, until):
        decide_exit(
            account, positions[symbols[i]], terms, logs, orders, tally,
            (times[i], symbols[i], scores[i], confidences[i]), sides[i], atrs[i],
        )
        if sides[i] != 0:
            n += 1
    done = np.zeros(until - first if n > 1 else 0, np.bool_)
    for _ in range(n):
        best = -1
        for i in range(first, until):
            waits = sides[i] != 0 and not (done.size and done[i - first])
            if waits and (best < 0 or keys[i] > keys[best]):
                best = i
        if done.size:
            done[best - first] = True
        decide_entry(
            account, positions, terms, logs, orders, tally,
            (times[best], symbols[best], scores[best], confidences[best]), sides[best],
            atrs[best], keys[best], flagged[best],
        )
