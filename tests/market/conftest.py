"""A builder of valid bars for the tests of this room."""

from collections.abc import Callable

import numpy as np
import pytest

from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms, open_ms

START = 1_704_067_200_000  # 2024-01-01, a Monday

Make = Callable[..., Bars]


def make_bars(
    n: int = 200, timeframe: str = "1h", seed: int = 1, keep: float = 1.0, start: int = START
) -> Bars:
    """Build a random walk; `keep` is the share of bars left after random gaps."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    opening = np.concatenate([[100.0], close])[:n]
    top = np.maximum(opening, close) * (1 + rng.exponential(0.002, n))
    bottom = np.minimum(opening, close) * (1 - rng.exponential(0.002, n))
    values = np.stack([opening, top, bottom, close, rng.exponential(10, n)], axis=1)
    time = open_ms(start, timeframe) + length_ms(timeframe) * np.arange(n)
    kept = rng.random(n) < keep
    return Bars(time[kept], values[kept], timeframe, "BTC/USDT", "test")


@pytest.fixture(scope="session")
def make() -> Make:
    return make_bars
