"""The prints of a minute and the book around them.

The prints of a minute start at its open, visit its high and low, end at its close and add up to
its volume exactly; a bar that is still forming is the fold of the prints so far, so it ends as
the closed bar. Sizes are log-normal (on recorded prints of XRP-ETH the log of the amount has a
standard deviation of 1.9); the aggressor is mostly the side towards which the price moved.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.feeds.simulation.hours import CLOSE, HIGH, LOW, OPEN, VOLUME
from opportunity.feeds.simulation.randomness import fork, normal, uniform
from opportunity.kernels import kernel
from opportunity.market.timeframe import MINUTE_MS

MOST: Final = 240
"""Most prints of a minute."""

LEVELS: Final = 20
"""Levels on each side of the book."""

_COUNT, _WHEN, _ORDER, _PLACE, _SIZE, _SIDE, _BOOK = range(60, 67)
_HEAVY: Final = 1.6  # deviation of the log of a print's amount
_PUSH: Final = 0.32  # of the aggressors lean to the side of a print's move, beyond one half
_LEAN: Final = 0.14  # of them to the side of the minute's move
_TICK_MS: Final = 100  # the book changes so often


@kernel
def _count(coin: Any, minute: Any, lots: Any) -> Any:
    """Draw how many prints a minute has: more with volume, never more than its lots."""
    usual = coin.lots * math.exp(coin.log_turnover - coin.log_price) / 60.0
    busy = coin.trades * math.sqrt(lots / usual) * (
        0.75 + 0.5 * uniform(fork(coin.key, _COUNT), minute)
    )
    return int(min(lots, max(4.0, min(MOST, busy))))


@kernel
def _times(key: Any, minute: Any, n: Any, times: Any) -> None:
    """Fill ascending milliseconds within the minute (exponential gaps, scaled to fit)."""
    total = 0.0
    for i in range(n + 1):
        total -= math.log(uniform(key, minute * (MOST + 1) + i))
        if i < n:
            times[i] = total
    for i in range(n):
        times[i] = min(MINUTE_MS - 1.0, math.floor(times[i] / total * MINUTE_MS))


@kernel
def _prices(coin: Any, minute: Any, bar: Any, n: Any, prices: Any) -> None:
    """Fill prices in ticks: open first, high and low somewhere between, close last."""
    order, place = fork(coin.key, _ORDER), fork(coin.key, _PLACE)
    width = max(1.0, float(bar[HIGH] - bar[LOW]))
    rise = (bar[CLOSE] - bar[OPEN]) / width
    low_first = uniform(order, 4 * minute) < 1.0 / (1.0 + math.exp(-6.0 * rise))
    first = bar[LOW] if low_first else bar[HIGH]
    second = bar[HIGH] if low_first else bar[LOW]
    at_first = 0 if first == bar[OPEN] else 1 + int(uniform(order, 4 * minute + 1) * (n // 2 - 1))
    rest = n - 2 - at_first
    at_second = at_first + 1 + int(uniform(order, 4 * minute + 2) * rest)
    at_second = n - 1 if second == bar[CLOSE] else min(at_second, n - 2)
    x, leg_to, goal = bar[OPEN], at_first, first
    prices[0] = x
    for i in range(1, n):
        if i > leg_to:
            leg_to, goal = at_second, second
            if i > at_second:
                leg_to, goal = n - 1, bar[CLOSE]
        left = leg_to - i + 1
        step = (goal - x) / left
        if i < leg_to:
            step += 0.16 * width * normal(place, minute * MOST + i) / math.sqrt(n / 12.0)
        x = min(bar[HIGH], max(bar[LOW], int(x + step + 0.5)))
        if i == leg_to:
            x = goal
        prices[i] = x
    prices[n - 1] = bar[CLOSE]


@kernel
def _sizes(coin: Any, minute: Any, bar: Any, n: Any, sizes: Any) -> None:
    """Deal the bar's lots out to its prints, heavy-tailed, each at least one."""
    key = fork(coin.key, _SIZE)
    total, summed, dealt = 0.0, 0.0, 0
    for i in range(n):
        sizes[i] = math.exp(_HEAVY * normal(key, minute * MOST + i))
        total += sizes[i]
    rest = bar[VOLUME] - n
    for i in range(n):
        summed += sizes[i]
        share = rest if i == n - 1 else min(rest, int(rest * (summed / total)))
        sizes[i] = 1.0 + share - dealt
        dealt = share


@kernel
def draw_prints(coin: Any, minute: Any, bar: Any, out: Any) -> Any:
    """Draw the prints of one minute.

    Parameters
    ----------
    coin : COIN record
    minute : int
        Minutes since the market's start.
    bar : ndarray of int64, shape (5,)
        The minute's open, high, low, close (ticks) and volume (lots).
    out : ndarray of shape (240, 4)
        Filled: milliseconds within the minute, ticks, lots, side (+1 buyer the aggressor).

    Returns
    -------
    int
        How many prints there are.
    """
    n = _count(coin, minute, bar[VOLUME])
    _times(fork(coin.key, _WHEN), minute, n, out[:, 0])
    _prices(coin, minute, bar, n, out[:, 1])
    _sizes(coin, minute, bar, n, out[:, 2])
    key = fork(coin.key, _SIDE)
    lean = _LEAN * (bar[CLOSE] - bar[OPEN]) / max(1.0, float(bar[HIGH] - bar[LOW]))
    last = bar[OPEN]
    for i in range(n):
        chance = 0.5 + lean
        if out[i, 1] > last:
            chance += _PUSH
        elif out[i, 1] < last:
            chance -= _PUSH
        out[i, 3] = 1.0 if uniform(key, minute * MOST + i) < chance else -1.0
        last = out[i, 1]
    return n


@kernel
def to_integers(coin: Any, row: Any, bar: Any) -> None:
    """Turn a bar of prices and amounts back into ticks and lots (exact: they came from them)."""
    for i in range(VOLUME):
        bar[i] = int(row[i] * coin.ticks + 0.5)
    bar[VOLUME] = int(row[VOLUME] * coin.lots + 0.5)


@kernel
def forming_bars(coins: Any, minute: Any, rows: Any, offset: Any, out: Any) -> None:
    """Fold the prints of a minute up to `offset` milliseconds (included) into partial bars.

    Parameters
    ----------
    coins : ndarray of COIN, shape (n_coins,)
    minute : int
        Minutes since the market's start.
    rows : ndarray of shape (n_coins, 5)
        The minute's bars as they will close.
    offset : float
        Milliseconds since the minute opened.
    out : ndarray of shape (n_coins, 5)
        Filled; NaN where nothing has been printed yet.
    """
    prints, bar = np.empty((MOST, 4)), np.empty(5, np.int64)
    for i in range(coins.size):
        to_integers(coins[i], rows[i], bar)
        n = draw_prints(coins[i], minute, bar, prints)
        out[i, :] = np.nan
        high, low, lots, k = -math.inf, math.inf, 0.0, 0
        while k < n and prints[k, 0] <= offset:
            high, low = max(high, prints[k, 1]), min(low, prints[k, 1])
            lots += prints[k, 2]
            k += 1
        if k > 0:
            out[i, OPEN], out[i, CLOSE] = bar[OPEN], prints[k - 1, 1]
            out[i, HIGH], out[i, LOW] = high, low
            for j in range(VOLUME):
                out[i, j] /= coins[i].ticks
            out[i, VOLUME] = lots / coins[i].lots


@kernel
def minute_prints(coin: Any, first: Any, rows: Any, out: Any, counts: Any) -> None:
    """Draw the prints of consecutive minutes; `out` is (n_minutes, 240, 4), `rows` their bars."""
    bar = np.empty(5, np.int64)
    for m in range(rows.shape[0]):
        to_integers(coin, rows[m], bar)
        counts[m] = draw_prints(coin, first + m, bar, out[m])


@kernel
def draw_book(coin: Any, time: Any, price: Any, drift: Any, lots: Any, out: Any) -> None:
    """Draw the book around the last print.

    Parameters
    ----------
    coin : COIN record
    time : int
        Milliseconds since the market's start.
    price : int
        Last print, ticks.
    drift : float
        Where the price is heading within the minute, in [-1, 1]: the thinner side gives way.
    lots : float
        Volume of the minute.
    out : ndarray of shape (2, 20, 2)
        Filled: bids and asks, ticks and lots of each level, best first.
    """
    key = fork(fork(coin.key, _BOOK), time // _TICK_MS)
    step = max(1.0, math.floor(price * 0.00004))
    half = 0 if uniform(key, 0) < 0.5 else 1
    for side in range(2):
        sign = -1.0 if side == 0 else 1.0
        at = price - half if side == 0 else price + 1 - half
        tilt = math.exp(-0.5 * sign * drift)
        for i in range(LEVELS):
            number = 100 * (side + 1) + 2 * i
            depth = lots * 0.05 * (1.0 + 0.15 * i) * tilt
            out[side, i, 0] = max(1.0, at)
            out[side, i, 1] = 1.0 + math.floor(depth * math.exp(0.9 * normal(key, number)))
            at += sign * step * (1.0 + math.floor(-0.8 * math.log(uniform(key, number + 1))))
