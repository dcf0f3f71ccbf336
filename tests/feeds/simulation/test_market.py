from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.timeframe import DAY_MS, WEEK_MS

END = 1_735_689_600_000  # 2025-01-01
ROWS = np.arange(4)
COINS = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "PEPE/USDT"]


def draw(market: SimulatedMarket, timeframe: str = "1h", n: int = 200, end: int = END):
    return market.bars(ROWS, timeframe, market.grid(timeframe, n, end))


def test_same_seed_same_market_another_seed_another():
    one = draw(SimulatedMarket(COINS))
    np.testing.assert_array_equal(one, draw(SimulatedMarket(COINS)))
    assert not np.array_equal(one, draw(SimulatedMarket(COINS, seed=8)))


def test_order_of_access_does_not_matter():
    early, late = SimulatedMarket(COINS), SimulatedMarket(COINS)
    draw(early, "1m", 100, END - 200 * WEEK_MS)
    draw(early, "1d", 50)
    np.testing.assert_array_equal(draw(early), draw(late))
    np.testing.assert_array_equal(
        draw(late, "1m", 100, END - 200 * WEEK_MS), draw(early, "1m", 100, END - 200 * WEEK_MS)
    )


def test_a_coin_does_not_depend_on_the_others():
    alone = SimulatedMarket(["SOL/USDT"])
    grid = alone.grid("15m", 300, END)
    np.testing.assert_array_equal(
        alone.bars(np.array([0]), "15m", grid)[0],
        SimulatedMarket(COINS).bars(np.array([2]), "15m", grid)[0],
    )


def test_a_coin_that_was_not_listed_joins():
    market = SimulatedMarket(COINS)
    draw(market)
    grid = market.grid("1h", 100, END)
    row = market.row("XRP/USDT")
    assert row == 4
    assert market.row("XRP/USDT") == 4
    expected = SimulatedMarket(["XRP/USDT"]).bars(np.array([0]), "1h", grid)[0]
    np.testing.assert_array_equal(market.bars(np.array([row]), "1h", grid)[0], expected)
    with pytest.raises(ValueError, match="symbol must be a known name"):
        market.row("NOPE/USDT")


def test_threads_give_the_same_bars():
    with ThreadPoolExecutor(2) as pool:
        market = SimulatedMarket(COINS)
        grid = market.grid("1m", 20_000, END)
        np.testing.assert_array_equal(
            market.bars(ROWS, "1m", grid, pool), SimulatedMarket(COINS).bars(ROWS, "1m", grid)
        )


def test_grid_holds_closed_bars_only_and_begins_with_the_market():
    market = SimulatedMarket(1)
    assert market.grid("1h", 2, END + 1).tolist() == [END - 7_200_000, END - 3_600_000]
    assert market.grid("1h", 2, END - 1)[-1] == END - 7_200_000
    weeks = market.grid("1w", 1000, END)
    assert weeks[0] == MARKET_START
    assert 255 < weeks.size < 265
    assert market.grid("1d", 10, MARKET_START + DAY_MS - 1).size == 0
    assert market.bars(np.array([0]), "1d", weeks[:0]).shape == (1, 0, 5)


def test_prices_neither_explode_nor_die_in_seven_years():
    market = SimulatedMarket(40)
    grid = market.grid("1w", 1000, MARKET_START + 365 * WEEK_MS)
    closes = market.bars(np.arange(40), "1w", grid)[:, :, 3]
    usual = np.exp(market.coins["log_price"])[:, None]
    assert (closes < 60 * usual).all()
    assert (closes > usual / 60).all()
    ticks = closes * market.coins["ticks"][:, None]
    assert ticks.min() > 300  # the coarsest step is under 0.4 %
