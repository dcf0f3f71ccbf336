import numpy as np
import pytest

from opportunity.errors import CoverageError
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.span import common_timeframe, coverage_text, default_start, symbols_in
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TIMEFRAMES

DAY = 1_704_067_200_000  # 2024-01-01
MARKET = SimulatedMarket(["BTC/USDT", "ETH/USDT"])


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> BarStore:
    """BTC has 5m of its last week only, both have 15m of ten days and 1h of thirty."""
    store = BarStore(tmp_path_factory.mktemp("mixed"), exchange="mixed")
    for row, symbol in enumerate(MARKET.symbols):
        for timeframe, days in (("5m", 7), ("15m", 10), ("1h", 30)):
            if symbol == "ETH/USDT" and timeframe == "5m":
                continue
            time = MARKET.grid(timeframe, days * DAY_MS // (5 * 60_000), DAY + 30 * DAY_MS)
            time = time[time >= DAY + (30 - days) * DAY_MS]
            values = MARKET.bars(np.array([row]), timeframe, time)[0]
            store.write(Bars(time, values, timeframe, symbol, "mixed"))
    return store


def base(store, symbols, start=None, end=None):
    return common_timeframe(store, tuple(symbols), TIMEFRAMES, start, end)


def test_finest_common_timeframe(mixed):
    assert base(mixed, ["BTC/USDT"]) == "5m"
    assert base(mixed, ["BTC/USDT", "ETH/USDT"]) == "15m"


def test_a_wanted_span_needs_a_timeframe_that_reaches_over_it(mixed):
    both = ["BTC/USDT", "ETH/USDT"]
    assert base(mixed, both, DAY + 21 * DAY_MS) == "15m"
    assert base(mixed, both, DAY + 5 * DAY_MS) == "1h"
    assert base(mixed, ["BTC/USDT"], DAY + 21 * DAY_MS) == "15m"
    assert base(mixed, both, None, DAY + 25 * DAY_MS) == "15m"


def test_nothing_in_common_lists_what_is_there(mixed):
    with pytest.raises(CoverageError, match="ETH/USDT: 15m 960 bars") as caught:
        common_timeframe(mixed, ("BTC/USDT", "ETH/USDT"), ("5m",), None, None)
    assert "BTC/USDT: 5m 2016 bars" in str(caught.value)
    with pytest.raises(CoverageError, match="NOPE/USDT: nothing"):
        base(mixed, ["BTC/USDT", "NOPE/USDT"])
    assert "and 10 more" in coverage_text(mixed, tuple("BTC/USDT" for _ in range(40)), None, None)


def test_symbols_in_takes_names_or_the_largest_group(mixed, tmp_path):
    assert symbols_in(mixed, ["btc-usdt"]) == ("BTC/USDT",)
    assert symbols_in(mixed, None) == ("BTC/USDT", "ETH/USDT")
    with pytest.raises(ValueError, match="without repeats"):
        symbols_in(mixed, ["BTCUSDT", "BTC/USDT"])
    with pytest.raises(CoverageError, match="no bars"):
        symbols_in(BarStore(tmp_path, exchange="empty"), None)


def bars(first: int, n: int) -> Bars:
    return Bars(DAY + HOUR_MS * (first + np.arange(n)), np.ones((n, 5)), "1h")


def test_default_start_is_where_half_have_a_thousand_bars():
    parts = [bars(0, 5000), bars(500, 3000), bars(3500, 1500), bars(4900, 50)]
    assert default_start(parts, HOUR_MS) == DAY + 1500 * HOUR_MS
    assert default_start([bars(0, 500)], HOUR_MS) == DAY + 100 * HOUR_MS
    assert default_start([bars(0, 1000)], HOUR_MS) == DAY + 200 * HOUR_MS
