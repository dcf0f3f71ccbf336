"""Series and reference values that the indicator tests share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from opportunity.market.bars import Bars

REFERENCE = {
    "cryptocompare_BTC-USD_1d": ("cryptocompare/BTC-USD/1d", 2_725),
    "binance_SOL-USDT_1h": ("binance/SOL-USDT/1h", 12_000),
}


def walk(seed: int, n_bars: int = 3_000, start: float = 100.0) -> Bars:
    """Draw bars of a random walk with wicks, some of them flat and some tied."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, 0.01, n_bars)))
    close[rng.random(n_bars) < 0.1] = start
    open_ = np.concatenate(([start], close[:-1]))
    wick = rng.exponential(0.004, (2, n_bars)) * (rng.random((2, n_bars)) < 0.8)
    high = np.maximum(open_, close) * (1 + wick[0])
    low = np.minimum(open_, close) * (1 - wick[1])
    time = np.arange(n_bars) * 3_600_000
    return Bars.from_arrays(time, open_, high, low, close, np.ones(n_bars), timeframe="1h")


@pytest.fixture(params=[1, 2, 3])
def bars(request: pytest.FixtureRequest) -> Bars:
    return walk(request.param)


@pytest.fixture
def flat() -> Bars:
    n_bars = 60
    price = np.full(n_bars, 7.1)  # not a sum of few powers of two: 20 of it round
    return Bars.from_arrays(np.arange(n_bars), price, price, price, price, np.zeros(n_bars))


@pytest.fixture(scope="session", params=sorted(REFERENCE))
def reference(request: pytest.FixtureRequest, market_data: Path) -> tuple[Bars, pd.DataFrame]:
    """Bars and the values that TA-Lib computed from them once."""
    name, n_bars = REFERENCE[request.param]
    bars = Bars.from_frame(pd.read_parquet(market_data / f"{name}.parquet"))[:n_bars]
    frame = pd.read_parquet(market_data / "reference" / "talib" / f"{request.param}.parquet")
    assert len(bars) == len(frame) == n_bars
    return bars, frame


@pytest.fixture(scope="session")
def btc(market_data: Path) -> Bars:
    """66,022 bars of BTC/USDT 1h."""
    return Bars.from_frame(pd.read_parquet(market_data / "binance" / "BTC-USDT" / "1h.parquet"))
