import numpy as np
from builders import HOUR, START, random_bars

from opportunity.backtest.batches import batches_of, known_in
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms


def hourly(symbol: str, places) -> Bars:
    places = np.asarray(places)
    values = random_bars(40).values[: places.size]
    return Bars(START + HOUR * places, values, "1h", symbol, "simulated")


def test_bars_that_close_together_are_one_batch_by_symbol() -> None:
    made = batches_of([hourly("A", [0, 1, 3]), hourly("B", [1, 2, 3, 4])], "1h")
    assert (made.opened - START).tolist() == [HOUR * i for i in range(5)]
    np.testing.assert_array_equal(made.time, made.opened + HOUR)
    assert made.first.tolist() == [0, 1, 3, 4, 6, 7]
    assert made.symbol.tolist() == [0, 0, 1, 1, 0, 1, 1]
    assert (len(made), made.n_rows) == (5, 7)
    np.testing.assert_array_equal(made.values[made.symbol == 1], hourly("B", [1, 2, 3, 4]).values)


def test_bars_of_one_symbol_are_not_copied() -> None:
    bars = hourly("A", [0, 1, 5])
    made = batches_of([bars], "1h")
    assert made.values is bars.values
    assert made.first.tolist() == [0, 1, 2, 3]
    both = batches_of([bars, bars[:0].label(symbol="B")], "1h")
    for name in ("time", "opened", "first", "symbol", "open_time", "values"):
        np.testing.assert_array_equal(getattr(made, name), getattr(both, name), name)


def test_since_and_split_give_back_what_is_in_them() -> None:
    given = [hourly("A", [0, 1, 3]), hourly("B", [1, 2, 3, 4])]
    made = batches_of(given, "1h")
    for bars, again in zip(given, made.split(("A", "B"), "1h", "simulated"), strict=True):
        np.testing.assert_array_equal(bars.time, again.time)
        np.testing.assert_array_equal(bars.values, again.values)
    later = made.since(2)
    assert (later.time - START).tolist() == [3 * HOUR, 4 * HOUR, 5 * HOUR]
    assert later.first.tolist() == [0, 1, 3, 4]


def test_a_longer_bar_is_known_with_its_last_base_bar() -> None:
    bars = hourly("A", range(12))
    batches = batches_of([bars], "1h")
    first = START // length_ms("4h") * length_ms("4h")
    known = known_in(batches, first + 4 * HOUR * np.arange(1, 3), 4 * HOUR, bars.time)
    lasts = first + 4 * HOUR * np.arange(2, 4) - HOUR
    np.testing.assert_array_equal(batches.opened[known], lasts)


def test_without_its_last_base_bar_it_is_known_when_another_opens_at_its_close() -> None:
    base = START // length_ms("4h") * length_ms("4h")
    torn = Bars(base + HOUR * np.array([0, 1, 2, 9]), random_bars(4).values, "1h", "A")
    whole = Bars(base + HOUR * np.arange(10), random_bars(10).values, "1h", "B")
    at = np.array([base])
    alone = batches_of([torn], "1h")
    assert alone.opened[known_in(alone, at, 4 * HOUR, torn.time)] == base + 9 * HOUR
    both = batches_of([torn, whole], "1h")
    assert both.opened[known_in(both, at, 4 * HOUR, torn.time)] == base + 4 * HOUR
    short = batches_of([torn[:3], whole[:4]], "1h")
    assert known_in(short, at, 4 * HOUR, torn.time[:3]) == len(short)  # nobody tells of it
