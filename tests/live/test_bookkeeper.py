import threading
from concurrent.futures import wait

import pytest

from opportunity.live import bookkeeper as module
from opportunity.live.bookkeeper import Bookkeeper, Unsure
from opportunity.storage.books import Posting
from opportunity.storage.events import Event, StoredEvent
from opportunity.storage.failures import DatabaseError, StorageFull
from opportunity.storage.lease import LeaseLost
from opportunity.trading.terms import new_account, new_tally

WAIT_S = 20


def posting(version: int, book: str = "paper") -> Posting:
    return Posting(
        book, 0, version, version, ("A/USDT",), new_account(1.0), new_tally(1.0),
        events=(Event(f"{book}:{version}", version, "fill"),),
    )  # fmt: skip


class Store:
    """A ledger that fails on demand and counts what it is given."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.in_all_the_same = False  # it was committed, and the line broke after
        self.blind = False  # nothing can be read either
        self.versions: dict[str, int] = {}
        self.commits: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def commit(self, postings, lease=None):
        assert self.gate.wait(WAIT_S)
        if self.error is None or self.in_all_the_same:
            for one in postings:
                if one.version > self.versions.get(one.book, 0):
                    assert one.after == self.versions.get(one.book, 0)
                    self.versions[one.book] = one.version
            self.commits.append([one.version for one in postings])
        if self.error is not None:
            raise self.error
        return tuple(
            StoredEvent(0, e.key, 0, e.time, e.kind, e.body) for p in postings for e in p.events
        )

    def version_of(self, name):
        if self.blind:
            raise DatabaseError("no line")
        return 0, self.versions.get(name, 0)


class Right:
    """A lease."""

    ttl = 30

    def __init__(self) -> None:
        self.renewed, self.released = threading.Event(), 0
        self.error: Exception | None = None

    def renew(self) -> None:
        self.renewed.set()
        if self.error is not None:
            raise self.error

    def release(self) -> None:
        self.released += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "FIRST_S", 0.002)
    monkeypatch.setattr(module, "LONGEST_S", 0.01)
    monkeypatch.setattr(module, "CLOSE_S", 0.2)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def keep(store):
    made = []

    def make(**more) -> Bookkeeper:
        made.append(Bookkeeper(store, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert not one._thread.is_alive()


def until(condition) -> None:
    turn = threading.Event()
    for _ in range(WAIT_S * 500):
        if condition():
            return
        turn.wait(0.002)
    raise AssertionError("nothing happened in time")


def test_postings_are_stored_in_order_and_told_after(keep, store) -> None:
    told: list[str] = []
    keeper = keep(told=lambda events: told.extend(e.key for e in events))
    done = [keeper.put([posting(i)]) for i in range(1, 200)]
    assert not wait(done, WAIT_S).not_done
    assert store.versions == {"paper": 199}
    assert told == [f"paper:{i}" for i in range(1, 200)]
    assert keeper.n_waiting == 0


def test_waiting_batches_are_written_together(keep, store, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_TOGETHER", 4)
    store.gate.clear()
    keeper = keep()
    done = [keeper.put([posting(i)]) for i in range(1, 10)]
    store.gate.set()
    wait(done, WAIT_S)
    assert max(map(len, store.commits)) == 4
    assert [i for group in store.commits for i in group] == list(range(1, 10))


def test_failure_is_said_and_tried_until_all_is_in_order(keep, store) -> None:
    turned: list[str] = []
    keeper = keep(turned=lambda: turned.append(keeper.error))
    store.error = StorageFull("no room")
    done = [keeper.put([posting(i)]) for i in range(1, 6)]
    until(lambda: keeper.error)
    assert keeper.error == "no room"
    assert not any(d.done() for d in done)
    store.error = None
    wait(done, WAIT_S)
    until(lambda: not keeper.error)
    assert store.versions == {"paper": 5}
    assert turned == ["no room", ""]


def test_commit_whose_answer_was_lost_is_not_done_twice(keep, store) -> None:
    told: list[str] = []
    keeper = keep(told=lambda events: told.extend(e.key for e in events))
    store.error, store.in_all_the_same = DatabaseError("line broke"), True
    done = keeper.put([posting(1)])
    until(lambda: keeper.error)
    store.error = None
    wait([done], WAIT_S)
    assert store.versions == {"paper": 1}
    assert told == ["paper:1"]


def test_bound_merges_and_loses_no_money(keep, store, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    store.gate.clear()
    keeper = keep()
    done = [keeper.put([posting(i), posting(i, "shadow:x")]) for i in range(1, 60)]
    assert keeper.n_waiting <= 12 + module.MOST_TOGETHER
    store.gate.set()
    wait(done, WAIT_S)
    assert store.versions == {"paper": 59, "shadow:x": 59}
    assert all(d.exception() is None for d in done)


async def test_command_is_stored_now_or_not_at_all(keep, store) -> None:
    keeper = keep()
    await keeper.durable([posting(1)])
    assert store.versions == {"paper": 1}
    store.error = DatabaseError("no room")
    with pytest.raises(DatabaseError, match="no room"):
        await keeper.durable([posting(2)])
    store.error = None
    await_free = keeper.put([posting(2)])  # another one in its place
    wait([await_free], WAIT_S)
    assert store.versions == {"paper": 2}


async def test_command_is_refused_while_nothing_can_be_stored(keep, store) -> None:
    keeper = keep()
    store.error = DatabaseError("no room")
    keeper.put([posting(1)])
    until(lambda: keeper.error)
    with pytest.raises(DatabaseError, match="no room"):
        await keeper.durable([posting(2)])
    store.error = None
    until(lambda: not keeper.error)
    assert store.versions == {"paper": 1}


async def test_command_that_waits_fails_with_what_is_before_it(keep, store) -> None:
    store.gate.clear()
    keeper = keep()
    before = keeper.put([posting(1)])
    until(lambda: keeper.n_waiting == 1 and not keeper._waiting)
    store.error = DatabaseError("no room")
    threading.Timer(0.05, store.gate.set).start()
    with pytest.raises(DatabaseError, match="no room"):
        await keeper.durable([posting(2)])
    store.error = None
    wait([before], WAIT_S)
    assert store.versions == {"paper": 1}


async def test_command_that_is_in_after_all_counts(keep, store) -> None:
    keeper = keep()
    store.error, store.in_all_the_same = DatabaseError("line broke"), True
    threading.Timer(0.05, lambda: setattr(store, "error", None)).start()
    await keeper.durable([posting(1)])
    assert store.versions == {"paper": 1}


async def test_command_that_nobody_knows_of_is_kept(keep, store) -> None:
    keeper = keep()
    store.error, store.blind = DatabaseError("no line"), True
    with pytest.raises(Unsure, match="not known"):
        await keeper.durable([posting(1)])
    store.error, store.blind = None, False
    until(lambda: store.versions == {"paper": 1})


def test_lease_is_renewed_and_let_go(keep) -> None:
    right = Right()
    keeper = keep(lease=right)
    assert right.renewed.wait(WAIT_S)
    right.renewed.clear()
    assert right.renewed.wait(WAIT_S)
    keeper.close()
    assert right.released == 1


def test_lost_lease_ends_all_writing(keep, store) -> None:
    right, turned = Right(), []
    keeper = keep(lease=right, turned=lambda: turned.append(keeper.lost))
    store.gate.clear()
    first = keeper.put([posting(1)])
    waiting = keeper.put([posting(2)])
    store.error = LeaseLost("another server took it over")
    store.gate.set()
    wait([first, waiting], WAIT_S)
    assert isinstance(first.exception(), LeaseLost)
    store.error = None
    later = keeper.put([posting(3)])
    assert isinstance(later.exception(WAIT_S), LeaseLost)
    assert keeper.lost == "another server took it over"
    assert turned == ["another server took it over"]
    keeper.close()
    assert store.versions == {}
    assert right.released == 0


def test_renewal_that_fails_counts_as_no_storage(keep) -> None:
    right = Right()
    right.error = DatabaseError("no line")
    keeper = keep(lease=right)
    until(lambda: keeper.error == "no line")
    right.error = None
    until(lambda: not keeper.error)
    right.error = LeaseLost("gone")
    until(lambda: keeper.lost == "gone")


def test_close_waits_for_a_failing_database_only_so_long(keep, store) -> None:
    keeper = keep()
    store.error = DatabaseError("no room")
    done = keeper.put([posting(1)])
    until(lambda: keeper.error)
    keeper.close()
    assert isinstance(done.exception(WAIT_S), DatabaseError)
    late = keeper.put([posting(2)])
    assert isinstance(late.exception(WAIT_S), DatabaseError)


def test_close_stores_what_waits(keep, store) -> None:
    store.gate.clear()
    keeper = keep()
    for i in range(1, 300):
        keeper.put([posting(i)])
    store.gate.set()
    keeper.close()
    assert store.versions == {"paper": 299}


def test_bug_in_what_is_told_keeps_the_thread(keep, store) -> None:
    fails = [True]

    def told(events) -> None:
        if fails.pop() if fails else False:
            raise ZeroDivisionError("oops")

    keeper = keep(told=told)
    wait([keeper.put([posting(1)])], WAIT_S)
    wait([keeper.put([posting(2)])], WAIT_S)
    assert store.versions == {"paper": 2}


async def test_call_keeps_its_place_in_the_order(keep, store) -> None:
    keeper = keep()
    for i in range(1, 50):
        keeper.put([posting(i)])
    assert await keeper.call(lambda: dict(store.versions)) == {"paper": 49}
    with pytest.raises(ZeroDivisionError):
        await keeper.call(lambda: 1 / 0)
    await keeper.flush()
