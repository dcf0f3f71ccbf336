"""Breakers: what stops entries after losses, when it lets one through again, and when all.

Every function changes its records in place; the live agent, the backtest and the sweep share them.
A breaker trips at a mark and stays open, whatever the equity does then: the daily loss until the
UTC day is over, drawdown and losing streak for the cool-down. Those two are half open afterwards:
one position or order at a time, and the first trade entered so that ends decides. A win closes the
breaker, anything else opens it for another cool-down. Stale data is told from outside.
"""

from typing import Any

import numpy as np

from opportunity.market.timeframe import DAY_MS
from opportunity.trading.inlining import inlined
from opportunity.trading.records import (
    CLOSED,
    DAILY_LOSS,
    DAY,
    DEPTH,
    DRAWDOWN,
    HALF_OPEN,
    LOSSES,
    OPEN,
    PLACED,
    STALE,
    STALENESS,
    STREAK,
)


@inlined
def calm(account: Any) -> Any:
    """Tell whether all breakers are closed, which they mostly are."""
    breaker = account.breaker
    return (breaker[DAY] | breaker[DEPTH] | breaker[STREAK] | breaker[STALENESS]) == CLOSED


@inlined
def refusal(account: Any) -> Any:
    """Return the status of an entry that an open breaker refuses, PLACED where none is open."""
    breaker = account.breaker
    if breaker[DAY] == OPEN:
        return DAILY_LOSS
    if breaker[DEPTH] == OPEN:
        return DRAWDOWN
    if breaker[STREAK] == OPEN:
        return LOSSES
    if breaker[STALENESS] == OPEN:
        return STALE
    return PLACED


@inlined
def half_open(account: Any) -> Any:
    """Return which breakers are half open, one bit each; 0 for none."""
    breaker = account.breaker
    bits = 0
    for i in range(breaker.size):
        if breaker[i] == HALF_OPEN:
            bits |= 1 << i
    return bits


@inlined
def trip(account: Any, index: Any, time: Any, until: Any) -> None:
    """Open a breaker."""
    account.breaker[index] = OPEN
    account.until[index] = until
    account.tripped[index] = time
    account.n_trips[index] += 1


@inlined
def begin_day(account: Any, day: Any) -> None:
    """Begin a UTC day with the equity of the newest mark: what was lost before is no more."""
    account.day = day
    account.day_equity = account.equity
    if account.breaker[DAY] == OPEN:
        account.breaker[DAY] = CLOSED
        account.until[DAY] = 0


@inlined
def recover(account: Any, time: Any) -> None:
    """Half open what has cooled down; depth and streak count anew from here."""
    if account.breaker[DEPTH] == OPEN and time >= account.until[DEPTH]:
        account.breaker[DEPTH] = HALF_OPEN
        account.until[DEPTH] = 0
        account.peak = account.equity
    if account.breaker[STREAK] == OPEN and time >= account.until[STREAK]:
        account.breaker[STREAK] = HALF_OPEN
        account.until[STREAK] = 0
        account.losses = 0


@inlined
def watch_streak(account: Any, terms: Any, time: Any) -> None:
    """Trip on trades that lost in a row."""
    many = terms.max_losses > 0 and account.losses >= terms.max_losses
    if many and account.breaker[STREAK] != OPEN:
        trip(account, STREAK, time, time + terms.cooldown_ms)


@inlined
def watch(account: Any, terms: Any, time: Any) -> None:
    """Look at the equity of a mark: what cools down, then what trips.

    Where nothing was left to begin with, no loss is a fraction of it: nothing trips then.
    """
    recover(account, time)
    equity, begun, peak = account.equity, account.day_equity, account.peak
    lost = begun > 0.0 and equity <= begun * (1.0 - terms.max_daily_loss)
    if lost and account.breaker[DAY] == CLOSED:
        trip(account, DAY, time, (account.day + 1) * DAY_MS)
    deep = peak > 0.0 and equity <= peak * (1.0 - terms.max_drawdown)
    if deep and account.breaker[DEPTH] != OPEN:
        trip(account, DEPTH, time, time + terms.cooldown_ms)
    watch_streak(account, terms, time)


@inlined
def thresholds(account: Any, terms: Any) -> Any:
    """Return when `watch` has something to do while no trade ends.

    Returns
    -------
    tuple
        First time, equity of the day, and part of the peak, at which it does. They hold until it
        did.
    """
    alarm = (account.day + 1) * DAY_MS + 1
    floor = -np.inf
    keep = -np.inf
    if account.breaker[DAY] == CLOSED and account.day_equity > 0.0:
        floor = account.day_equity * (1.0 - terms.max_daily_loss)
    if account.breaker[DEPTH] == OPEN:
        alarm = min(alarm, account.until[DEPTH])
    else:
        keep = 1.0 - terms.max_drawdown
    if account.breaker[STREAK] == OPEN:
        alarm = min(alarm, account.until[STREAK])
    return alarm, floor, keep


@inlined
def end_probe(account: Any, position: Any, terms: Any, pnl: Any, time: Any) -> None:
    """Let a trade that was entered while breakers were half open decide about them."""
    if position.probe == 0:
        return
    for i in range(DEPTH, STREAK + 1):
        if position.probe & (1 << i) != 0 and account.breaker[i] == HALF_OPEN:
            if pnl > 0.0:
                account.breaker[i] = CLOSED
            else:
                trip(account, i, time, time + terms.cooldown_ms)
    position.probe = 0
