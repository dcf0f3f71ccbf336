import numpy as np
import pytest

from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.records import HEARTBEAT_MS, ContextRecords
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    Trades,
    by_availability,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

END = 1_735_689_600_000  # 2025-01-01
KINDS = (Headline, Heartbeat, FearGreed, Funding, Trades)
CONTEXT = Context(SimulatedMarket(3))
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def records() -> ContextRecords:
    return ContextRecords(CONTEXT, SYMBOLS)


def joined(blocks, symbol: str) -> np.ndarray:
    parts = [b for b in blocks if isinstance(b, Trades) and b.symbol == symbol]
    return np.concatenate([np.stack([b.time, b.price, b.amount, b.side]) for b in parts], axis=1)


def test_records_come_in_the_order_of_their_availability_within_the_span():
    found = records().between(KINDS, END - 3 * DAY_MS, END)
    assert {type(r) for r in found} == set(KINDS)
    assert found == by_availability(found)
    single = [r for r in found if not isinstance(r, Trades)]
    assert all(END - 3 * DAY_MS <= r.available_at < END for r in single)
    assert sum(isinstance(r, Funding) for r in found) == 9 * len(SYMBOLS)
    assert sum(isinstance(r, FearGreed) for r in found) == 3
    assert sum(isinstance(r, Heartbeat) for r in found) == 3 * DAY_MS // HEARTBEAT_MS


def test_only_the_kinds_that_are_asked_for_come():
    found = records().between((Funding,), END - DAY_MS, END)
    assert {type(r) for r in found} == {Funding}
    assert records().between((), END - DAY_MS, END) == []


@pytest.mark.parametrize("step", [7_777, 250_000, MINUTE_MS])
def test_prints_read_bit_by_bit_are_those_of_the_whole_span(step):
    live, start = records(), END - 40 * MINUTE_MS
    blocks = [
        b for t in range(start, END, step) for b in live.between((Trades,), t, min(END, t + step))
    ]
    whole = records().between((Trades,), start, END)
    for symbol in SYMBOLS:
        np.testing.assert_array_equal(joined(blocks, symbol), joined(whole, symbol))
        expected = CONTEXT.trades(symbol, start, END)
        np.testing.assert_array_equal(joined(whole, symbol)[0], expected.time)


def test_long_spans_come_by_the_day():
    blocks = records().between((Trades,), END - 30 * HOUR_MS, END)
    assert len(blocks) == 2 * len(SYMBOLS)
    assert all(b.time[-1] - b.time[0] < DAY_MS for b in blocks)


def test_nothing_is_known_before_the_market_began():
    found = records().between(KINDS, 0, MARKET_START + HOUR_MS)
    assert all(not isinstance(r, Trades) or r.time[0] >= MARKET_START for r in found)
    assert records().between(KINDS, END, END) == []
