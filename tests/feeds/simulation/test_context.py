import numpy as np
import pytest

from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

END = 1_735_689_600_000  # 2025-01-01
MARKET = SimulatedMarket(4)
CONTEXT = Context(MARKET)


def test_trades_of_an_hour_rebuild_the_hour():
    trades = CONTEXT.trades("ETH/USDT", END - HOUR_MS, END)
    bar = MARKET.bars(np.array([1]), "1h", MARKET.grid("1h", 1, END))[0, 0]
    price, amount = trades.price, trades.amount
    assert [price[0], price.max(), price.min(), price[-1], amount.sum()] == bar.tolist()
    assert (np.diff(trades.time) >= 0).all()
    assert set(np.unique(trades.side)) == {-1, 1}
    one = next(iter(trades))
    assert (one.source, one.symbol, one.available_at) == ("simulated", "ETH/USDT", one.event_time)


def test_trades_are_cut_to_the_wanted_span():
    whole = CONTEXT.trades("ETH/USDT", END - HOUR_MS, END)
    part = CONTEXT.trades("ETH/USDT", END - 1_234_567, END - 234_567)
    inside = (whole.time >= END - 1_234_567) & (whole.time < END - 234_567)
    np.testing.assert_array_equal(part.price, whole.price[inside])
    np.testing.assert_array_equal(part.time, whole.time[inside])
    with pytest.raises(ValueError, match="24"):
        CONTEXT.trades("ETH/USDT", END - 2 * DAY_MS, END)


def test_order_book_surrounds_the_last_print():
    for at in range(END, END + 3 * MINUTE_MS, 7_777):
        book = CONTEXT.order_book("SOL/USDT", at)
        bids, asks = np.array(book.bids), np.array(book.asks)
        assert bids.shape == asks.shape == (20, 2)
        assert (np.diff(bids[:, 0]) < 0).all()
        assert (np.diff(asks[:, 0]) > 0).all()
        assert bids[0, 0] < asks[0, 0]
        assert min(bids[:, 1].min(), asks[:, 1].min()) > 0
        minute = END + (at - END) // MINUTE_MS * MINUTE_MS
        trades = CONTEXT.trades("SOL/USDT", minute, at + 1)
        if len(trades):
            assert abs(book.mid - trades.price[-1]) * MARKET.coins["ticks"][2] < 1.01
    assert book == CONTEXT.order_book("SOL/USDT", at)


def test_other_observations_are_reached_through_it():
    assert CONTEXT.headlines(END, END + DAY_MS)
    assert len(CONTEXT.funding("BTC/USDT", END, END + DAY_MS)) == 3
    assert len(CONTEXT.fear_greed(END, END + DAY_MS)) == 1
