import numpy as np
import pytest

from opportunity.detectors.news_book import (
    COLUMNS,
    EVERY,
    FIRST_PIN,
    ITEMS,
    LIVES,
    N_PINS,
    PIN_WIDTH,
    Book,
    empty_rows,
)
from opportunity.market.timeframe import HOUR_MS

HALF = 6 * HOUR_MS
GRID = 32 * HALF  # where the grid of the stored weights turns
T0 = 1_700_000_000_000 // GRID * GRID


def add(book: Book, born: int, strength: float, row: int = 0, serial: int = 1, **fields) -> None:
    known = fields.pop("known", born)
    named = {"repeat": False, "tone": strength, "impact": 0.6, "quality": abs(strength), **fields}
    book.add(known, row, born, strength, serial=serial, **named)


def row(book: Book, closed: int, symbol: int = 0, length: int = HOUR_MS) -> np.ndarray:
    out = empty_rows(np.ones(1, np.bool_))
    one = np.array([closed])
    book.write(out, np.ones(1, np.bool_), np.array([symbol]), one - length, one)
    return out[0]


def test_columns_are_sums_and_then_pins():
    assert COLUMNS[:FIRST_PIN] == ("balance", "strength", "items")
    assert len(COLUMNS) == FIRST_PIN + N_PINS * PIN_WIDTH
    assert COLUMNS[FIRST_PIN] == "pin_serial_0"


def test_rows_without_news_are_zero_or_missing():
    alive, dead = empty_rows(np.array([True, False]))
    assert (alive[:FIRST_PIN] == 0).all()
    assert np.isnan(alive[FIRST_PIN:]).all()
    assert np.isnan(dead).all()


def test_dead_rows_are_not_written():
    book = Book(HALF)
    add(book, T0, 1.0)
    out = empty_rows(np.array([False]))
    book.write(out, np.array([False]), np.array([0]), np.array([T0 - 1]), np.array([T0]))
    assert np.isnan(out).all()


@pytest.mark.parametrize("born", [T0 - 1, T0, T0 + 1, T0 - 3 * HALF, T0 + GRID - HALF])
def test_decay_runs_on_where_the_grid_turns(born):
    book = Book(HALF)
    add(book, born, -0.5)
    for halves in (0, 0.5, 1, 2, 3.5):
        seen = row(book, born + int(halves * HALF))
        assert seen[:ITEMS] == pytest.approx([-0.5 * 2.0**-halves, 0.5 * 2.0**-halves], rel=1e-13)
    assert (row(book, born + LIVES * HALF)[:FIRST_PIN] == 0).all()


def test_entries_count_for_their_symbol_or_for_every_one():
    book = Book(HALF)
    add(book, T0, 0.5, row=1)
    add(book, T0, 0.25, row=EVERY)
    assert [row(book, T0, k)[0] for k in range(3)] == [0.25, 0.75, 0.25]
    assert [row(book, T0, k)[ITEMS] for k in range(3)] == [1, 2, 1]


def test_what_a_repeat_adds_decays_from_the_first_and_is_no_item():
    book = Book(HALF)
    add(book, T0, 0.4)
    add(book, T0, 0.1, known=T0 + HALF, repeat=True, quality=0.5)
    assert row(book, T0 + HALF - 1)[0] == pytest.approx(0.2, rel=1e-6)
    seen = row(book, T0 + HALF)
    assert seen[:FIRST_PIN].tolist() == [0.25, 0.25, 1]
    assert seen[FIRST_PIN:].tolist()[:4] == [1, 0.1, 5, 0.5]
    assert (row(book, T0 + LIVES * HALF)[:FIRST_PIN] == 0).all()


def test_pins_are_the_strongest_of_a_bar_whatever_their_order():
    qualities = [0.3, 0.9, 0.1, 0.9, 0.5]
    rng = np.random.default_rng(1)
    for _ in range(20):
        book = Book(HALF)
        for serial in rng.permutation(5).tolist():
            add(book, T0, qualities[serial], serial=serial)
        pins = row(book, T0)[FIRST_PIN:].reshape(N_PINS, PIN_WIDTH)
        assert pins[:, 0].tolist() == [1, 3]  # of equals the earlier
        assert pins[:, 3].tolist() == [0.9, 0.9]


@pytest.mark.parametrize(("impact", "what"), [(0.3, 0), (0.6, 1), (1.0, 2)])
def test_pin_says_how_much_it_matters(impact, what):
    book = Book(HALF)
    add(book, T0, 0.4, impact=impact)
    assert row(book, T0)[FIRST_PIN + 2] == what


def test_older_entries_change_nothing_bit_for_bit():
    rng = np.random.default_rng(2)
    born = np.sort(rng.integers(T0, T0 + 3 * GRID, 500))
    strength = rng.normal(0, 1, 500)
    whole, recent = Book(HALF), Book(HALF)
    closed = int(born[400])
    for t, p in zip(born.tolist(), strength.tolist(), strict=True):
        add(whole, t, p)
        if closed - 3 * LIVES * HALF < t <= closed:
            add(recent, t, p)
    np.testing.assert_array_equal(row(whole, closed), row(recent, closed))
    whole.forget(closed - 3 * LIVES * HALF)
    assert len(whole) < 500
    np.testing.assert_array_equal(row(whole, closed), row(recent, closed))
