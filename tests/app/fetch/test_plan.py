from types import SimpleNamespace

import pytest

from app.fetch.plan import checked_span, make_plan
from opportunity.feeds.exchange.history.reports import Stream

DAY = 86_400_000
NOW = 20_000 * DAY


def venue(*timeframes):
    return SimpleNamespace(name="kraken", timeframes=timeframes)


def markets(*names):
    return {n: SimpleNamespace(symbol=n, base=n.partition("/")[0], quote=n.partition("/")[2],
                               active=True) for n in names}


def test_each_stream_once_longest_first():
    plan = make_plan(
        venue("1m", "1h", "1d"), markets("BTC/USD", "ETH/USD"),
        ["BTC/USD", "ETH/USD", "BTC/USD"], ["1m", "4h", "1h", "2h"],
    )
    assert plan.streams == [
        Stream("BTC/USD", "1h"), Stream("ETH/USD", "1h"),
        Stream("BTC/USD", "1m"), Stream("ETH/USD", "1m"),
    ]
    assert plan.notes == [
        "kraken has no 4h bars: they are made of 1h", "kraken has no 2h bars: they are made of 1h",
    ]
    assert list(plan.sizes((NOW - DAY, NOW)).values()) == [24, 24, 1_440, 1_440]


def test_wrong_symbol_gets_a_near_name_and_costs_only_itself():
    plan = make_plan(
        venue("1h"), markets("BTC/USD", "BTC/EUR", "ETH/USD"), ["BTC/USDT", "ETH/USD", "ETHH/USD"],
        ["1h"],
    )
    assert plan.streams == [Stream("ETH/USD", "1h")]
    assert "Did you mean 'BTC/USD'?" in plan.errors["BTC/USDT"]
    assert "Did you mean 'ETH/USD'?" in plan.errors["ETHH/USD"]


def test_timeframe_that_nothing_makes():
    with pytest.raises(ValueError, match="timeframe must be one that kraken has"):
        make_plan(venue("1h"), markets("BTC/USD"), ["BTC/USD"], ["5m"])


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (20_240_101, None, "since must lie between 2009 and now"),
        (NOW, None, "since must lie between 2009 and now"),
        (NOW - DAY, NOW - DAY, "until must be later than since, was 2024-10-03"),
        (NOW - DAY, NOW - 2 * DAY, "until must be later than since"),
    ],
)
def test_dates_that_make_no_sense(since, until, words):
    with pytest.raises(ValueError, match=words):
        checked_span(since, until, NOW)


def test_future_end_means_now():
    assert checked_span(NOW - DAY, None, NOW) == (NOW - DAY, NOW)
    assert checked_span(NOW - DAY, NOW + DAY, NOW) == (NOW - DAY, NOW)
    assert checked_span(NOW - DAY, NOW - 1, NOW) == (NOW - DAY, NOW - 1)
