from collections import Counter
from itertools import pairwise

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.news import News
from opportunity.market.timeframe import DAY_MS, HOUR_MS

START = 1_735_689_600_000  # 2025-01-01
DAYS = 40
HEADLINES = News(SimulatedMarket(40)).between(START, START + DAYS * DAY_MS)


def test_about_twenty_four_a_day_known_after_they_happened():
    assert 18 < len(HEADLINES) / DAYS < 30
    delays = [h.available_at - h.event_time for h in HEADLINES]
    assert min(delays) >= 20_000
    assert max(delays) <= HOUR_MS
    known = [h.available_at for h in HEADLINES]
    assert known == sorted(known)
    assert all(START <= t < START + DAYS * DAY_MS for t in known)
    assert all(h.source == "simulated" and "{" not in h.title for h in HEADLINES)


def test_market_wide_and_named_headlines():
    named = Counter(h.symbols for h in HEADLINES)
    assert 0.2 < named[()] / len(HEADLINES) < 0.5
    assert named[("BTC/USDT",)] > named[("ETH/USDT",)] > 20
    assert len(named) > 20


def test_pieces_put_together_are_the_whole_in_any_order():
    news = News(SimulatedMarket(40))
    cuts = [START + i * 7 * HOUR_MS for i in range(12)]
    pieces = [news.between(a, b) for a, b in pairwise(cuts)][::-1]
    whole = [h for h in HEADLINES if h.available_at < cuts[-1]]
    assert [h for piece in pieces[::-1] for h in piece] == whole


def test_a_smaller_universe_gets_the_same_news_of_its_coins():
    found = News(SimulatedMarket(["ETH/USDT"])).between(START, START + 5 * DAY_MS)
    expected = [
        h for h in HEADLINES
        if h.available_at < START + 5 * DAY_MS and h.symbols in ((), ("ETH/USDT",))
    ]
    assert found == expected


def test_the_first_days_have_news_too():
    market = SimulatedMarket(2)
    first = News(market).between(0, 1_577_664_000_000 + 3 * DAY_MS)
    assert first
