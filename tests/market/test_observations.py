import numpy as np

from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    OrderBook,
    Trade,
    Trades,
    by_availability,
)


def test_trades_iterate_as_records():
    trades = Trades("x", "BTC/USDT", np.array([5, 6]), np.array([1.5, 2.5]), np.array([3.0, 4.0]),
                    np.array([1, -1], np.int8))
    assert len(trades) == 2
    assert list(trades) == [
        Trade(5, 5, "x", "BTC/USDT", 1.5, 3.0, "buy"),
        Trade(6, 6, "x", "BTC/USDT", 2.5, 4.0, "sell"),
    ]


def test_by_availability_sorts_by_when_it_was_known():
    late = Headline(1, 30, "x", "late", "p")
    early = Headline(2, 10, "x", "early", "p")
    assert by_availability([late, early]) == [early, late]


def test_every_record_says_when_it_was_known_and_from_where():
    book = OrderBook(7, 8, "x", "BTC/USDT", ((9.0, 1.0),), ((11.0, 2.0),))
    assert book.mid == 10.0
    records = (book, Headline(7, 8, "x", "t", "p", ("BTC/USDT",)), FearGreed(7, 8, "x", 50),
               Funding(7, 8, "x", "BTC/USDT", 0.0001), Trade(7, 8, "x", "A/B", 1.0, 1.0, "buy"))
    for record in records:
        assert (record.event_time, record.available_at, record.source) == (7, 8, "x")
