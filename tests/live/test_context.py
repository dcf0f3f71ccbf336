import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.live.context import HEADLINES_MS, Context, context_of
from opportunity.live.observers import Observers
from opportunity.market.observations import FearGreed, Headline, Trades
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

NOW = 30 * DAY_MS + 5 * HOUR_MS + 20 * MINUTE_MS
SYMBOLS = ("BTC/USDT", "ETH/USDT")


def _observers(*records) -> Observers:
    observers = Observers([d() for d in DETECTORS], SYMBOLS)
    observers.take(sorted(records, key=lambda r: getattr(r, "available_at", 0)))
    return observers


def _headline(at: int, title: str) -> Headline:
    return Headline(at, at, "test", title, "")


def test_nothing_to_read_is_nothing_known() -> None:
    found = context_of(_observers(), "BTC/USDT", "recorded", NOW, 5)
    assert found.headlines == ()
    assert found.mood == ""
    assert np.isnan([found.fear_greed, found.bought, found.vpin]).all()


@pytest.mark.parametrize(
    ("value", "mood"),
    [(0, "extreme fear"), (24, "extreme fear"), (25, "fear"), (50, "neutral"), (55, "greed"),
     (76, "extreme greed"), (100, "extreme greed")],
)  # fmt: skip
def test_mood_has_a_class(value: float, mood: str) -> None:
    assert Context("BTC/USDT", "x", 0, fear_greed=value).mood == mood


def test_headlines_are_those_of_the_symbol_newest_first_and_none_of_the_future() -> None:
    observers = _observers(
        _headline(NOW - HEADLINES_MS - 1, "Bitcoin is old news"),
        _headline(NOW - HOUR_MS, "Bitcoin surges on record inflows"),
        _headline(NOW - MINUTE_MS, "Ethereum upgrade delayed"),
        _headline(NOW, "Bitcoin miners sell"),
        _headline(NOW + 1, "Bitcoin tomorrow"),
    )
    titles = [h.title for h in context_of(observers, "BTC/USDT", "x", NOW, 5).headlines]
    assert titles == ["Bitcoin miners sell", "Bitcoin surges on record inflows"]
    assert len(context_of(observers, "BTC/USDT", "x", NOW, 1).headlines) == 1
    assert context_of(observers, "BTC/USDT", "x", NOW, 0).headlines == ()


def test_mood_and_flow_are_as_of_now() -> None:
    day = NOW // DAY_MS * DAY_MS
    times = np.array([NOW - 2 * DAY_MS, NOW - 3 * HOUR_MS, NOW - 2 * HOUR_MS, NOW + MINUTE_MS])
    prints = Trades(
        "x", "BTC/USDT", times, np.full(4, 100.0), np.array([9.0, 2.0, 1.0, 50.0]),
        np.array([1, 1, -1, 1], np.int8),
    )
    observers = _observers(FearGreed(day - DAY_MS, day, "x", 71), prints)
    found = context_of(observers, "BTC/USDT", "x", NOW, 5)
    assert (found.fear_greed, found.mood) == (71.0, "greed")
    assert (found.bought, found.sold) == (2.0, 1.0)
    assert np.isnan(context_of(observers, "ETH/USDT", "x", NOW, 5).bought)
