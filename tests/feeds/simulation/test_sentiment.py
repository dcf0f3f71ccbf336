import numpy as np
import pytest

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.sentiment import FUNDING_MS, fear_greed, funding
from opportunity.market.timeframe import DAY_MS

END = 1_735_689_600_000  # 2025-01-01
START = END - 1500 * DAY_MS
MARKET = SimulatedMarket(4)


def test_funding_every_eight_hours_known_at_settlement():
    found = funding(MARKET, "BTC/USDT", START, END)
    times = np.array([f.event_time for f in found])
    assert (np.diff(times) == FUNDING_MS).all()
    assert (times % FUNDING_MS == 0).all()
    assert all(f.available_at == f.event_time for f in found)
    assert times[0] >= START
    assert times[-1] < END


def test_funding_rates_look_like_recorded_ones():
    # BTC/USDT perpetual, 6,416 recorded settlements: 41 % exactly 0.0001, mean 0.00012,
    # deviation 0.00022, autocorrelation 0.79, 1st to 99th percentile -0.0002 to 0.0011
    rates = np.array([f.rate for f in funding(MARKET, "BTC/USDT", START, END)])
    assert 0.3 < (rates == 0.0001).mean() < 0.65
    assert 0 < rates.mean() < 0.0003
    assert 0.0001 < rates.std() < 0.0005
    assert np.corrcoef(rates[1:], rates[:-1])[0, 1] > 0.4
    assert np.abs(rates).max() <= 0.003


def test_funding_pieces_are_the_whole():
    whole = funding(MARKET, "ETH/USDT", START, START + 30 * DAY_MS)
    cut = START + 11 * DAY_MS + 1
    pieces = funding(MARKET, "ETH/USDT", START, cut)
    pieces += funding(MARKET, "ETH/USDT", cut, START + 30 * DAY_MS)
    assert pieces == whole
    assert funding(MARKET, "ETH/USDT", START + 1, START + 2) == []
    with pytest.raises(ValueError, match="symbol"):
        funding(MARKET, "NOPE/USDT", START, END)


def test_fear_and_greed_is_known_when_its_day_is_over():
    found = fear_greed(MARKET, START, END)
    assert len(found) == 1500
    assert all(f.available_at == f.event_time + DAY_MS for f in found)
    assert found[0].available_at >= START
    cut = START + 700 * DAY_MS + 5
    assert fear_greed(MARKET, START, cut) + fear_greed(MARKET, cut, END) == found
    assert fear_greed(MARKET, 0, 1_577_664_000_000) == []


def test_fear_and_greed_looks_like_the_recorded_index():
    # 2,721 recorded days: mean 47.5, deviation 21.8, autocorrelation 0.955, 7-day change 12.8
    values = np.array([f.value for f in fear_greed(MARKET, 0, END)], float)
    assert ((values >= 0) & (values <= 100)).all()
    assert 35 < values.mean() < 65
    assert 15 < values.std() < 28
    assert np.corrcoef(values[1:], values[:-1])[0, 1] > 0.92
    assert 8 < (values[7:] - values[:-7]).std() < 18
