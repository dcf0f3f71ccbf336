"""The bars through which a position is merely held: most of them all, so they go by fast."""

from typing import Any

import numpy as np

from opportunity.market.timeframe import DAY_MS
from opportunity.trading.breaking import begin_day, thresholds, watch
from opportunity.trading.inlining import inlined


@inlined
def hold(
    account: Any, position: Any, terms: Any, tally: Any, market: Any, decided: Any, b: Any, d: Any,
    n: Any, until: Any,
) -> Any:
    """Take a held position through the bars at which nothing but marking happens.

    Parameters
    ----------
    account, position, terms, tally : records
        No order waits.
    market : tuple
        Closes, opens, values, and equity and notional to fill, which may be empty.
    decided : tuple
        Of each decision its bar, code and ATR.
    b, d : int
        First bar and decision.
    n, until : int
        End of the decisions, and the last bar that may be taken.

    Returns
    -------
    tuple
        Bar, decision and whether that decision is due. If it is, the bar is marked and the
        decision has not been looked at; else the bar has not begun.

    Notes
    -----
    The arithmetic of `quiet`, `note_equity` and `age`, in their order, with everything that
    changes in registers: about 3 ns a bar. Breakers are looked at only where they may change.
    """
    closes, _, values, curve, gross = market
    at, codes, atrs = decided
    side = position.side
    quantity, stop, cash = position.quantity, position.stop, account.cash
    highest, lowest, bars = position.high, position.low, position.bars
    target = side * np.inf
    if position.targets < terms.n_targets and position.risk > 0.0:
        target = position.entry + side * terms.target_r[position.targets] * position.risk
    equity, top, mark = account.equity, account.peak, position.mark
    alarm, floor, keep = thresholds(account, terms)
    total, squares, downside = tally.total, tally.squares, tally.downside
    peak, trough, under, longest = tally.peak, tally.trough, tally.under, tally.longest
    lower = trough
    held = tally.held
    first = b
    due = False
    trail_atr, time_stop = terms.trail_atr, terms.time_stop
    opposite, target_mode = terms.opposite, terms.target_mode
    next_at = at[d] if d < n else until + 1
    while b <= until:
        if not equity > 0.0:
            break  # a return of nothing is nothing; asked here, as a choice below would be a branch
        start, high, low, close = values[b, 0], values[b, 1], values[b, 2], values[b, 3]
        if side > 0:
            if low <= stop or start <= stop or high >= target or start >= target:
                break
        elif high >= stop or start >= stop or low <= target or start <= target:
            break
        highest = high if high > highest else highest
        lowest = low if low < lowest else lowest
        mark = close
        rings = closes[b] >= alarm
        if rings:
            day = (closes[b] - 1) // DAY_MS
            if day != account.day:
                account.equity = equity
                begin_day(account, day)
        notional = quantity * close
        before = equity
        equity = cash + side * notional
        top = equity if equity > top else top
        if rings or equity <= floor or equity <= top * keep:
            account.equity, account.peak = equity, top
            watch(account, terms, closes[b])
            top = account.peak
            alarm, floor, keep = thresholds(account, terms)
        change = equity / before - 1.0
        total += change
        squares += change * change
        loss = change if change < 0.0 else 0.0  # a choice: a branch would be guessed wrong
        downside += loss * loss
        held += 1 if notional > 0.0 else 0
        if equity >= peak:
            # The depth falls with the equity, rounding included: the lowest one is enough.
            if lower < trough:
                tally.drawdown = max(tally.drawdown, 1.0 - lower / peak)
            longest = max(longest, under)
            peak, trough, lower, under = equity, equity, equity, 0
        else:
            under += 1
            lower = equity if equity < lower else lower
        if curve.size:
            curve[b] = equity
            gross[b] = notional
        if b == next_at:
            code = codes[d]
            leaves = code != side if target_mode else opposite and code != 0 and code != side
            if leaves or (time_stop > 0 and bars + 1 >= time_stop):
                due = True
                break
            bars += 1
            if trail_atr > 0.0 and atrs[d] > 0.0:
                trail = trail_atr * atrs[d]
                if side > 0:
                    if not close - trail <= stop:
                        stop = close - trail
                elif not close + trail >= stop:
                    stop = close + trail
            d += 1
            next_at = at[d] if d < n else until + 1
        b += 1
    if lower < trough:
        tally.drawdown = max(tally.drawdown, 1.0 - lower / peak)
    position.high, position.low, position.bars = highest, lowest, bars
    position.stop, position.mark = stop, mark
    account.equity, account.peak = equity, top
    tally.total, tally.squares, tally.downside = total, squares, downside
    tally.peak, tally.trough, tally.under = peak, lower, under
    tally.longest, tally.held = max(longest, under), held
    tally.n += b - first + due
    return b, d, due
