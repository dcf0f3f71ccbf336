"""Funding every eight hours and a daily Fear & Greed value of the simulated market."""

from typing import Final

import numpy as np

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.randomness import add_wave, branch, key_of, normals
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.observations import FearGreed, Funding
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TimeArray

FUNDING_MS: Final = 8 * HOUR_MS
_INTEREST: Final = 0.0001  # per 8 hours; the published rate wherever the premium is near it
_CLAMP: Final = 0.0005
_CAP: Final = 0.003
_NOISE, _WAVE, _MOOD = 90, 91, 92


def funding(market: SimulatedMarket, symbol: str, start: int, end: int) -> list[Funding]:
    """Return the settlements that became known in [start, end): at the settlement itself.

    The premium follows the last three days' move; within 0.05 % of the interest the rate is the
    interest exactly, as exchanges compute it, so that many settlements are equal.
    """
    row = market.row(symbol)
    first = max(1, -(-(start - MARKET_START) // FUNDING_MS))
    times = np.arange(MARKET_START + first * FUNDING_MS, end, FUNDING_MS, dtype=np.int64)
    if not times.size:
        return []
    hours = int(times[-1] - times[0]) // HOUR_MS + 100
    grid = market.grid("1h", hours, int(times[-1]))
    level = np.log(market.bars(np.array([row]), "1h", grid)[0, :, 3])
    at = (times - grid[0]) // HOUR_MS - 1  # the bar that closes at the settlement
    coin = market.coins[row]
    usual = np.sqrt(coin["beta"] ** 2 * 0.0064 + coin["sigma"] ** 2) * np.sqrt(3 / 7)
    push = (level[at] - level[np.maximum(0, at - 72)]) / usual
    # one anchor for every draw: waves are bit-equal only from the same first index on
    slow = np.zeros(first + times.size)
    add_wave(branch(coin["key"], _WAVE), 0, 30, 0.7, slow)
    x = 0.6 * push + slow[first:] + 0.6 * normals(branch(coin["key"], _NOISE), first, times.size)
    premium = -0.00034 + 0.00031 * x + 0.00020 * np.maximum(x, 0.0) ** 2
    rates = np.clip(
        _INTEREST + np.sign(premium) * np.maximum(np.abs(premium) - _CLAMP, 0.0), -_CAP, _CAP
    )
    return [
        Funding(t, t, "simulated", symbol, round(rate, 8))
        for t, rate in zip(times.tolist(), rates.tolist(), strict=True)
    ]


def fear_greed(market: SimulatedMarket, start: int, end: int) -> list[FearGreed]:
    """Return the daily values that became known in [start, end): each when its day was over."""
    first = max(0, -(-(start - MARKET_START) // DAY_MS) - 1)
    last = (end - 1 - MARKET_START) // DAY_MS - 1
    if last < first:
        return []
    values = _mood(market, last)[first:]
    opening = MARKET_START + first * DAY_MS
    return [
        FearGreed(opening + i * DAY_MS, opening + (i + 1) * DAY_MS, "simulated", value)
        for i, value in enumerate(values.tolist())
    ]


def _mood(market: SimulatedMarket, last: int) -> TimeArray:
    """Compute the value of each day up to number `last` from the market factor.

    On recorded days the index follows the return of the last two months (r = 0.78) and the
    distance from the quarter's high (0.76); so does this one.
    """
    level = market.factor_days(last)
    days = np.arange(level.size)
    month, season = (level - level[np.maximum(0, days - n)] for n in (30, 60))
    week = level - level[np.maximum(0, days - 7)]
    peak = np.array([level[max(0, d - 90) : d + 1].max() for d in days])
    own = np.zeros(level.size)
    key = branch(key_of(market.seed, "MOOD"), _MOOD)
    add_wave(key, 0, 12, 7.0, own)
    own += 2.5 * normals(branch(key, 1), 0, level.size)
    raw = 58 + 28 * np.tanh(2.0 * season) + 14 * np.tanh(3.0 * month) + 10 * np.tanh(6.0 * week)
    raw += own - 25 * np.tanh(1.5 * (peak - level))
    values: TimeArray = np.clip(np.rint(raw), 3, 97).astype(np.int64)
    return values
