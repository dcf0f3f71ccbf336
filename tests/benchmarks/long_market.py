"""Long minute bars for benchmarks: blocks of recorded ones, drawn anew."""

import os
import sys
from pathlib import Path

import numpy as np

import opportunity as op
from opportunity.market.bars import Bars
from opportunity.market.timeframe import DAY_MS, MINUTE_MS

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders import random_bars

DATA = Path(
    os.environ.get("OPPORTUNITY_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
)
START = 1_640_995_200_000 // DAY_MS * DAY_MS


def minutes(n: int, seed: int = 1, block: int = 240) -> Bars:
    """Return `n` bars of 1m; blocks of recorded BTC/USDT where that is there."""
    path = DATA / "binance" / "BTC-USDT" / "1m.parquet"
    if path.exists():
        recorded, source = op.read_bars(path).values, "bootstrap"
    else:
        recorded, source = random_bars(50_000, seed).values, "simulated"
    rng = np.random.default_rng(seed)
    first = rng.integers(1, len(recorded) - block, -(-n // block))
    rows = (first[:, None] + np.arange(block)).reshape(-1)[:n]
    relative = recorded[rows, :4] / recorded[rows - 1, 3][:, None]
    close = recorded[0, 3] * np.cumprod(relative[:, 3])
    before = np.concatenate([recorded[:1, 3], close[:-1]])
    prices = relative * before[:, None]
    prices[:, 1], prices[:, 2] = prices.max(axis=1), prices.min(axis=1)
    values = np.concatenate([prices, recorded[rows, 4:5]], axis=1)
    return Bars(START + MINUTE_MS * np.arange(n), values, "1m", "BTC/USDT", source)
