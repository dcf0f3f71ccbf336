import numpy as np
import pytest

from app.exchange.market import SimulatedSource
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.weeks import MARKET_START

MINUTE = 60_000
START = 1_748_865_600_000


@pytest.fixture
def source(market: SimulatedMarket) -> SimulatedSource:
    return SimulatedSource(market)


def test_base_bars_are_the_markets_whatever_was_asked_before(source, market) -> None:
    for opened in (START, START + 90 * MINUTE, START - 600 * MINUTE, START, START + 59 * MINUTE):
        drawn = market.bars(np.arange(3), "1m", np.array([opened]))[:, 0]
        np.testing.assert_array_equal(source.base_bars(opened), drawn)


def test_oldest_and_newest_pages(source) -> None:
    span = START, START + 100 * MINUTE
    oldest, _ = source.bars(0, "1m", *span, 10, False)
    newest, _ = source.bars(0, "1m", *span, 10, True)
    assert oldest.tolist() == list(range(START, START + 10 * MINUTE, MINUTE))
    assert newest.tolist() == list(range(START + 90 * MINUTE, START + 100 * MINUTE, MINUTE))
    inside, _ = source.bars(0, "5m", START + 1, START + 600_001, 10, False)
    assert inside.tolist() == [START + 300_000, START + 600_000]
    assert source.bars(0, "1w", 0, START, 5_000, True)[0][0] == MARKET_START
    assert source.bars(0, "1m", START, START, 10, True)[0].size == 0


def test_forming_bar_ends_as_the_closed_one(source) -> None:
    rows = np.arange(3)
    np.testing.assert_array_equal(
        source.forming(rows, START, START + MINUTE - 1), source.base_bars(START)
    )
    early = source.forming(rows, START, START + 20_000)
    assert (early[:, 4] < source.base_bars(START)[:, 4]).all()


def test_steps_fit_every_price(source) -> None:
    tick, lot = source.steps(0)
    bars = source.base_bars(START)[0]
    assert np.allclose(bars[:4] / tick, np.round(bars[:4] / tick), atol=1e-6)
    assert bars[4] / lot == round(bars[4] / lot)


def test_prints_and_funding_are_the_markets(source) -> None:
    assert len(source.trades(0, START)) > 3
    assert source.funding(0, 0, MARKET_START + 86_400_000)[0].source == "simulated"
