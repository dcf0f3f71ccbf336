import pytest
from scripted_venue import GRACE, HOLD, MINUTE, START, SYMBOLS, bar, opens

from opportunity.feeds.exchange.finality.barrier import Barrier
from opportunity.feeds.exchange.finality.journal import Journal
from opportunity.feeds.exchange.finality.ledger import Evidence, Ledger
from opportunity.feeds.exchange.finality.outlet import Outlet
from opportunity.feeds.exchange.finality.timing import Timing

LATER = opens(60)


@pytest.fixture
def parts():
    journal, barrier = Journal(SYMBOLS[:2], "1m"), Barrier(2, HOLD)
    ledger = Ledger(2, Timing("1m", GRACE, HOLD), START, barrier, journal)
    return ledger, Outlet(ledger, barrier, journal, MINUTE), journal


def told(ledger, row, *minutes):
    for minute in minutes:
        ledger.rest(row, opens(minute), bar(100.0), LATER)


def test_nothing_has_left_at_the_start(parts):
    _, outlet, _ = parts
    assert outlet.take(LATER, set()) == []
    assert outlet.released.tolist() == [START - MINUTE] * 2
    assert outlet.settled.tolist() == [START] * 2


def test_each_batch_claims_only_what_has_left_with_it(parts):
    ledger, outlet, _ = parts
    told(ledger, 0, 0, 1)
    told(ledger, 1, 0, 1, 2)
    settled = [b.settled.tolist() for b in outlet.take(LATER, set())]
    assert settled == [[opens(1)] * 2, [opens(2)] * 2, [opens(2), opens(3)]]
    assert outlet.released.tolist() == [opens(1), opens(2)]


def test_an_empty_bar_settles_with_the_next_batch(parts):
    ledger, outlet, journal = parts
    for n in range(3):
        ledger.lack(0, START, opens(2), Evidence(LATER + n, -1, 2, False))
    assert outlet.settled.tolist() == [START] * 2
    told(ledger, 1, 0)
    (batch,) = outlet.take(LATER, set())
    assert batch.settled.tolist() == [opens(2), opens(1)]
    assert [n.kind for n in journal.drain()] == ["empty", "empty", "rest"]


def test_a_dropped_row_is_settled_by_now_unless_bars_wait(parts):
    ledger, outlet, _ = parts
    told(ledger, 0, 1, 0)
    told(ledger, 1, 0)
    first, second = outlet.take(LATER, {0})
    assert first.settled.tolist() == [opens(1), opens(1)]
    assert second.settled.tolist() == [LATER, opens(1)]


def test_late_bars_are_noted(parts):
    ledger, outlet, journal = parts
    told(ledger, 1, 0)
    outlet.take(LATER, set())
    told(ledger, 0, 0)
    (batch,) = outlet.take(LATER, set())
    assert batch.late.tolist() == [True]
    assert [(n.kind, n.symbol) for n in journal.drain()] == [
        ("rest", SYMBOLS[1]), ("rest", SYMBOLS[0]), ("late", SYMBOLS[0]),
    ]  # fmt: skip
