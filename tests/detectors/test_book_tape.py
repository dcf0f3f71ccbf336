from dataclasses import replace

import numpy as np
import pytest

from opportunity.detectors.book_tape import BookTape
from opportunity.market.observations import OrderBook

MINUTE_MS, DAY_MS = 60_000, 86_400_000
START = 1_600_000_000_000 // DAY_MS * DAY_MS


def book(at, bid=10.0, ask=10.0, known=None):
    return OrderBook(
        at, at if known is None else known, "x", "A/B", ((99.0, bid), (98.0, 5.0)),
        ((100.0, ask), (101.0, 5.0)),
    )  # fmt: skip


def row(tape, opened, closed):
    rows = np.full((1, 4), np.nan)
    tape.fill(np.array([opened]), np.array([closed]), np.array([0]), 1, rows)
    assert np.isnan(rows[0, 0])
    return rows[0, 1:]


def test_books_are_read_from_when_they_were_known():
    tape = BookTape()
    for i in range(10):
        tape.take(book(START + i * 6_000, 20.0 + i, known=START + MINUTE_MS + i * 6_000))
    assert np.isnan(row(tape, START, START + MINUTE_MS)).all()
    found = row(tape, START + MINUTE_MS, START + 2 * MINUTE_MS)
    assert found[0] > 0
    assert found[2] > 0


def test_the_newest_once_more_and_one_sided_books_are_passed_over():
    tape, once = BookTape(), BookTape()
    for i in range(10):
        for one in (tape, once):
            one.take(book(START + i * 1000, 20.0 + i))
        tape.take(book(START + i * 1000, 20.0 + i))
        tape.take(replace(book(START + i * 1000), bids=()))
    span = START, START + MINUTE_MS
    np.testing.assert_array_equal(row(tape, *span), row(once, *span))


def test_older_books_are_refused():
    tape = BookTape()
    tape.take(book(START + 1000))
    with pytest.raises(ValueError, match=f"must be >= {START + 1000}, was {START + 999}"):
        tape.take(book(START + 999))


def test_forgetting_bounds_memory_and_changes_no_later_row():
    tape, kept = BookTape(), BookTape()
    rng = np.random.default_rng(1)
    for i in range(4 * 1440):
        made = book(START + i * MINUTE_MS, float(rng.integers(1, 99)), float(rng.integers(1, 99)))
        tape.take(made)
        kept.take(made)
        if i % 60 == 0:
            tape.forget(START + i * MINUTE_MS)
    assert len(tape._minutes) <= 1440 + 121
    end = START + 4 * DAY_MS
    for length in (1, 15, 60, 1440, 3000):
        span = end - length * MINUTE_MS, end
        np.testing.assert_array_equal(row(tape, *span), row(kept, *span))


@pytest.mark.parametrize("level", [(99.0, -1.0), (0.0, 1.0), (float("nan"), 1.0),
                                   (99.0, float("nan")), (99.0, 1e300), (float("inf"), 1.0)])
def test_books_that_cannot_be_are_refused_and_leave_no_trace(level):
    tape, clean = BookTape(), BookTape()
    for i in range(10):
        for one in (tape, clean):
            one.take(book(START + i * 1000, 20.0 + i))
        with pytest.raises(ValueError, match="bids of A/B must have prices > 0"):
            tape.take(replace(book(START + i * 1000), bids=(level,)))
    span = START, START + MINUTE_MS
    np.testing.assert_array_equal(row(tape, *span), row(clean, *span))


def test_crossed_books_are_passed_over():
    tape, clean = BookTape(), BookTape()
    for i in range(10):
        for one in (tape, clean):
            one.take(book(START + i * 1000, 20.0 + i))
        tape.take(replace(book(START + i * 1000), bids=((120.0, 500.0),)))
    span = START, START + MINUTE_MS
    np.testing.assert_array_equal(row(tape, *span), row(clean, *span))
