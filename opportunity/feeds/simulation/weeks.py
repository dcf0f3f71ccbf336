"""The coarse level of the simulated market: hourly variances, and what each week returns.

Log volatility is a sum of smooth noises of several time scales (which gives the slow decay of
autocorrelation that real markets show), white noise (fat tails: a normal mixture, Clark 1973,
Econometrica 41), jumps with a fading echo, and the season of the hour. Given the hourly
variances of a week, the week's return is normal with their sum; the hours are later drawn as a
Brownian bridge between the week closes. A level that is pulled back slowly keeps prices from
exploding or dying over the years.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.feeds.simulation.randomness import add_wave, fork, normal, uniform
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS, WEEK_MS

MARKET_START: Final = 1_577_664_000_000
"""Monday 2019-12-30 00:00 UTC, the opening of the week that holds 2020-01-01."""

HOURS: Final = WEEK_MS // HOUR_MS
DAY_HOURS: Final = DAY_MS // HOUR_MS

# Mean |hourly return| and mean volume of BTC/USDT by hour of the day (UTC) and by weekday, over
# their means, Binance 2020-2025, measured on the recorded bars.
SEASON: Final = np.array([
    1.15, 1.04, 0.91, 0.84, 0.76, 0.79, 0.82, 0.88, 0.95, 0.88, 0.90, 0.90,
    1.05, 1.18, 1.37, 1.25, 1.14, 1.06, 1.03, 1.04, 1.07, 1.02, 0.99, 0.99,
])
WEEKDAY: Final = np.array([1.14, 1.08, 1.09, 1.07, 1.08, 0.71, 0.83])

RANGE, BULL, BEAR, CRISIS = range(4)
# chance to stay, weekly drift of the factor, factor on volatility
_STAY: Final = np.array([0.90, 0.91, 0.89, 0.30])
_DRIFT: Final = np.array([0.000, 0.020, -0.016, -0.055])
_LOUD: Final = np.log(np.array([0.85, 1.00, 1.05, 1.80]))

_PULL: Final = 0.012  # share of the factor's distance from its long-run level that a week closes
_PULL_OWN: Final = 0.030
_SIGMA: Final = 0.080  # weekly standard deviation of the factor
_SHARED: Final = 0.60  # how far a coin's own volatility follows the factor's mood

# smooth noises of log volatility: time scale in hours and standard deviation
_FACTOR_WAVES: Final = (
    (2, 0.26), (8, 0.25), (32, 0.25), (120, 0.23), (450, 0.23), (2200, 0.22),
)
_COIN_WAVES: Final = (
    (2, 0.31), (8, 0.28), (32, 0.26), (120, 0.24), (450, 0.22), (2200, 0.18),
)
_WHITE: Final = 0.28
_WHITE_COIN: Final = 0.36
_JUMPS: Final = 0.7  # a week, for the factor
_JUMPS_COIN: Final = 0.45
_LEAP: Final = 0.9  # smallest jump, in log volatility; the rest of it is exponential
_LEAP_MORE: Final = 0.30
_LEAP_MOST: Final = 2.1
_ECHO: Final = 0.22  # of a jump's size stays in the mood and halves every `_ECHO_HALF` hours
_ECHO_HALF: Final = 10.0

_REGIME, _RETURN, _HOUR, _WHITES, _JUMP, _WAVE = range(6)  # streams of a key


@kernel
def next_regime(key: Any, week: Any, regime: Any) -> Any:
    """Draw the regime of `week` from the regime of the week before it."""
    key = fork(key, _REGIME)
    if uniform(key, 2 * week) < _STAY[regime]:
        return regime
    u = uniform(key, 2 * week + 1)
    if u < 0.10:
        return CRISIS if regime != CRISIS else BEAR
    if u < 0.40:
        return BULL if regime != BULL else RANGE
    if u < 0.68:
        return BEAR if regime != BEAR else RANGE
    return RANGE if regime != RANGE else BULL


@kernel
def add_jumps(key: Any, week: Any, rate: Any, mood: Any, spike: Any) -> None:
    """Add the jumps of a week to `spike`, and their fading echo to `mood` (a week later too)."""
    key = fork(key, _JUMP)
    for w in range(max(0, week - 1), week + 1):
        left = uniform(key, 16 * w) - math.exp(-rate)  # Poisson by inversion
        term, n = math.exp(-rate), 0
        while left > 0.0 and n < 5:
            n += 1
            term *= rate / n
            left -= term
        for j in range(n):
            at = int(uniform(key, 16 * w + 1 + 3 * j) * HOURS) + (w - week) * HOURS
            size = _LEAP - _LEAP_MORE * math.log(uniform(key, 16 * w + 2 + 3 * j))
            size = min(size, _LEAP_MOST)
            if at >= 0:
                spike[at] += size
            echo = _ECHO * size
            for h in range(max(0, at + 1), min(HOURS, at + 120)):
                mood[h] += echo * 2.0 ** (-(h - at) / _ECHO_HALF)


@kernel
def factor_volatility(key: Any, week: Any, before: Any, regime: Any, mood: Any, out: Any) -> None:
    """Fill the factor's mood (slow log volatility) and hourly variances of one week.

    Parameters
    ----------
    key : uint64
        Key of the factor.
    week : int
        Weeks since `MARKET_START`.
    before, regime : int
        Regime of the week before and of this week.
    mood, out : ndarray of shape (168,)
        Filled: log volatility without white noise, season and spikes; variance of the log
        return of each hour.
    """
    mood[:] = 0.0
    out[:] = 0.0
    power = _WHITE * _WHITE
    waves = fork(key, _WAVE)
    for i, (scale, amplitude) in enumerate(_FACTOR_WAVES):
        add_wave(fork(waves, i), week * HOURS, scale, amplitude, mood)
        power += amplitude * amplitude
    for h in range(HOURS):
        part = min(1.0, (h + 1) / DAY_HOURS)
        mood[h] += _LOUD[before] + (_LOUD[regime] - _LOUD[before]) * part
    add_jumps(key, week, _JUMPS, mood, out)
    white = fork(key, _WHITES)
    usual = _SIGMA * _SIGMA / HOURS * math.exp(-2.0 * power)
    for h in range(HOURS):
        x = mood[h] + out[h] + _WHITE * normal(white, week * HOURS + h)
        season = SEASON[h % DAY_HOURS] * WEEKDAY[h // DAY_HOURS]
        out[h] = usual * season * season * math.exp(2.0 * x)


@kernel
def coin_volatility(coin: Any, week: Any, mood: Any, own: Any, out: Any) -> None:
    """Fill the hourly variances of a coin's own return in one week.

    `mood` is the factor's of that week; `own` (168,) is filled with the coin's log volatility
    without white noise and spikes.
    """
    out[:] = 0.0
    power = _WHITE_COIN * _WHITE_COIN
    for h in range(HOURS):
        own[h] = _SHARED * mood[h]
    waves = fork(coin.key, _WAVE)
    for i, (scale, amplitude) in enumerate(_COIN_WAVES):
        add_wave(fork(waves, i), week * HOURS, scale, amplitude, own)
        power += amplitude * amplitude
    add_jumps(coin.key, week, _JUMPS_COIN, own, out)
    white = fork(coin.key, _WHITES)
    usual = coin.sigma * coin.sigma / HOURS * math.exp(-2.0 * power)
    for h in range(HOURS):
        x = own[h] + out[h] + _WHITE_COIN * normal(white, week * HOURS + h)
        season = SEASON[h % DAY_HOURS] * WEEKDAY[h // DAY_HOURS]
        out[h] = usual * season * season * math.exp(2.0 * x)


@kernel
def bridge(key: Any, week: Any, variance: Any, total: Any, out: Any) -> None:
    """Fill `out` with hourly returns that add up to `total`: a Brownian bridge in variance time."""
    key = fork(key, _HOUR)
    drawn, power = 0.0, 0.0
    for h in range(HOURS):
        out[h] = math.sqrt(variance[h]) * normal(key, week * HOURS + h)
        drawn += out[h]
        power += variance[h]
    short = (total - drawn) / power
    for h in range(HOURS):
        out[h] += short * variance[h]


@kernel
def grow_factor(key: Any, first: Any, level: Any, regime: Any, mood: Any, variance: Any,
                path: Any) -> None:
    """Draw the factor's weeks from number `first` on.

    Parameters
    ----------
    key : uint64
        Key of the factor.
    first : int
        First week to draw; the rows before it are already filled.
    level : ndarray of shape (n_weeks + 1,)
        Log level at the opening of each week, level[0] = 0.
    regime : ndarray of int64, shape (n_weeks,)
        Regime of each week.
    mood, variance, path : ndarray of shape (n_weeks, 168)
        Slow log volatility, hourly variance, and log level at the close of each hour.
    """
    returns = np.empty(HOURS)
    streak = fork(key, _RETURN)
    for w in range(first, regime.size):
        before = regime[w - 1] if w > 0 else RANGE
        regime[w] = next_regime(key, w, before)
        factor_volatility(key, w, before, regime[w], mood[w], variance[w])
        total = math.sqrt(variance[w].sum()) * normal(streak, w)
        total += _DRIFT[regime[w]] - _PULL * level[w]
        level[w + 1] = level[w] + total
        bridge(key, w, variance[w], total, returns)
        x = level[w]
        for h in range(HOURS):
            x += returns[h]
            path[w, h] = x
        path[w, HOURS - 1] = level[w + 1]


@kernel
def grow_coin(coin: Any, first: Any, mood: Any, level: Any) -> None:
    """Draw the opening levels of a coin's own weeks from number `first` on.

    `mood` is the factor's, (n_weeks, 168); `level`, (n_weeks + 1,), is the log of the coin's own
    part of the price.
    """
    own, variance = np.empty(HOURS), np.empty(HOURS)
    streak = fork(coin.key, _RETURN)
    if first == 0:
        level[0] = 2.0 * coin.sigma * normal(streak, -1)
    for w in range(first, level.size - 1):
        coin_volatility(coin, w, mood[w], own, variance)
        total = math.sqrt(variance.sum()) * normal(streak, w)
        level[w + 1] = level[w] + total - _PULL_OWN * level[w]
