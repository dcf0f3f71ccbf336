import numpy as np
import pytest

from opportunity.detectors import DETECTORS
from opportunity.live.observers import Observers
from opportunity.live.surroundings import FLOW, N_HOURS, SPAN_MS, Told, surroundings_of
from opportunity.market.observations import Headline, Trades
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

NOW = 30 * DAY_MS + 5 * HOUR_MS + 22 * MINUTE_MS
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def _observers(*records) -> Observers:
    observers = Observers([d() for d in DETECTORS], SYMBOLS)
    observers.take(sorted(records, key=lambda r: getattr(r, "available_at", 0)))
    return observers


def _prints(symbol: str, start: int, amounts, sides, price: float = 10.0) -> Trades:
    n = len(amounts)
    return Trades(
        "test", symbol, start + 1_000 * np.arange(n, dtype=np.int64), np.full(n, price),
        np.array(amounts, float), np.array(sides, np.int8),
    )  # fmt: skip


def test_nothing_known_is_told_as_such() -> None:
    found = surroundings_of(_observers(), "recorded", NOW)
    assert found.symbols == SYMBOLS
    assert (found.headlines, found.prints, found.moods, found.problem) == ((), (), (), "")
    assert found.flow.shape == (3, N_HOURS, len(FLOW))
    assert np.isnan(found.flow).all()
    assert found.hours[-1] == NOW - NOW % HOUR_MS
    assert (np.diff(found.hours) == HOUR_MS).all()


def test_a_headline_is_told_once_with_all_that_it_names() -> None:
    at = NOW - HOUR_MS
    found = surroundings_of(
        _observers(
            Headline(at, at, "test", "Bitcoin and Ethereum rally", "Desk"),
            Headline(at + 1, at + 1, "test", "Crypto market falls on fear", "Desk"),
            Headline(NOW + 1, NOW + 1, "test", "Bitcoin of tomorrow", "Desk"),
        ),
        "recorded", NOW,
    )  # fmt: skip
    market, named = found.headlines
    assert isinstance(market, Told)
    assert (market.item.title, market.symbols) == ("Crypto market falls on fear", ())
    assert named.symbols == ("BTC/USDT", "ETH/USDT")
    assert all(one.headlines == () for one in found.contexts)


def test_flow_is_by_hour_and_the_largest_print_of_a_span_is_listed() -> None:
    start = NOW - 2 * HOUR_MS - NOW % SPAN_MS
    found = surroundings_of(
        _observers(
            _prints("BTC/USDT", start, [1.0, 5.0, 2.0], [1, -1, 1]),
            _prints("ETH/USDT", start + SPAN_MS, [700.0], [1]),
        ),
        "recorded", NOW,
    )  # fmt: skip
    bought, sold = FLOW.index("buy"), FLOW.index("sell")
    assert np.nansum(found.flow[0, :, bought]) == pytest.approx(3.0)
    assert np.nansum(found.flow[0, :, sold]) == pytest.approx(5.0)
    hour = int((start - found.hours[0]) // HOUR_MS)
    assert found.flow[0, hour, sold] == pytest.approx(5.0)
    one, other = found.prints
    assert (one.symbol, one.amount, one.value) == ("ETH/USDT", 700.0, 7_000.0)
    assert (other.symbol, other.amount, other.value) == ("BTC/USDT", -5.0, 50.0)
    assert (other.opened, other.closed) == (start, start + SPAN_MS)


def test_spans_do_not_move_with_the_minute() -> None:
    start = NOW - HOUR_MS
    observers = _observers(_prints("BTC/USDT", start, [5.0], [1]))
    first = surroundings_of(observers, "x", NOW).prints
    later = surroundings_of(observers, "x", NOW + 2 * MINUTE_MS).prints
    assert first == later
    assert first[0].opened % SPAN_MS == 0
