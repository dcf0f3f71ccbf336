import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_venue import MINUTE, START, bar, opens

from opportunity.feeds.exchange.finality.recent import (
    DIFFERS,
    EMPTY,
    HELD,
    REST,
    REVISED,
    SIZE,
    STREAM,
    WINDOW,
    Recent,
)


@pytest.fixture
def recent():
    return Recent(2, MINUTE)


def test_a_bar_is_kept_as_it_is(recent):
    recent.put(1, START, bar(100.0), STREAM, 7)
    assert recent.marks(1, START) == STREAM
    assert recent.values(1, START) == bar(100.0)
    assert recent.asked(1, START) == 7
    assert recent.marks(0, START) == 0
    assert recent.marks(1, opens(1)) == 0


@given(st.dictionaries(st.integers(0, SIZE - 1), st.floats(0.1, 1e9), max_size=40))
def test_bars_within_the_ring_do_not_disturb_each_other(prices):
    recent = Recent(1, MINUTE)
    for minute, price in prices.items():
        recent.put(0, opens(minute), bar(price), REST)
    for minute in range(SIZE):
        assert recent.marks(0, opens(minute)) == (REST if minute in prices else 0)
        if minute in prices:
            assert recent.values(0, opens(minute)) == bar(prices[minute])


def test_the_ring_forgets_what_is_older(recent):
    recent.put(0, START, bar(1.0), STREAM)
    recent.put(0, opens(SIZE), bar(2.0), REST)
    assert recent.marks(0, START) == 0
    assert recent.values(0, opens(SIZE)) == bar(2.0)


def test_marks_are_added_and_cleared(recent):
    recent.put(0, START, bar(1.0), STREAM)
    recent.mark(0, START, HELD | DIFFERS)
    assert recent.marks(0, START) == STREAM | HELD | DIFFERS
    recent.told(0, START, 99)
    assert recent.marks(0, START) == STREAM | REST | DIFFERS
    assert recent.asked(0, START) == 99


def test_revisions_are_counted(recent):
    recent.put(0, START, bar(1.0), STREAM)
    assert [recent.revise(0, START, bar(p)) for p in (2.0, 3.0)] == [1, 2]
    assert recent.values(0, START) == bar(3.0)


def test_lacking_is_counted_for_each_bar_anew(recent):
    assert [recent.lack(0, START, w) for w in (2, 1, 2)] == [2, 3, 5]
    assert recent.marks(0, START) == 0
    assert recent.lack(0, opens(SIZE), 2) == 2
    recent.put(0, START, bar(1.0), REST)
    assert recent.lack(0, START, 2) == 2


def test_forgetting_starts_at_a_time(recent):
    for minute in range(4):
        recent.put(0, opens(minute), bar(1.0), STREAM)
    recent.forget(0, opens(2))
    assert [recent.marks(0, opens(m)) for m in range(4)] == [STREAM, STREAM, 0, 0]


def test_closes_come_in_order_and_without_empty_bars(recent):
    for minute in (5, 3, 4, 1):
        recent.put(0, opens(minute), bar(float(minute)), STREAM)
    recent.empty(0, opens(2), 0)
    expected = [bar(float(m))[3] for m in (1, 3, 4)]
    assert recent.closes(0, opens(5)).tolist() == expected
    assert recent.closes(1, opens(5)).tolist() == []


def test_shares_look_at_the_last_hundred(recent):
    for minute in range(150):
        if minute % 10:
            recent.put(0, opens(minute), bar(1.0), STREAM | REST if minute % 2 else STREAM)
    recent.empty(0, opens(140), 0)
    recent.mark(0, opens(141), DIFFERS | REVISED)
    recent.mark(0, opens(3), DIFFERS | REVISED)  # too old to count
    shares = recent.shares(opens(149), np.array([START, opens(130)]))
    assert WINDOW == 100
    assert shares.missing.tolist() == [pytest.approx(0.09), pytest.approx(0.2)]
    assert shares.mismatch.tolist() == [pytest.approx(1 / 50), 0.0]
    assert shares.revised.tolist() == [pytest.approx(0.01), 0.0]
    assert recent.marks(0, opens(140)) == EMPTY


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 600), st.integers(0, 3)), max_size=60))
def test_shares_look_at_what_is_kept(acts) -> None:
    recent = Recent(2, 60_000)
    for row, n, act in acts:
        time = n * 60_000
        if act == 0:
            recent.forget(row, time)
        elif act == 1 and recent.marks(row, time):
            recent.mark(row, time, DIFFERS, STREAM)
        elif act == 2:
            recent.lack(row, time, 1)
        else:
            recent.put(row, time, (1.0, 1.0, 1.0, 1.0, 1.0), STREAM)
    newest = 600 * 60_000
    opens = [newest - i * 60_000 for i in range(WINDOW)]
    shares = recent.shares(newest, np.zeros(2, np.int64))
    for row in (0, 1):
        marks = [recent.marks(row, t) for t in opens]
        assert shares.missing[row] == pytest.approx(sum(m == 0 for m in marks) / WINDOW)
