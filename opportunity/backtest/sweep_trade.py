"""The trading of one weight vector in a sweep: from entry codes to running sums.

Every fill, order and limit goes through the functions of `trading`; what is added here finds the
next decision that matters and passes over what lies between. Sums are added in the same order, so
the result is the single engine's bit for bit.
"""

from typing import Any

import numpy as np

from opportunity.backtest.hold import hold
from opportunity.backtest.run import pass_over
from opportunity.backtest.sweep_exact import exact_confidence, exact_side
from opportunity.backtest.sweep_score import DOUBT
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS
from opportunity.trading.account import note_equity, open_batch, walk_bar
from opportunity.trading.deciding import decide_entry, decide_exit
from opportunity.trading.fills import finish
from opportunity.trading.inlining import inlined
from opportunity.trading.records import DAY, DEPTH, END, ENTRY, OPEN, STREAK


@inlined
def next_code(codes: Any, words: Any, d: Any, n: Any) -> Any:
    """Return the first place from `d` on whose code is not 0; `n` where there is none.

    Parameters
    ----------
    codes : int8 (m,)
        0 from `n` to the next multiple of 8.
    words : int64 (m // 8,)
        The same bytes.
    """
    while d < n and d & 7 != 0:
        if codes[d] != 0:
            return d
        d += 1
    while d < n and words[d >> 3] == 0:
        d += 8
    while d < n and codes[d] == 0:
        d += 1
    return min(d, n)


@inlined
def pass_refused(account: Any, times: Any, d: Any, n: Any) -> Any:
    """Return the first decision from `d` on at which a flat account may be allowed an entry.

    Asking earlier would be refused and change nothing: a breaker is open until its time, and what
    was lost in a day is lost until the day is over.
    """
    bound = 0
    if account.breaker[DAY] == OPEN:
        bound = (account.day + 1) * DAY_MS + 1
    for i in range(DEPTH, STREAK + 1):
        if account.breaker[i] == OPEN:
            bound = max(bound, account.until[i])
    if bound == 0:
        return d
    z = n
    while d < z:
        middle = (d + z) >> 1
        if times[middle] < bound:
            d = middle + 1
        else:
            z = middle
    return d


@inlined
def idle(account: Any, position: Any, block: Any, codes: Any, words: Any) -> Any:
    """Tell whether a vector holds nothing, waits for nothing and is let into nothing in a block."""
    _, times, _, _, _, _, d, n = block
    if position.side != 0 or position.wanted != 0 or account.cash != account.equity:
        return False
    return next_code(codes, words, pass_refused(account, times, d, n), n) >= n


@kernel
def advance(
    account: Any, positions: Any, terms: Any, tally: Any, market: Any, block: Any, codes: Any,
    words: Any, settle: Any, room: Any, span: Any,
) -> None:
    """Take one vector through some bars, and the decisions that fall into them.

    Parameters
    ----------
    account, terms, tally : records
    positions : POSITION (1,)
    market : tuple
        Closes, opens, values, and equity and notional to fill, which may be empty.
    block : tuple
        Of each decision its bar, time, ATR, flag and 24 h quote volume; the number of the first
        one; and which of them count, from and until.
    codes, words
        As in `next_code`: 0, the side of an entry, or `DOUBT`.
    settle : tuple
        What `exact_side` takes before the number of a decision, and whether sizes hang on the
        confidence of a decision.
    room : tuple
        Logs, orders and the symbol of every bar, as the engine takes them.
    span : tuple
        First and last bar to take, and the last one of the run: what is held is closed there.
    """
    closes, _, values, curve, gross = market
    at, times, atrs, flagged, volumes, first, d, n = block
    logs, orders, _ = room
    weights, seen, asked, scratch, trusting = settle
    b, end, last = span
    decided = (at, codes, atrs)
    position = positions[0]
    while b <= end:
        due = False
        if position.side == 0 and position.wanted == 0 and account.cash == account.equity:
            d = next_code(codes, words, pass_refused(account, times, d, n), n)
            while d < n and codes[d] == DOUBT:
                codes[d] = exact_side(weights, seen, asked, scratch, first + d)
                d = next_code(codes, words, d, n)
            due = d < n
            bar = at[d] if due else end
            pass_over(account, tally, bar - b + 1, closes[bar])
            if curve.size:
                curve[b : bar + 1] = account.equity
                gross[b : bar + 1] = 0.0
            position.mark = values[bar, 3]
            b = bar
        else:
            if position.side != 0 and position.wanted == 0 and position.exit == ENTRY:
                b, d, due = hold(
                    account, position, terms, tally, market, decided, b, d, n, min(end, last - 1)
                )
            if b > end:
                break
            if not due:
                _step(account, positions, terms, tally, market, room, b, b == last)
                due = d < n and at[d] == b
        if due:
            if b != last:
                side = codes[d]
                if side == DOUBT:
                    side = exact_side(weights, seen, asked, scratch, first + d)
                    codes[d] = side
                confidence = np.nan  # no sum depends on the score, nor on this but through a size
                if trusting and side != 0:
                    confidence = exact_confidence(weights, seen, asked, scratch, first + d)
                decision = (times[d], 0, 0.5, confidence, volumes[d])
                if position.side != 0 or position.wanted != 0:
                    decide_exit(
                        account, position, terms, logs, orders, tally, decision, side, atrs[d]
                    )
                if side != 0:
                    decide_entry(
                        account, positions, terms, logs, orders, tally, decision, side, atrs[d],
                        0.0, flagged[d],
                    )
            d += 1
        b += 1


@inlined
def _step(
    account: Any, positions: Any, terms: Any, tally: Any, market: Any, room: Any, b: Any,
    ends: Any,
) -> None:
    """Take any bar: orders that wait, the range, the end of the run, the mark."""
    closes, opened, values, curve, gross = market
    logs, orders, symbols = room
    position = positions[0]
    if position.exit != ENTRY or position.wanted != 0:
        open_batch(
            account, positions, terms, logs, orders, tally, symbols, opened, values, b, b + 1
        )
    if position.side != 0 or position.wanted != 0:
        walk_bar(
            account, positions, terms, logs, orders, tally, 0, opened[b], closes[b],
            values[b, 0], values[b, 1], values[b, 2],
        )
    position.mark = values[b, 3]
    if ends:
        finish(account, position, terms, logs, tally, 0, closes[b], END)
    notional = position.quantity * position.mark if position.side != 0 else 0.0
    note_equity(
        account, terms, tally, account.cash + position.side * notional, notional > 0.0, closes[b]
    )
    if curve.size:
        curve[b] = account.equity
        gross[b] = notional
