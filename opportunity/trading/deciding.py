"""What a decision asks for: exits that are due, entries, and the limits that forbid one.

Every function changes its records in place; the live agent, the backtest and the sweep share them.
"""

from typing import Any

import numpy as np

from opportunity.kernels import kernel
from opportunity.trading.account import enter, exit_now
from opportunity.trading.breaking import calm, half_open, refusal, watch_streak
from opportunity.trading.fills import ratchet
from opportunity.trading.inlining import inlined
from opportunity.trading.records import (
    AT_CLOSE,
    AT_LIMIT,
    ENTRY,
    EXPIRED,
    FLAGGED,
    PLACED,
    POSITIONS,
    PROBING,
    SIGNAL,
    TIME,
    TOO_SMALL,
)


@inlined
def put_order(
    account: Any, orders: Any, position: Any, decision: Any, side: Any, reason: Any, status: Any
) -> None:
    """Write an order, with its number to be; `decision` is as in `decide_exit`."""
    time, symbol, score, confidence, _ = decision
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
        row.bound = -1
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
        Time, symbol, score, confidence and 24 h quote volume.
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
    order_exit(account, position, orders, decision, due)
    if terms.fill == AT_CLOSE:
        exit_now(
            account, position, terms, logs, orders, tally, decision[1], decision[0], position.mark
        )
        watch_streak(account, terms, decision[0])  # its mark was before the trade ended


@inlined
def order_exit(account: Any, position: Any, orders: Any, decision: Any, reason: Any) -> None:
    """Order the exit of what is held at the next open; `decision` is as in `decide_exit`."""
    position.exit = reason
    position.exit_order = account.n_orders
    position.exit_time = decision[0]
    position.exit_score = decision[2]
    position.exit_confidence = decision[3]
    put_order(account, orders, position, decision, -position.side, reason, PLACED)


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
    time, symbol, score, confidence, volume = decision
    position = positions[symbol]
    leaving = position.exit != ENTRY
    if position.side == side or (position.side != 0 and not leaving):
        return
    position.distance = terms.stop_atr * atr if terms.stop_atr > 0.0 else 0.0
    position.limit = np.nan
    if terms.fill == AT_LIMIT:
        position.limit = position.mark - side * terms.limit_atr * atr
    status = PLACED
    if flagged:
        status = FLAGGED
    elif not calm(account):
        status = refusal(account)
        if status == PLACED and half_open(account) != 0 and account.n_open - leaving > 0:
            status = PROBING
    if status == PLACED and account.n_open - leaving >= terms.max_positions:
        status = POSITIONS
    elif status == PLACED and not _placeable(position, terms):
        status = TOO_SMALL
    number = account.n_orders
    put_order(account, orders, position, decision, side, ENTRY, status)
    if status != PLACED:
        return
    position.wanted = side
    position.key = key
    position.order = number
    position.order_score = score
    position.order_confidence = confidence
    position.order_time = time
    position.atr = atr
    position.volume = volume
    account.n_open += 1
    if terms.fill == AT_CLOSE:
        enter(account, positions, terms, logs, orders, tally, symbol, time, position.mark)


@kernel
def ranked(sides: Any, keys: Any, first: Any, until: Any) -> Any:
    """Return which of some decisions name a side, larger keys first; of equal keys the first.

    Merges sorted runs, so it takes n log n comparisons.
    """
    n = 0
    for i in range(first, until):
        if sides[i] != 0:
            n += 1
    order = np.empty(n, np.int64)
    other = np.empty(n if n > 1 else 0, np.int64)
    n = 0
    for i in range(first, until):
        if sides[i] != 0:
            order[n] = i
            n += 1
    width = 1
    while width < n:
        for a in range(0, n, 2 * width):
            middle = min(a + width, n)
            z = min(a + 2 * width, n)
            i = a
            j = middle
            for k in range(a, z):
                if i < middle and (j >= z or not keys[order[j]] > keys[order[i]]):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order


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
    _, times, symbols, sides, flagged, keys, atrs, scores, confidences, volumes = decisions
    asked = False
    for i in range(first, until):
        decide_exit(
            account, positions[symbols[i]], terms, logs, orders, tally,
            (times[i], symbols[i], scores[i], confidences[i], volumes[i]), sides[i], atrs[i],
        )
        asked = asked or sides[i] != 0
    if not asked:
        return
    for i in ranked(sides, keys, first, until):
        decide_entry(
            account, positions, terms, logs, orders, tally,
            (times[i], symbols[i], scores[i], confidences[i], volumes[i]), sides[i], atrs[i],
            keys[i], flagged[i],
        )
