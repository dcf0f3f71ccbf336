import pytest
from scripted_venue import GRACE, HOLD, MINUTE, START, SYMBOLS, bar, opens

from opportunity.feeds.exchange.finality.barrier import Barrier
from opportunity.feeds.exchange.finality.journal import Journal
from opportunity.feeds.exchange.finality.ledger import Evidence, Ledger
from opportunity.feeds.exchange.finality.recent import (
    DIFFERS,
    EMPTY,
    HELD,
    REACH,
    REST,
    REVISED,
    STREAM,
)
from opportunity.feeds.exchange.finality.timing import Timing

FAR = opens(10_000)


class Book:
    """A ledger of one row with the barrier and the journal behind it."""

    def __init__(self):
        timing = Timing("1m", GRACE, HOLD)
        self.barrier, self.journal = Barrier(1, HOLD), Journal(SYMBOLS[:1], "1m")
        self.ledger = Ledger(1, timing, START, self.barrier, self.journal)
        self.ledger.remember(0, opens(-1), bar(100.0))

    def stream(self, minute, price=100.0):
        return self.ledger.stream(0, opens(minute), bar(price), opens(minute + 1))

    def rest(self, minute, price=100.0, asked_at=FAR):
        return self.ledger.rest(0, opens(minute), bar(price), asked_at)

    def lack(self, since, until, asked_at=FAR, last=-1, weight=2, brought=False):
        evidence = Evidence(asked_at, last, weight, brought)
        return self.ledger.lack(0, opens(since), opens(until), evidence)

    def out(self):
        taken = [(b.close, b.bars[0]) for b in self.barrier.take(FAR)]
        return [((close - START) // MINUTE - 1, values[0]) for close, values in taken]

    def kinds(self):
        return [note.kind for note in self.journal.drain()]

    def marks(self, minute):
        return self.ledger.recent.marks(0, opens(minute))


@pytest.fixture
def book():
    return Book()


def test_bars_pass_in_order_whatever_the_order_of_arrival(book):
    assert [book.stream(m) for m in (2, 0, 3)] == [True] * 3
    assert book.out() == [(0, 100.0)]
    assert book.ledger.next == [opens(1)]
    book.stream(1)
    assert book.out() == [(m, 100.0) for m in (1, 2, 3)]
    assert book.ledger.newest == [opens(3)]
    assert book.kinds() == []


def test_a_repetition_is_nothing_new(book):
    assert book.stream(0)
    assert not book.stream(0)
    assert book.stream(2)
    assert not book.stream(2)
    assert not book.rest(0)
    assert book.out() == [(0, 100.0)]
    assert book.kinds() == []
    assert book.marks(0) == STREAM | REST


def test_a_bar_of_rest_is_noted(book):
    assert book.rest(0)
    assert book.kinds() == ["rest"]
    assert book.marks(0) == REST


def test_bars_out_of_reach_are_left_to_later(book):
    assert not book.stream(REACH)
    assert not book.rest(REACH)
    assert book.stream(REACH - 1)
    assert not book.stream(-REACH - 1)


def test_rest_puts_a_waiting_bar_right(book):
    book.stream(1, 100.0)
    assert not book.rest(1, 101.0)
    book.rest(0)
    assert book.out() == [(0, 100.0), (1, 101.0)]
    assert book.marks(1) & DIFFERS
    assert not book.marks(1) & REVISED
    notes = {n.kind: n for n in book.journal.drain()}
    assert notes["corrected"].before == bar(100.0)
    assert notes["corrected"].after == bar(101.0)
    assert book.journal.n_corrections == 0
    assert not book.ledger.changed


def test_rest_puts_a_bar_in_the_barrier_right(book):
    book.stream(0, 100.0)
    book.rest(0, 101.0)
    assert book.out() == [(0, 101.0)]
    assert not book.ledger.changed


def test_a_bar_that_left_is_revised(book):
    book.stream(0, 100.0)
    book.out()
    book.rest(0, 101.0)
    book.rest(0, 102.0, FAR + 1)
    assert book.out() == []
    assert book.ledger.changed == {0}
    assert book.marks(0) & REVISED
    assert book.ledger.recent.values(0, START) == bar(102.0)
    first, second = book.journal.drain()
    assert (first.revision, second.revision) == (1, 2)
    assert first.change_bp == pytest.approx(100.0)
    assert "stream" in first.text
    assert "revised" in second.text
    assert book.journal.n_corrections == 2


def test_a_small_revision_is_noted_and_not_material(book):
    book.stream(0, 100.0)
    book.out()
    book.rest(0, 100.01)
    assert book.kinds() == ["corrected"]
    assert not book.ledger.changed


def test_an_overtaken_answer_changes_nothing(book):
    book.rest(0, 101.0, asked_at=FAR + 5)
    book.rest(0, 100.0, asked_at=FAR)
    assert book.ledger.recent.values(0, START) == bar(101.0)
    assert book.kinds() == ["rest"]


def test_history_that_is_revised_is_a_correction(book):
    book.rest(-1, 101.0)
    assert book.ledger.changed == {0}
    assert book.ledger.close == [bar(101.0)[3]]


def test_a_jump_waits_for_rest(book):
    book.stream(0, 10_000.0)
    book.stream(1, 100.0)
    assert book.out() == []
    assert book.ledger.jumped == [True]
    assert book.marks(0) & HELD
    book.rest(0, 100.0)
    assert book.out() == [(0, 100.0), (1, 100.0)]
    assert book.ledger.jumped == [False]
    assert book.kinds() == ["spike", "corrected"]


def test_a_jump_that_rest_confirms_is_doubted_until_the_next_bar_agrees(book):
    book.stream(0, 150.0)
    assert book.rest(0, 150.0)
    assert book.out() == [(0, 150.0)]
    assert book.ledger.jumped == [True]
    book.stream(1, 150.5)
    assert book.ledger.jumped == [False]
    assert book.out() == [(1, 150.5)]


def test_a_jump_is_judged_the_same_in_any_order_of_arrival(book):
    book.stream(1, 150.0)
    book.stream(0, 149.0)
    assert book.out() == []
    assert book.rest(0, 149.0)
    assert book.out() == [(0, 149.0), (1, 150.0)]


def test_a_jump_of_rest_passes_and_is_doubted(book):
    book.rest(0, 150.0)
    assert book.out() == [(0, 150.0)]
    assert book.ledger.jumped == [True]


def test_rest_taking_a_jump_back_ends_the_doubt(book):
    book.rest(0, 150.0)
    book.out()
    book.rest(0, 100.0, FAR + 1)
    assert book.ledger.jumped == [False]
    book.stream(1, 100.0)
    assert book.out() == [(1, 100.0)]


def test_the_first_bar_without_history_waits_for_rest():
    book = Book()
    book.ledger.close[0] = 0.0
    book.stream(0)
    assert book.out() == []
    assert book.rest(0)
    assert book.out() == [(0, 100.0)]


def test_an_answer_tells_of_history(book):
    book.ledger.close[0] = 0.0
    assert not book.rest(-2)
    assert not book.rest(-1, 101.0)
    assert book.ledger.close == [bar(101.0)[3]]
    book.stream(0)
    assert book.out() == [(0, 100.0)]


def test_two_tellings_of_the_stream_wait_for_rest(book):
    book.stream(1, 100.0)
    book.stream(1, 100.5)
    book.stream(0)
    assert book.out() == [(0, 100.0)]
    assert book.ledger.claims.first(0) == opens(1)
    book.rest(1, 100.5)
    assert book.out() == [(1, 100.5)]
    assert 0 not in book.ledger.claims
    assert book.marks(1) & DIFFERS


@pytest.mark.parametrize(("truth", "differs"), [(100.0, True), (100.5, False)])
def test_a_later_telling_of_a_rest_bar_is_decided_by_rest(book, truth, differs):
    book.rest(0, 100.0)
    book.out()
    book.stream(0, 100.5)
    assert book.ledger.claims.first(0) == START
    assert book.out() == []
    book.rest(0, truth, FAR + 1)
    assert 0 not in book.ledger.claims
    assert bool(book.marks(0) & DIFFERS) is differs
    assert book.ledger.changed == (set() if differs else {0})
    note = book.journal.drain()[-1]
    assert (note.kind, note.after) == ("corrected", bar(truth))


def test_three_answers_make_a_bar_empty(book):
    asked_at = opens(1) + 2 * MINUTE + GRACE
    for n in range(3):
        assert book.ledger.next == [START], n
        assert book.lack(0, 1, asked_at)
    assert book.ledger.next == [opens(1)]
    assert book.marks(0) == EMPTY
    assert book.kinds() == ["empty"]
    assert book.ledger.skipped == {0}


def test_a_bar_is_not_empty_before_it_had_time(book):
    early = opens(1) + 2 * MINUTE + GRACE - 1
    for _ in range(9):
        book.lack(0, 1, early)
    assert book.ledger.next == [START]
    book.lack(0, 1, early + 1)
    assert book.ledger.next == [opens(1)]


def test_a_later_final_row_makes_up_for_time(book):
    for _ in range(3):
        book.lack(0, 1, opens(2) + GRACE, last=opens(1))
    assert book.ledger.next == [opens(1)]


def test_a_doubtful_answer_counts_half_and_an_absurd_one_nothing(book):
    for _ in range(9):
        book.lack(0, 1, weight=0)
    for _ in range(5):
        book.lack(0, 1, weight=1)
    assert book.ledger.next == [START]
    book.lack(0, 1, weight=1)
    assert book.ledger.next == [opens(1)]


def test_the_end_of_an_answer_that_brought_bars_may_have_been_cut(book):
    for _ in range(9):
        assert book.lack(0, 5, last=opens(2), brought=True)
    assert book.ledger.next == [opens(2 + 1 - 1)]
    assert book.marks(1) == EMPTY
    assert book.marks(3) == 0


def test_nothing_is_lacking_where_all_is_there(book):
    book.stream(0)
    assert not book.lack(-3, 1)
    assert book.lack(-3, 2)


def test_a_held_bar_that_rest_does_not_have_is_refused(book):
    book.stream(0, 10_000.0)
    for _ in range(3):
        book.lack(0, 1)
    assert book.ledger.next == [opens(1)]
    assert book.out() == []
    assert book.kinds() == ["spike", "refused", "empty"]


def test_a_bar_that_comes_before_its_empty_place_is_passed_counts(book):
    for _ in range(3):
        book.lack(1, 2)
    assert book.marks(1) == EMPTY
    book.stream(1)
    book.stream(0)
    assert book.out() == [(0, 100.0), (1, 100.0)]


def test_a_bar_that_comes_after_it_was_confirmed_empty_is_late_and_never_leaves(book):
    for _ in range(3):
        book.lack(0, 1)
    book.kinds()
    assert not book.stream(0)  # the stream alone is not enough
    assert not book.ledger.changed
    assert book.ledger.claims.first(0) == START
    assert not book.rest(0, asked_at=FAR + 1)
    assert book.out() == []
    assert book.ledger.changed == {0}
    assert 0 not in book.ledger.claims
    (note,) = book.journal.drain()
    assert (note.kind, note.before, note.after, note.revision) == ("late", None, bar(100.0), 1)
    assert book.marks(0) & REVISED


def test_a_row_goes_on_where_it_is_settled(book):
    book.stream(0)
    book.stream(3)
    book.ledger.forget(0)
    book.ledger.resume(0, opens(2) + 1)
    assert book.ledger.next == book.ledger.since == [opens(2)]
    assert book.ledger.changed == {0}
    book.stream(2)
    assert book.out() == [(0, 100.0), (2, 100.0)]


def test_a_short_absence_leaves_no_hole(book):
    book.stream(0)
    book.ledger.forget(0)
    book.ledger.resume(0, opens(1))
    assert book.ledger.next == [opens(1)]
    assert not book.ledger.changed
