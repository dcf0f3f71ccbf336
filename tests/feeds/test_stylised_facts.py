"""The simulated market has the stylised facts of the recorded one.

Measured on log returns of 1h closes, per symbol; a `Range` holds quantiles over the symbols.
UNIVERSE: the 84 Binance symbols with at least 4,000 recorded hours between 2024-01-01 and
2024-09-06. LONG: the eleven with at least 30,000 recorded hours, all of them, 2018-2025.
MINUTES: 1m bars of two months or one, BTC and ETH (Binance), SOL and XRP (perpetuals).
`test_the_ranges_are_the_recorded_ones` measures all of it again on the recorded data.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.store import BarStore

BEGIN, END = 1_704_067_200_000, 1_725_580_800_000  # 2024-01-01 to 2024-09-06
HOUR_MS = 3_600_000


class Range(NamedTuple):
    least: float
    low: float  # 5 % of the symbols lie below
    middle: float
    high: float  # 5 % lie above
    most: float


UNIVERSE = {
    "kurtosis": Range(8.322, 11.5, 21.55, 100.1, 784.4),
    "acf of returns, 1": Range(-0.1264, -0.07677, -0.008359, 0.03457, 0.08201),
    "acf of |returns|, 1": Range(0.1503, 0.2296, 0.2932, 0.3649, 0.4301),
    "acf of |returns|, 24": Range(0.04793, 0.08263, 0.1275, 0.1892, 0.2409),
    "acf of |returns|, 168": Range(-0.003792, 0.0178, 0.05192, 0.1052, 0.122),
    "volume with |returns|": Range(0.3281, 0.4442, 0.5903, 0.6682, 0.7159),
    "acf of log volume, 24": Range(0.3029, 0.3403, 0.4595, 0.6224, 0.705),
    "deviation of log volume": Range(0.6797, 0.7685, 0.9355, 1.191, 1.358),
    "body over range": Range(0.4097, 0.4416, 0.4701, 0.4847, 0.5007),
    "annual volatility": Range(0.3287, 0.7265, 1.163, 1.695, 2.086),
    "share of zero volume": Range(0, 0, 0, 0, 0),
}
LONG = {
    "kurtosis": Range(20.96, 24.79, 41.17, 81.97, 116.1),
    "acf of returns, 1": Range(-0.04492, -0.04123, -0.02972, -0.01621, -0.01392),
    "acf of |returns|, 1": Range(0.2866, 0.2867, 0.3098, 0.3881, 0.4244),
    "acf of |returns|, 24": Range(0.1703, 0.1708, 0.205, 0.2465, 0.2613),
    "acf of |returns|, 168": Range(0.09361, 0.1009, 0.1161, 0.1505, 0.155),
    "volume with |returns|": Range(0.3274, 0.4246, 0.5579, 0.6076, 0.6143),
    "acf of log volume, 24": Range(0.4657, 0.4998, 0.6173, 0.7052, 0.719),
    "deviation of log volume": Range(0.8475, 0.8796, 0.9761, 1.271, 1.426),
    "body over range": Range(0.4575, 0.4579, 0.4699, 0.4841, 0.4847),
    "annual volatility": Range(0.6978, 0.7904, 1.05, 1.287, 1.287),
    "share of zero volume": Range(3.782e-05, 4.163e-05, 4.724e-05, 5.924e-05, 7.023e-05),
}
MINUTES = {
    "kurtosis": Range(9.603, 10.14, 13.57, 59.76, 67.85),
    "acf of returns, 1": Range(-0.0335, -0.03085, -0.01548, -0.002635, -0.0004344),
    "acf of |returns|, 1": Range(0.222, 0.2287, 0.2798, 0.3017, 0.3033),
    "acf of |returns|, 24": Range(0.1259, 0.1297, 0.167, 0.1948, 0.197),
    "acf of |returns|, 168": Range(0.04835, 0.05434, 0.09077, 0.111, 0.1141),
    "volume with |returns|": Range(0.5014, 0.5042, 0.5446, 0.5824, 0.5848),
    "acf of log volume, 24": Range(0.317, 0.3272, 0.4166, 0.4565, 0.458),
    "deviation of log volume": Range(0.8608, 0.8649, 0.98, 1.133, 1.143),
    "body over range": Range(0.5494, 0.5497, 0.569, 0.6703, 0.6851),
    "annual volatility": Range(0.3408, 0.3877, 0.6737, 0.7525, 0.7628),
    "share of zero volume": Range(0, 0, 0, 0, 0),
}
CROSS = Range(0.1251, 0.2752, 0.5116, 0.7471, 0.8593)
"""Correlation of hourly returns over all pairs of UNIVERSE."""


def lagged(x: np.ndarray, lag: int) -> float:
    """Autocorrelation at a lag."""
    x = x - x.mean()
    return float((x[lag:] * x[:-lag]).sum() / (x * x).sum())


def facts(bars: np.ndarray, a_year: int = 8760) -> dict[str, float]:
    """Measure one symbol's bars, (n, 5)."""
    returns, volume = np.diff(np.log(bars[:, 3])), bars[1:, 4]
    size = np.abs(returns)
    centred = returns - returns.mean()
    return {
        "kurtosis": float((centred**4).mean() / centred.var() ** 2),
        "acf of returns, 1": lagged(returns, 1),
        "acf of |returns|, 1": lagged(size, 1),
        "acf of |returns|, 24": lagged(size, 24),
        "acf of |returns|, 168": lagged(size, 168),
        "volume with |returns|": float(np.corrcoef(volume, size)[0, 1]),
        "acf of log volume, 24": lagged(np.log(volume + 1e-12), 24),
        "deviation of log volume": float(np.log(volume[volume > 0]).std()),
        "body over range": float(
            np.abs(np.log(bars[:, 3] / bars[:, 0])).mean() / np.log(bars[:, 1] / bars[:, 2]).mean()
        ),
        "annual volatility": float(returns.std() * np.sqrt(a_year)),
        "share of zero volume": float((bars[:, 4] == 0).mean()),
    }


def ranges(measured: list[dict[str, float]]) -> dict[str, Range]:
    """Quantiles over the symbols, fact by fact."""
    return {
        name: Range(*np.quantile([m[name] for m in measured], [0, 0.05, 0.5, 0.95, 1]).tolist())
        for name in measured[0]
    }


def cross(closes: np.ndarray) -> Range:
    """Quantiles of the correlation over all pairs, of closes (n_symbols, n_bars)."""
    table = np.corrcoef(np.diff(np.log(closes), axis=1))
    pairs = table[np.triu_indices(len(table), 1)]
    return Range(*np.quantile(pairs, [0, 0.05, 0.5, 0.95, 1]).tolist())


def recorded(data: Path) -> tuple[dict[str, Range], dict[str, Range], dict[str, Range], Range]:
    """Measure the recorded data."""
    store, long = BarStore(data, "binance"), []
    window, closes = [], []
    for symbol in store.symbols("1h"):
        if store.coverage(symbol, "1h").n_bars >= 30_000:
            long.append(facts(store.read(symbol, "1h").values))
        bars = store.read(symbol, "1h", BEGIN, END)
        if len(bars) >= 4000:
            window.append(facts(bars.values))
            series = np.full((END - BEGIN) // HOUR_MS, np.nan)
            series[(bars.time - BEGIN) // HOUR_MS] = bars.close
            closes.append(series)
    prices = np.array(closes)
    prices = prices[:, ~np.isnan(prices).any(axis=0)]  # hours that all symbols have
    perpetual = BarStore(data, "binanceusdm")
    fine = [store.read(s, "1m") for s in ("BTC/USDT", "ETH/USDT")]
    fine += [perpetual.read(s, "1m") for s in ("SOL/USDT", "XRP/USDT")]
    minutes = ranges([facts(b.values, 525_600) for b in fine])
    return ranges(window), ranges(long), minutes, cross(prices)


@pytest.fixture(scope="module")
def hours() -> np.ndarray:
    """All 40 coins over the same months as the recorded universe."""
    market = SimulatedMarket()
    return market.bars(np.arange(40), "1h", market.grid("1h", (END - BEGIN) // HOUR_MS, END))


@pytest.fixture(scope="module")
def measured(hours: np.ndarray) -> dict[str, Range]:
    return ranges([facts(bars) for bars in hours])


@pytest.mark.realdata
def test_the_ranges_are_the_recorded_ones(market_data):
    window, long, minutes, pairs = recorded(market_data)
    for found, stated in ((window, UNIVERSE), (long, LONG), (minutes, MINUTES)):
        assert found.keys() == stated.keys()
        for name in found:
            assert found[name] == pytest.approx(stated[name], rel=2e-3, abs=2e-4), name
    assert pairs == pytest.approx(CROSS, rel=2e-3)


@pytest.mark.parametrize("name", UNIVERSE)
def test_the_middle_coin_is_within_the_recorded_ninety_percent(name, measured):
    assert UNIVERSE[name].low <= measured[name].middle <= UNIVERSE[name].high


@pytest.mark.parametrize("name", UNIVERSE)
def test_ninety_percent_of_the_coins_are_within_all_recorded_ones(name, measured):
    # the simulated hours are all of one make, the recorded ones are not
    slack = 0.01 if name == "body over range" else 0.0
    assert UNIVERSE[name].least <= measured[name].low
    assert measured[name].high <= UNIVERSE[name].most + slack


def test_coins_move_together_as_recorded_ones_do(hours):
    pairs = cross(hours[:, :, 3])
    assert CROSS.low <= pairs.middle <= CROSS.high
    assert CROSS.least <= pairs.low
    assert pairs.high <= CROSS.most


def test_tails_and_memory_hold_over_the_years_and_for_another_seed():
    for seed in (7, 11):
        market = SimulatedMarket(12, seed=seed)
        bars = market.bars(np.arange(12), "1h", market.grid("1h", 48_000, END))
        found = ranges([facts(b) for b in bars])
        for name in ("kurtosis", "acf of |returns|, 1", "acf of |returns|, 24"):
            assert UNIVERSE[name].low <= found[name].middle <= UNIVERSE[name].high
        assert 0.05 < found["acf of |returns|, 168"].middle < LONG["acf of |returns|, 168"].most
        assert abs(found["acf of returns, 1"].middle) < 0.05


def test_minutes_have_the_facts_of_recorded_minutes():
    market = SimulatedMarket(4)
    found = ranges([
        facts(bars, 525_600)
        for month in range(0, 36, 4)
        for bars in market.bars(
            np.arange(4), "1m", market.grid("1m", 30 * 1440, END - month * 30 * 24 * HOUR_MS)
        )
    ])
    assert MINUTES["kurtosis"].least <= found["kurtosis"].middle <= MINUTES["kurtosis"].most
    assert abs(found["acf of returns, 1"].middle) < 0.04
    for name in ("acf of |returns|, 1", "acf of |returns|, 24", "acf of |returns|, 168"):
        assert 0.7 * MINUTES[name].least < found[name].middle < 1.3 * MINUTES[name].most
    assert 0.35 < found["volume with |returns|"].middle < MINUTES["volume with |returns|"].most
    assert found["share of zero volume"].most == 0
