import numpy as np
import orjson
import pytest
from local_exchange import kline, line, numbers, rows

from app.exchange.endpoints import ENDPOINTS
from app.exchange.recorded import RecordedSource
from app.exchange.server import LocalExchange
from opportunity.errors import CoverageError
from opportunity.market.store import BarStore

START = 1_748_865_600_000
MINUTE = 60_000


async def test_stored_bars_happen_again(store: BarStore) -> None:
    source = RecordedSource(store, start=START + 1_000 * MINUTE)
    async with LocalExchange(source, speed=600.0) as exchange:
        assert exchange.now() - source.start_ms < 60_000
        async with line(exchange, "btcusdt@kline_1m", "btcusdt@kline_5m") as opened:
            event = await opened.closing()
        at = event["k"]["t"]
        stored = store.read("BTC/USDT", "1m", at, at + 1)
        told = await rows(exchange, startTime=at, limit=1)
        assert kline(event) == numbers(told[0]) == tuple(stored.values[0])
        info = orjson.loads(ENDPOINTS["/api/v3/exchangeInfo"](exchange.core, {}, exchange.now()))
        assert info["symbols"][0]["opportunity"] == {"source": "replay:binance", "speed": 600.0}
        assert info["symbols"][0]["filters"][0]["tickSize"] == "0.01"


def test_hole_is_a_hole_and_pages_go_over_it(store: BarStore) -> None:
    source = RecordedSource(store)
    hole = START + 1_500 * MINUTE
    assert np.isnan(source.base_bars(hole)[1]).all()
    assert not np.isnan(source.base_bars(hole)[0]).any()
    time, _ = source.bars(1, "1m", hole - 2 * MINUTE, hole + 100 * MINUTE, 4, False)
    assert ((time - hole) // MINUTE).tolist() == [-2, -1, 10, 11]
    time, _ = source.bars(1, "1m", 0, hole + 11 * MINUTE, 3, True)
    assert ((time - hole) // MINUTE).tolist() == [-2, -1, 10]
    source.close()


def test_open_bar_stands_at_its_open(store: BarStore) -> None:
    source = RecordedSource(store)
    bar = source.base_bars(START)[0]
    forming = source.forming(np.array([0]), START, START + 59_999)[0]
    assert forming.tolist() == [bar[0]] * 4 + [0.0]
    assert source.trades(0, START) is None
    assert source.book(0, START) is None
    assert source.funding(0, START, START + 10**9) == []
    source.close()


def test_default_start_and_largest(store: BarStore) -> None:
    source = RecordedSource(store, top=1)
    assert source.start_ms == START + 432 * MINUTE  # a fifth of 2,160 bars

    def turnover(symbol: str) -> float:
        bars = store.read(symbol, "1m", None, source.start_ms)
        return float((bars.close * bars.volume).sum())

    assert source.symbols == (max(store.symbols(), key=turnover),)
    source.close()


def test_wrong_choices(store: BarStore) -> None:
    with pytest.raises(ValueError, match="top must be >= 1, was 0"):
        RecordedSource(store, top=0)
    with pytest.raises(CoverageError):
        RecordedSource(store, symbols=["XRP/USDT"])


def test_after_the_last_bar_nothing_comes(store: BarStore) -> None:
    source = RecordedSource(store)
    end = START + 2_160 * MINUTE
    assert np.isnan(source.base_bars(end)).all()
    assert source.bars(0, "1m", end, end + 10 * MINUTE, 5, False)[0].size == 0
    source.close()
