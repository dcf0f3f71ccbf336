"""Null markets: bars in which there is nothing to find, seeded and equal on both sides.

Each has one property of real bars more than the one before it: wicks and volume, clusters of
volatility, and everything that lives inside a day. None can be predicted: the price is a
martingale, or every block of it was turned upside down by the toss of a coin.
"""

from dataclasses import replace

import numpy as np

from opportunity.market.bars import Bars

HOUR = 3_600_000
START = 1_600_000_000_000 // HOUR * HOUR
STEPS = 12
"""Moves inside a bar, from which its high and low come."""


def random_walk(n: int, seed: int, move: float = 0.004) -> Bars:
    """Log-normal steps of one size; `move` is the deviation of a bar's return."""
    return _from_deviations(np.full(n, move), np.random.default_rng(seed))


def garch(
    n: int, seed: int, move: float = 0.004, shock: float = 0.10, memory: float = 0.88
) -> Bars:
    """GARCH(1,1): calm and wild stretches follow from the squares of past returns.

    `move` is the long-run deviation of a return. Source: Bollerslev, Journal of Econometrics,
    1986.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((n, STEPS)) / np.sqrt(STEPS)
    total = drawn.sum(axis=1)
    deviation = np.empty(n)
    variance = move**2
    for i in range(n):
        deviation[i] = np.sqrt(variance)
        base = (1.0 - shock - memory) * move**2
        variance = base + variance * (shock * total[i] ** 2 + memory)
    return _from_draws(drawn, deviation, rng)


def block_shuffled(bars: Bars, n: int, seed: int, block: int = 24) -> Bars:
    """Blocks of the given bars in random order, half of them upside down (in logarithms).

    Inside a block everything is as it was; across blocks nothing is. Turning half of them takes
    out the drift, which a trend follower would rightly find. No block is used twice.
    """
    rng = np.random.default_rng(seed)
    logs = np.log(bars.values[1:, :4]) - np.log(bars.close[:-1])[:, None]
    n_blocks = -(-n // block)
    starts = rng.permutation(len(logs) // block)[:n_blocks] * block
    if starts.size < n_blocks:
        raise ValueError(f"n must be <= {len(logs) // block * block} bars, was {n}")
    rows = (starts[:, None] + np.arange(block)).reshape(-1)[:n]
    turned = np.repeat(rng.random(n_blocks) < 0.5, block)[:n]
    shape = np.where(turned[:, None], -logs[rows][:, [0, 2, 1, 3]], logs[rows])
    before = np.log(bars.close[0]) + np.concatenate(([0.0], np.cumsum(shape[:-1, 3])))
    values = np.column_stack([np.exp(before[:, None] + shape), bars.volume[1:][rows]])
    return replace(bars, time=bars.time[0] + HOUR * np.arange(n), values=values, timeframe="1h")


def coin_flipped(bars: Bars, seed: int) -> Bars:
    """The given bars, each upside down or not by the toss of a coin (in logarithms).

    Volatility, volume and wicks stay where they were in time; no side can be known.
    """
    logs = np.log(bars.values[:, :4])
    before = np.concatenate((logs[:1, 0], logs[:-1, 3]))[:, None]
    turned = np.random.default_rng(seed).random((len(bars), 1)) < 0.5
    shape = np.where(turned, (before - logs)[:, [0, 2, 1, 3]], logs - before)
    start = logs[0, 0] + np.concatenate(([0.0], np.cumsum(shape[:-1, 3])))
    return replace(
        bars, values=np.column_stack([np.exp(start[:, None] + shape), bars.volume])
    )


def _from_deviations(deviation: np.ndarray, rng: np.random.Generator) -> Bars:
    drawn = rng.standard_normal((deviation.size, STEPS)) / np.sqrt(STEPS)
    return _from_draws(drawn, deviation, rng)


def _from_draws(drawn: np.ndarray, deviation: np.ndarray, rng: np.random.Generator) -> Bars:
    """Follow the price step by step; minus half the variance makes it a martingale."""
    n = deviation.size
    steps = drawn * deviation[:, None] - 0.5 * deviation[:, None] ** 2 / STEPS
    path = np.cumsum(steps, axis=1)
    before = np.concatenate(([0.0], np.cumsum(path[:-1, -1])))
    logs = np.column_stack([
        np.zeros(n), np.maximum(path.max(axis=1), 0.0), np.minimum(path.min(axis=1), 0.0),
        path[:, -1],
    ])
    traded = 100.0 * np.exp(0.5 * rng.standard_normal(n)) * (0.5 + np.abs(drawn).mean(axis=1))
    values = np.column_stack([1000.0 * np.exp(before[:, None] + logs), traded])
    return Bars(START + HOUR * np.arange(n), values, "1h", "NULL/USDT", "simulated")
