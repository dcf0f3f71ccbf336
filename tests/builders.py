"""Bars made to order: seeded random walks, planted shapes, mirrored, scaled and shuffled bars.

Prices lie on a dyadic tick grid, on which mirroring and scaling by powers of two are exact.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opportunity.market.bars import Bars

HOUR = 3_600_000
START = 1_600_000_000_000 // HOUR * HOUR


def hours(n: int) -> np.ndarray:
    return START + HOUR * np.arange(n, dtype=np.int64)


def random_bars(
    n: int, seed: int = 1, tick: float = 2.0**-4, start: float = 4096.0, move: float = 8.0
) -> Bars:
    """A random walk with clusters of volatility, wicks, volume, and a few gaps between bars.

    `move` is the typical change of a bar in price; with a `tick` as large, ties abound.
    """
    rng = np.random.default_rng(seed)
    calm = np.exp(0.6 * _smooth(rng.standard_normal(n), 0.95))
    change = rng.standard_t(4, n) * move * calm / tick / 1.4
    jump = np.where(rng.random(n) < 0.05, rng.standard_normal(n) * move / tick, 0.0)
    close = np.cumsum(np.rint(change + jump)) + start / tick
    close = np.abs(close - 64) + 64  # stays above zero, turning back at a floor
    opened = np.concatenate(([start / tick], close[:-1])) + np.rint(jump)
    opened = np.maximum(opened, 32)
    wicks = np.rint(np.abs(rng.standard_normal((2, n))) * 0.5 * move * calm / tick)
    high = np.maximum(opened, close) + wicks[0]
    low = np.maximum(np.minimum(opened, close) - wicks[1], 16)
    volume = np.rint(100 * calm * np.exp(0.5 * rng.standard_normal(n)))
    values = np.stack([opened * tick, high * tick, low * tick, close * tick, volume], axis=1)
    return Bars(hours(n), values, "1h", "TEST/USDT", "simulated")


def _smooth(noise: np.ndarray, memory: float) -> np.ndarray:
    out = np.empty_like(noise)
    level = 0.0
    for i, x in enumerate(noise):
        level = memory * level + np.sqrt(1 - memory**2) * x
        out[i] = level
    return out


def path_bars(
    points: Sequence[float], steps: int | Sequence[int] = 15, wick: float = 0.0, lead: int = 0
) -> Bars:
    """Straight legs between prices, `steps` bars each; a bar opens where the last one closed.

    `lead` bars before the first point swing by one unit around it, so that ATR is near 1.
    """
    counts = [steps] * (len(points) - 1) if isinstance(steps, int) else list(steps)
    closes = [points[0] + (0.5 if i % 2 else -0.5) for i in range(lead)]
    closes.append(points[0])
    for a, b, k in zip(points, points[1:], counts, strict=False):
        closes.extend(a + (b - a) * (i + 1) / k for i in range(k))
    close = np.array(closes)
    opened = np.concatenate((close[:1], close[:-1]))
    return from_ohlc(np.stack([
        opened, np.maximum(opened, close) + wick, np.minimum(opened, close) - wick, close
    ], axis=1))


def from_ohlc(prices: Sequence[Sequence[float]] | np.ndarray, volume: float = 100.0) -> Bars:
    """Hourly bars from rows of open, high, low, close."""
    rows = np.asarray(prices, dtype=np.float64)
    values = np.column_stack([rows, np.full(len(rows), volume)])
    return Bars(hours(len(rows)), values, "1h", "TEST/USDT", "simulated")


def mirrored(bars: Bars) -> Bars:
    """p -> (highest + lowest) - p, high and low swapped, volume kept."""
    total = bars.high.max() + bars.low.min()
    values = total - bars.values[:, [0, 2, 1, 3, 4]]
    values[:, 4] = bars.volume
    return replace(bars, values=values)


def scaled(bars: Bars, factor: float) -> Bars:
    """Prices times a factor, volume kept."""
    return replace(bars, values=bars.values * np.array([factor] * 4 + [1.0]))


def shuffled(bars: Bars, seed: int) -> Bars:
    """The same bars in random order, each chained to the close before it (in logarithms)."""
    logs = np.log(bars.values[1:, :4])
    before = np.log(bars.close[:-1])[:, None]
    order = np.random.default_rng(seed).permutation(len(logs))
    shape = (logs - before)[order]
    close = np.log(bars.close[0]) + np.concatenate(([0.0], np.cumsum(shape[:-1, 3])))
    values = np.column_stack([np.exp(close[:, None] + shape), bars.volume[1:][order]])
    return replace(bars, time=bars.time[1:], values=values)


def planted(
    points: Sequence[tuple[float, float]],
    noise: float = 0.0,
    scale: float = 1.0,
    trend: float = 0.0,
    stretch: float = 1.0,
    lead: int = 150,
    level: float = 1000.0,
    seed: int = 1,
) -> Bars:
    """A drawn pattern in bars whose ATR is near `scale`.

    Parameters
    ----------
    points : sequence of (bar, price)
        Corners joined by straight lines, in bars from the first corner and in ATR.
    noise : float
        Standard deviation of what each bar is moved by, and of its extra wicks, in ATR.
    scale : float
        Quote currency of one ATR.
    trend : float
        Slope of the bars before the first corner, ATR a bar.
    stretch : float
        Factor on all times.
    lead : int
        Bars before the first corner.
    level : float
        Price of 0, in ATR.
    """
    rng = np.random.default_rng(seed)
    at = lead + np.rint(np.array([p[0] - points[0][0] for p in points]) * stretch).astype(int)
    price = np.array([p[1] for p in points])
    bar = np.arange(at[-1] + 1)
    close = np.interp(bar, at, price)
    close[:lead] = price[0] + trend * (bar[:lead] - lead)
    close[:lead] += np.where(bar[:lead] % 2, 0.3, -0.3)
    opened = np.concatenate((close[:1], close[:-1]))
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    wick = np.maximum(0.0, 1.0 - (top - bottom)) / 2
    leg = np.clip(np.searchsorted(at, bar, side="left"), 1, len(at) - 1)
    inside = bar > lead  # a corner is the extreme of its legs: no wick reaches beyond it
    ceiling = np.where(inside, np.maximum(price[leg], price[leg - 1]), np.inf)
    floor = np.where(inside, np.minimum(price[leg], price[leg - 1]), -np.inf)
    high = np.maximum(np.minimum(top + wick, ceiling), top)
    low = np.minimum(np.maximum(bottom - wick, floor), bottom)
    shift = noise * rng.standard_normal(len(bar))
    extra = noise * np.abs(rng.standard_normal((2, len(bar))))
    moved = np.stack([
        opened + np.concatenate(([0.0], shift[:-1])), high + shift, low + shift, close + shift
    ])
    moved[1] = np.maximum(moved[1] + extra[0], np.maximum(moved[0], moved[3]))
    moved[2] = np.minimum(moved[2] - extra[1], np.minimum(moved[0], moved[3]))
    return from_ohlc((level + moved.T) * scale)
