"""The middle level: the 168 hours of a coin's week, as integers of ticks and lots.

Prices are whole ticks and volumes whole lots, so that adding and comparing them is exact and
resampled bars equal directly drawn ones bit for bit.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.feeds.simulation.randomness import add_wave, fork, normal, uniform
from opportunity.feeds.simulation.weeks import DAY_HOURS, HOURS, bridge, coin_volatility
from opportunity.kernels import kernel

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
LEAST_LOTS: Final = 6000
"""Fewest lots of an hour: every minute has room for a few prints."""

VOLUME_SEASON: Final = np.log(np.array([
    1.00, 0.90, 0.85, 0.79, 0.75, 0.75, 0.81, 0.91, 0.96, 0.93, 0.96, 0.95,
    1.16, 1.36, 1.59, 1.52, 1.38, 1.15, 1.07, 1.03, 1.00, 0.80, 0.80, 0.82,
]))
"""Log of mean volume by hour of the day, measured as `SEASON` in weeks.py was."""

_HIGH, _LOW, _TURNOVER, _WAVE, _GAP = range(20, 25)  # streams of a coin's key
_VOLUME_WAVES: Final = ((6, 0.18), (30, 0.24), (160, 0.22), (1500, 0.26))
_VOLUME_WHITE: Final = 0.34
_FOLLOW: Final = 0.72  # of log volatility goes into log volume
_SURGE: Final = 0.32  # of the size of the move in its own deviations goes into log volume
_REACH: Final = 1.20  # variance inside an hour over that of its return: bounce of prints


@kernel
def open_gap(key: Any, minute: Any) -> Any:
    """Return how many ticks a minute opens off the close before it: -1, 0 or 1."""
    u = uniform(fork(key, _GAP), minute)
    if u < 0.24:
        return -1
    return 1 if u > 0.76 else 0


@kernel
def to_ticks(coin: Any, level: Any) -> Any:
    """Return the price at log level `level` (factor and own part together) in whole ticks."""
    return max(1, int(math.exp(coin.log_price + level) * coin.ticks + 0.5))


@kernel
def draw_hours(coin: Any, week: Any, factor: Any, mood: Any, variance: Any, level: Any,
               hours: Any, spread: Any) -> None:
    """Draw the hours of one coin's week.

    Parameters
    ----------
    coin : COIN record
    week : int
        Weeks since the market's start.
    factor : ndarray of shape (169,)
        The factor's log level at the opening of the week and at the close of each hour.
    mood, variance : ndarray of shape (168,)
        The factor's slow log volatility and hourly variances.
    level : ndarray of shape (2,)
        The coin's own log level at the opening and at the close of the week.
    hours : ndarray of int64, shape (168, 5)
        Filled with open, high, low, close (ticks) and volume (lots).
    spread : ndarray of shape (168,)
        Filled with the variance of the log return of each hour.
    """
    own, returns, noise = np.empty(HOURS), np.empty(HOURS), np.zeros(HOURS)
    coin_volatility(coin, week, mood, own, spread)
    bridge(coin.key, week, spread, level[1] - level[0], returns)
    waves = fork(coin.key, _WAVE)
    for i, (scale, amplitude) in enumerate(_VOLUME_WAVES):
        add_wave(fork(waves, i), week * HOURS, scale, amplitude, noise)
    high_key, low_key = fork(coin.key, _HIGH), fork(coin.key, _LOW)
    white = fork(coin.key, _TURNOVER)
    usual = (coin.beta * coin.beta * 0.0055 + coin.sigma * coin.sigma) / HOURS
    x = level[0]
    before = coin.beta * factor[0] + x
    last = to_ticks(coin, before)
    for h in range(HOURS):
        t = week * HOURS + h
        spread[h] += coin.beta * coin.beta * variance[h]
        x = level[1] if h == HOURS - 1 else x + returns[h]
        now = coin.beta * factor[h + 1] + x
        move = now - before
        reach = 2.0 * _REACH * spread[h]
        up = 0.5 * (move + math.sqrt(move * move - reach * math.log(uniform(high_key, t))))
        down = 0.5 * (move - math.sqrt(move * move - reach * math.log(uniform(low_key, t))))
        first = max(1, last + open_gap(coin.key, 60 * t))
        close = to_ticks(coin, now)
        hours[h, OPEN] = first
        hours[h, HIGH] = max(first, close, to_ticks(coin, before + up))
        hours[h, LOW] = min(first, close, to_ticks(coin, before + down))
        hours[h, CLOSE] = close
        size = abs(move) / math.sqrt(spread[h])
        amount = coin.log_turnover - 0.45 - now * 0.8 - coin.log_price
        amount += VOLUME_SEASON[h % DAY_HOURS] * 0.6 + noise[h] + _VOLUME_WHITE * normal(white, t)
        amount += _FOLLOW * 0.5 * math.log(spread[h] / usual) + _SURGE * size
        hours[h, VOLUME] = max(LEAST_LOTS, int(math.exp(amount) * coin.lots))
        last, before = close, now
