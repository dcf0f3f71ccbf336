"""Bars of any timeframe for a slice of coins, drawn block by block and folded as they come."""

from typing import Any

import numpy as np

from opportunity.feeds.simulation.hours import CLOSE, HIGH, LOW, OPEN, VOLUME, draw_hours
from opportunity.feeds.simulation.minutes import MINUTES, draw_minutes
from opportunity.feeds.simulation.weeks import HOURS
from opportunity.kernels import kernel


@kernel
def _fold(row: Any, bar: Any, first: Any) -> None:
    """Add the integer bar `row` to the bar `bar` that it is part of."""
    if first:
        bar[OPEN], bar[HIGH], bar[LOW] = row[OPEN], row[HIGH], row[LOW]
        bar[VOLUME] = 0
    bar[HIGH] = max(bar[HIGH], row[HIGH])
    bar[LOW] = min(bar[LOW], row[LOW])
    bar[CLOSE] = row[CLOSE]
    bar[VOLUME] += row[VOLUME]


@kernel
def _write(coin: Any, bar: Any, out: Any) -> None:
    """Turn ticks and lots into prices and amounts; a division is exact to the last bit."""
    for i in range(VOLUME):
        out[i] = bar[i] / coin.ticks
    out[VOLUME] = bar[VOLUME] / coin.lots


@kernel
def _week(coin: Any, week: Any, openings: Any, path: Any, mood: Any, variance: Any, levels: Any,
          hours: Any, spread: Any) -> None:
    factor = np.empty(HOURS + 1)
    factor[0] = openings[week]
    factor[1:] = path[week]
    draw_hours(
        coin, week, factor, mood[week], variance[week], levels[week : week + 2], hours, spread
    )


@kernel
def hour_bars(coins: Any, first: Any, ratio: Any, openings: Any, path: Any, mood: Any,
              variance: Any, levels: Any, out: Any) -> None:
    """Fill bars of `ratio` hours from hour number `first` on.

    Parameters
    ----------
    coins : ndarray of COIN, shape (n_coins,)
    first, ratio : int
        First hour, a multiple of `ratio` since the market's start; hours a bar.
    openings, path, mood, variance : ndarray
        The factor's weeks, as `grow_factor` fills them.
    levels : ndarray of shape (n_coins, n_weeks + 1)
        The coins' own levels at the opening of each week.
    out : ndarray of shape (n_coins, n_bars, 5)
        Filled with open, high, low, close, volume.
    """
    hours, spread = np.empty((HOURS, 5), np.int64), np.empty(HOURS)
    bar = np.zeros(5, np.int64)
    last = first + out.shape[1] * ratio
    for i in range(coins.size):
        for week in range(first // HOURS, (last - 1) // HOURS + 1):
            _week(coins[i], week, openings, path, mood, variance, levels[i], hours, spread)
            for h in range(max(first, week * HOURS), min(last, (week + 1) * HOURS)):
                _fold(hours[h - week * HOURS], bar, (h - first) % ratio == 0)
                if (h - first) % ratio == ratio - 1:
                    _write(coins[i], bar, out[i, (h - first) // ratio])


@kernel
def minute_bars(coins: Any, first: Any, ratio: Any, openings: Any, path: Any, mood: Any,
                variance: Any, levels: Any, out: Any) -> None:
    """Fill bars of `ratio` minutes (a divisor of 60) from minute number `first` on.

    As `hour_bars`, with minutes in place of hours.
    """
    hours, spread = np.empty((HOURS, 5), np.int64), np.empty(HOURS)
    minutes, bar = np.empty((MINUTES, 5), np.int64), np.zeros(5, np.int64)
    last = first + out.shape[1] * ratio
    for i in range(coins.size):
        drawn = -1
        for hour in range(first // MINUTES, (last - 1) // MINUTES + 1):
            week, h = hour // HOURS, hour % HOURS
            if week != drawn:
                _week(coins[i], week, openings, path, mood, variance, levels[i], hours, spread)
                drawn = week
            before, after = spread[max(0, h - 1)], spread[min(HOURS - 1, h + 1)]
            draw_minutes(coins[i], hour, hours[h], before, spread[h], after, minutes)
            start = hour * MINUTES
            for m in range(max(first, start), min(last, start + MINUTES)):
                _fold(minutes[m - start], bar, (m - first) % ratio == 0)
                if (m - first) % ratio == ratio - 1:
                    _write(coins[i], bar, out[i, (m - first) // ratio])
