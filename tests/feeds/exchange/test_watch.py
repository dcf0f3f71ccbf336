from types import SimpleNamespace

import pytest

from opportunity.feeds.exchange.watch import OLDEST_TICKER_MS, Watch

SYMBOLS = ("BTC/USDT", "ETH/USDT")
NOW = 1_700_000_000_000


class Told:
    """An assembler that remembers what it was told."""

    def __init__(self):
        self.dropped, self.restored, self.doubts = [], [], {}

    def drop(self, row):
        self.dropped.append(row)

    def restore(self, row):
        self.restored.append(row)

    def doubt(self, row, on, why):
        self.doubts[row] = on

    def last_price(self, row):
        return (100.0, None)[row]


class Watched:
    def __init__(self, active=(True, True), tickers=None, speed=1.0):
        self.name, self.speed = "binance", speed
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.markets = {}
        self.active = active
        self._tickers = tickers or {}

    async def refresh(self):
        self.markets = {
            s: SimpleNamespace(active=a)
            for s, a in zip(SYMBOLS, self.active, strict=True)
            if a is not None
        }

    async def tickers(self, symbols):
        assert symbols == SYMBOLS
        return self._tickers


@pytest.mark.parametrize("gone", [False, None], ids=["halted", "delisted"])
async def test_a_symbol_that_is_not_traded_is_dropped_once_and_taken_back(gone):
    told, venue = Told(), Watched((True, gone))
    watch = Watch(venue, told, SYMBOLS)
    await watch.markets()
    await watch.markets()
    assert told.dropped == [1]
    venue.active = (True, True)
    await watch.markets()
    assert told.restored == [1]


@pytest.mark.parametrize(
    ("last", "age_ms", "doubt"),
    [
        (101.0, 0, False),
        (106.0, 0, True),
        (94.0, 0, True),
        (1.0, OLDEST_TICKER_MS + 1, None),
        (float("nan"), 0, None),
    ],
)
async def test_a_ticker_far_from_the_bars_casts_doubt(last, age_ms, doubt):
    told = Told()
    ticker = SimpleNamespace(last=last, time=NOW - age_ms)
    venue = Watched(tickers={"BTC/USDT": ticker, "ETH/USDT": ticker})
    await Watch(venue, told, SYMBOLS).tickers()
    assert told.doubts.get(0) == doubt
    assert 1 not in told.doubts  # no bar yet: nothing to compare with
