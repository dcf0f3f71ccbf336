import asyncio

import numpy as np
from portfolios import END, NAMES
from risky import FakeMarket, FakeTrader

from app import risk_history
from app.risk_history import RiskHistory
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS


async def test_days_are_taken_and_the_leader_with_them():
    market = FakeMarket()
    past = await RiskHistory(FakeTrader(), market).past(["SOL/USDT", "ETH/USDT"], END)
    assert past.returns.timeframe == "1d"
    assert past.returns.symbols == ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert len(past.returns) == 499
    assert past.missing == {}
    assert {frame for _, frame in market.asked} == {"1d"}


async def test_what_was_read_is_kept_until_an_hour_closes():
    market = FakeMarket()
    history = RiskHistory(FakeTrader(), market)
    first = await history.past(["ETH/USDT"], END)
    many = await asyncio.gather(*(history.past(["ETH/USDT"], END + MINUTE_MS) for _ in range(5)))
    assert all(past is first for past in many)
    assert len(market.asked) == 2
    assert await history.past(["ETH/USDT"], END + HOUR_MS) is not first
    assert len(market.asked) == 2  # days have not closed
    later = await history.past(["ETH/USDT"], END + DAY_MS)
    assert len(market.asked) == 4
    assert later.returns.time[-1] == first.returns.time[-1] + DAY_MS


async def test_pages_that_ask_at_once_read_once():
    market = FakeMarket()
    history = RiskHistory(FakeTrader(), market)
    await asyncio.gather(*(history.past(["ETH/USDT"], END) for _ in range(5)))
    assert len(market.asked) == 2


async def test_a_young_market_is_looked_at_by_the_hour():
    market = FakeMarket()
    market.young = "ADA/USDT"
    past = await RiskHistory(FakeTrader(), market).past(["ADA/USDT"], END)
    assert past.returns.timeframe == "1h"
    assert past.missing == {}
    assert len(past.returns) == 999


async def test_a_market_too_young_for_all_is_missing_and_says_so():
    past = await RiskHistory(FakeTrader(), FakeMarket({"ADA/USDT": 5})).past(
        ["ADA/USDT", "ETH/USDT"], END
    )
    assert set(past.missing) == {"ADA/USDT"}
    assert "more than 30 bars" in past.missing["ADA/USDT"]
    assert "ETH/USDT" in past.returns.symbols
    assert "ADA/USDT" not in past.returns.symbols


async def test_a_market_without_history_is_missing_and_asked_again_after_a_while(monkeypatch):
    market = FakeMarket()
    history = RiskHistory(FakeTrader(), market)
    past = await history.past(["GONE/USDT"], END)
    assert past.returns is None
    assert past.missing == {"GONE/USDT": "there is no history of GONE/USDT"}
    before = len(market.asked)
    assert await history.past(["GONE/USDT"], END) is past
    assert len(market.asked) == before
    monkeypatch.setattr(risk_history, "AGAIN_S", 0.0)
    again = RiskHistory(FakeTrader(), market)
    await again.past(["GONE/USDT"], END)
    before = len(market.asked)
    await again.past(["GONE/USDT"], END)
    assert len(market.asked) > before


async def test_a_leader_too_young_does_not_shorten_the_rest():
    past = await RiskHistory(FakeTrader(), FakeMarket({"BTC/USDT": 60})).past(["ETH/USDT"], END)
    assert past.returns.symbols == ("ETH/USDT",)
    assert len(past.returns) == 499


async def test_one_that_does_not_answer_is_not_waited_for(monkeypatch):
    market = FakeMarket()
    monkeypatch.setattr(risk_history, "PATIENCE_S", 0.01)

    async def never(*_):
        await asyncio.Event().wait()

    market.history = never
    past = await RiskHistory(FakeTrader(), market).past(["ETH/USDT"], END)
    assert past.missing == {"ETH/USDT": "the market gave no history"}


async def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(risk_history, "MOST_KEPT", 32)
    history = RiskHistory(FakeTrader(), FakeMarket())
    for hour in range(40):
        await history.past(["ETH/USDT"], END + hour * 24 * HOUR_MS)
    assert len(history._kept) <= 32
    assert len(history._pasts) <= 1


async def test_bars_of_those_that_have_enough():
    history = RiskHistory(FakeTrader(), FakeMarket({"ADA/USDT": 5}))
    found = await history.bars(["ADA/USDT", "ETH/USDT", "GONE/USDT"], END)
    assert set(found) == {"ETH/USDT"}
    assert np.isfinite(found["ETH/USDT"].close).all()
    assert set(await RiskHistory(FakeTrader(), FakeMarket()).bars(NAMES, END)) == set(NAMES)
