import pytest
from scripted_venue import GRACE, HOLD, MINUTE, START, SYMBOLS, bar, opens

from opportunity.feeds.exchange.finality.barrier import Barrier
from opportunity.feeds.exchange.finality.gaps import (
    LONGEST_FAILURE_MS,
    LONGEST_WAIT_MS,
    OVERLAP,
    Gaps,
)
from opportunity.feeds.exchange.finality.journal import Journal
from opportunity.feeds.exchange.finality.ledger import Ledger
from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.feeds.exchange.records import Want

FIRST_ASK = opens(1) + GRACE


class Plan:
    """Gaps of three rows, with history up to the start, and the ledger they read."""

    def __init__(self, n=3):
        timing = Timing("1m", GRACE, HOLD)
        journal = Journal(SYMBOLS * n, "1m")
        self.ledger = Ledger(n, timing, START, Barrier(n, HOLD), journal)
        for row in range(n):
            self.ledger.remember(row, opens(-1), bar(100.0))
        self.gaps = Gaps(self.ledger, timing, n)

    def wanted(self, now):
        return {want.row: want for want in self.gaps.wanted(now)}

    def stream(self, row, minute):
        self.ledger.stream(row, opens(minute), bar(100.0), opens(minute + 1))
        self.gaps.progress(row)
        self.gaps.plan(row)


@pytest.fixture
def plan():
    return Plan()


def test_a_missing_close_is_wanted_after_the_grace(plan):
    plan.stream(1, 0)
    assert plan.wanted(FIRST_ASK - 1) == {}
    assert plan.gaps.next_at() == FIRST_ASK
    expected = {row: Want(row, opens(-1), opens(1)) for row in (0, 2)}
    assert plan.wanted(FIRST_ASK) == expected
    assert plan.wanted(FIRST_ASK + 1) == {}  # in flight


def test_one_range_covers_everything_that_is_missing(plan):
    plan.stream(0, 5)
    assert plan.wanted(opens(8) + GRACE)[0] == Want(0, opens(-1), opens(8))


def test_a_range_is_cut(plan):
    want = plan.wanted(opens(5_000))[0]
    assert want == Want(0, opens(-1), opens(999))


def test_without_a_known_bar_nearby_a_range_starts_at_the_hole(plan):
    plan.ledger.recent.forget(0, 0)
    assert plan.wanted(FIRST_ASK)[0] == Want(0, START, opens(1))


def test_the_budget_holds_and_the_rest_gets_its_turn(plan):
    plan.gaps.budget = 2
    first = plan.wanted(FIRST_ASK)
    assert len(first) == 2
    assert plan.wanted(FIRST_ASK) == {}
    assert plan.gaps.next_at() > FIRST_ASK
    plan.gaps.landed(next(iter(first.values())))
    assert plan.gaps.next_at() == FIRST_ASK
    assert list(plan.wanted(FIRST_ASK)) == [2]


def test_failures_wait_longer_up_to_a_minute(plan):
    plan = Plan(1)
    now, waits = FIRST_ASK, []
    for _ in range(9):
        (want,) = plan.gaps.wanted(now)
        plan.gaps.failed(want, now)
        waits.append(plan.gaps.next_at() - now)
        assert plan.gaps.wanted(now + waits[-1] - 1) == []
        now += waits[-1]
    assert waits[:5] == [GRACE * 2**n for n in range(5)]
    assert waits[-1] == LONGEST_FAILURE_MS == MINUTE


def test_a_row_asked_for_in_vain_waits_up_to_five_minutes():
    plan = Plan(1)
    now, waits = FIRST_ASK, []
    for n in range(12):
        (want,) = plan.gaps.wanted(now)
        assert plan.gaps.in_vain(0) == n
        plan.gaps.landed(want)
        plan.gaps.answered(want, now, brought=False, lacking=True)
        waits.append(plan.gaps.next_at() - now)
        now += waits[-1]
    assert waits[:3] == [GRACE, 2 * GRACE, 4 * GRACE]
    assert waits[-1] == LONGEST_WAIT_MS == 5 * MINUTE
    plan.stream(0, 20)  # the symbol is alive, and there is a hole before its bar
    assert plan.gaps.next_at() == FIRST_ASK


def test_a_failing_venue_is_not_hurried_by_the_stream():
    plan = Plan(1)
    (want,) = plan.gaps.wanted(FIRST_ASK)
    plan.gaps.failed(want, FIRST_ASK)
    plan.stream(0, 2)
    assert plan.gaps.wanted(FIRST_ASK + GRACE - 1) == []
    assert len(plan.gaps.wanted(FIRST_ASK + GRACE)) == 1


def test_bars_brought_are_followed_by_the_next_question_at_once():
    plan = Plan(1)
    now = opens(1_500)
    (want,) = plan.gaps.wanted(now)
    for minute in range(999):
        plan.ledger.rest(0, opens(minute), bar(100.0), now)
    plan.gaps.landed(want)
    plan.gaps.answered(want, now, brought=True, lacking=False)
    assert plan.gaps.wanted(now) == [Want(0, opens(998), opens(1_499))]


def test_a_connection_is_followed_by_an_audit(plan):
    for minute in range(10):
        plan.stream(1, minute)
    now = opens(10) + 30_000
    plan.gaps.connected(1, now)
    want = plan.wanted(now)[1]
    assert want == Want(1, opens(9 - OVERLAP), opens(10))
    plan.gaps.landed(want)
    plan.gaps.answered(want, now, brought=False, lacking=False)
    assert 1 not in plan.wanted(now)


def test_an_answer_from_before_the_connection_is_no_audit(plan):
    (want, *_) = plan.gaps.wanted(FIRST_ASK)
    plan.gaps.connected(want.row, FIRST_ASK + 500)
    plan.gaps.landed(want)
    plan.gaps.answered(want, FIRST_ASK, brought=True, lacking=False)
    assert want.row in plan.wanted(FIRST_ASK + 500)


def test_a_connection_ends_the_wait_after_failures():
    plan = Plan(1)
    for n in range(6):
        (want,) = plan.gaps.wanted(FIRST_ASK + n * MINUTE)
        plan.gaps.failed(want, FIRST_ASK + n * MINUTE)
    now = FIRST_ASK + 5 * MINUTE + 1_000
    assert plan.gaps.wanted(now) == []
    plan.gaps.connected(0, now)
    assert len(plan.gaps.wanted(now)) == 1


def test_a_claim_is_asked_for(plan):
    for minute in range(10):
        plan.stream(0, minute)
    plan.ledger.stream(0, opens(4), bar(100.5), opens(11))
    plan.gaps.plan(0)
    assert plan.wanted(opens(10) + 30_000)[0] == Want(0, opens(4), opens(10))


def test_dropped_rows_want_nothing(plan):
    plan.gaps.connected(0, FIRST_ASK)
    plan.gaps.drop(0)
    assert list(plan.wanted(FIRST_ASK)) == [1, 2]
    plan.gaps.connected(1, FIRST_ASK)
    plan.gaps.restore(0)
    assert list(plan.wanted(FIRST_ASK)) == [0]


def test_a_question_whose_answer_is_lost_is_asked_again():
    plan = Plan(1)
    (want,) = plan.gaps.wanted(FIRST_ASK)
    later = FIRST_ASK + 10 * MINUTE
    assert plan.gaps.next_at() <= later
    assert plan.gaps.wanted(later - 1) == []
    plan.gaps.wanted(later)
    (again,) = plan.gaps.wanted(later + MINUTE)
    assert again.since == want.since
    plan.gaps.landed(want)  # the first answer after all: the second question stays in flight
    assert plan.gaps.wanted(later + 2 * MINUTE) == []


def test_the_heap_does_not_grow(plan):
    for minute in range(3_000):
        for row in range(3):
            plan.stream(row, minute)
            if minute % 7 == 0:
                plan.gaps.connected(row, opens(minute + 1))
        for want in plan.wanted(opens(minute + 1) + 500).values():
            plan.gaps.landed(want)
            plan.gaps.answered(want, opens(minute + 1) + 500, brought=False, lacking=False)
    assert len(plan.gaps._heap) <= 6
    assert not plan.gaps._flights
