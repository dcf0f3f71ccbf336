import asyncio
from types import SimpleNamespace

import pytest

from opportunity.feeds.exchange import watch as module
from opportunity.feeds.exchange.venue.venue import steered_s
from opportunity.feeds.exchange.watch import OLDEST_TICKER_MS, Looks, Watch, pause_s

SYMBOLS = ("BTC/USDT", "ETH/USDT")
NOW = 1_700_000_000_000


class Told:
    """An assembler that remembers what it was told."""

    def __init__(self):
        self.dropped, self.calls, self.doubts = set(), [], {}

    def drop(self, row):
        self.dropped.add(row)
        self.calls.append(("drop", row))

    def restore(self, row):
        self.dropped.discard(row)
        self.calls.append(("restore", row))

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
    assert told.calls == [("drop", 1)]
    venue.active = (True, True)
    await watch.markets()
    await watch.markets()
    assert told.calls == [("drop", 1), ("restore", 1)]


async def test_a_symbol_that_was_dropped_by_others_is_taken_back_while_it_is_traded():
    told = Told()
    told.drop(0)  # e.g. one call for it was refused
    await Watch(Watched(), told, SYMBOLS).markets()
    assert told.calls == [("drop", 0), ("restore", 0)]


@pytest.mark.parametrize(
    ("last", "age_ms", "doubt"),
    [
        (101.0, 0, False),
        (106.0, 0, True),
        (94.0, 0, True),
        (1.0, OLDEST_TICKER_MS + 1, None),
        (101.0, OLDEST_TICKER_MS + 1, False),  # a market that went quiet stays doubted no more
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


@pytest.mark.parametrize("speed", [1.0, 60.0, 600.0])
def test_a_clock_is_steered_for_as_long_as_until_the_next_look(speed):
    assert pause_s(Looks().clock_s, speed) == steered_s(speed)


async def test_a_clock_that_stood_still_is_measured_at_once(monkeypatch):
    """The machine slept: what comes now seems to be of the future, and nothing is overdue."""
    monkeypatch.setattr(module, "STRAY_S", 0.001)
    venue, looked = Watched(), asyncio.Event()
    venue.has, venue.astray = lambda what: False, False

    async def resync():
        venue.astray = False
        looked.set()

    venue.resync = resync
    work = asyncio.ensure_future(Watch(venue, Told(), SYMBOLS).run())
    await asyncio.sleep(0.01)
    assert not looked.is_set()
    venue.astray = True
    async with asyncio.timeout(30):
        await looked.wait()
    work.cancel()
    await asyncio.wait([work])
