from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from opportunity.storage import outbox as module
from opportunity.storage.database import open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.outbox import LEFT_OUT, Outbox
from opportunity.storage.outbox_rows import Note
from opportunity.storage.trading_tables import outbox as table

DAY = 86_400_000


class Now:
    def __init__(self) -> None:
        self.at = 1_000

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def engine(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def box(engine, now) -> Outbox:
    return Outbox(engine, now)


def note(key: str, kind: str = "breaker") -> Note:
    return Note(key, kind, f"title {key}", f"body {key}")


def fill(box: Outbox, *keys: str, channel: str = "ops") -> None:
    box.put([(note(key), [channel]) for key in keys])


def test_every_channel_gets_its_row_in_order(box):
    assert box.put([(note("a"), ["ops", "phone"]), (note("b"), ["ops"])]) == 3
    assert [row.title for row in box.waiting("ops")] == ["title a", "title b"]
    assert [row.title for row in box.waiting("phone")] == ["title a"]
    assert box.waiting("nobody") == ()


def test_the_same_is_kept_once_even_after_it_was_sent(box):
    fill(box, "a")
    assert box.put([(note("a"), ["ops"])]) == 0
    box.mark_sent(box.waiting("ops"))
    assert box.put([(note("a"), ["ops"])]) == 0
    assert box.waiting("ops") == ()


def test_notes_and_what_was_read_go_in_together_or_not_at_all(box, engine):
    assert box.read_up_to() is None
    box.put([(note("a"), ["ops"])], read_up_to=7)
    assert box.read_up_to() == 7
    sa.event.listen(engine, "before_cursor_execute", _break_on("setting"))
    with pytest.raises(DatabaseError, match="alerts must be kept, were not"):
        box.put([(note("b"), ["ops"])], read_up_to=8)
    assert [row.title for row in box.waiting("ops")] == ["title a"]


def _break_on(word: str):
    def broken(conn, cursor, statement, parameters, context, many):
        if f"INSERT INTO {word}" in statement:
            raise sa.exc.OperationalError(statement, parameters, OSError("no more"))

    return broken


def test_only_one_of_two_workers_takes_a_row(box, now):
    fill(box, "a", "b")
    rows = box.waiting("ops")
    assert box.claim(rows, now.at + 60)
    assert not box.claim(rows[:1], now.at + 60)
    now.at += 60
    assert box.claim(rows[:1], now.at + 60)  # the first has died
    assert not box.claim(rows, now.at + 60)  # one of both is taken: neither changes
    assert [row.attempts for row in box.waiting("ops")] == [2, 1]


def test_many_threads_take_each_row_once(box, now):
    fill(box, *(str(i) for i in range(20)))
    rows = box.waiting("ops")
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda row: box.claim([row], now.at + 60), rows + rows + rows))
    assert sum(taken) == len(rows)


def test_what_went_out_in_one_message_is_told_apart(box, now):
    fill(box, "a", "b", "c")
    now.at = 5_000
    box.mark_sent(box.waiting("ops"))
    rows = box.page().rows
    assert [row.status for row in rows] == ["digested", "digested", "sent"]
    assert {row.sent_at for row in rows} == {5_000}
    assert box.last_sent("ops", 0) == ({"breaker": 5_000}, [5_000])
    assert box.last_sent("ops", 5_001) == ({}, [])


def test_a_failure_is_kept_with_its_kind_and_tried_later(box, now):
    fill(box, "a", "b")
    first, second = box.waiting("ops")
    box.mark_later([first], now.at + 500, "status 500")
    assert box.waiting("ops")[0].next_at == now.at + 500
    box.mark_failed([second], "x" * 900)
    assert box.tallies(0)["ops"].last_error == "x" * 300
    tally = box.tallies(0)["ops"]
    assert (tally.waiting, tally.failed, tally.last_sent_at) == (1, 1, None)
    assert box.tallies(now.at + 1)["ops"].failed == 0


def test_rows_of_lost_channels_are_given_up_after_a_while(box, now):
    fill(box, "a")
    fill(box, "b", channel="gone")
    assert box.give_up(now.at, ["ops"]) == 0
    assert box.give_up(now.at + 1, ["ops"]) == 1
    assert [row.status for row in box.page(channel="gone").rows] == ["failed"]
    assert len(box.waiting("ops")) == 1


def test_the_outbox_does_not_grow_without_bound(box, now, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    fill(box, *(str(i) for i in range(50)))
    rows = box.waiting("ops")
    assert len(rows) == 6
    assert rows[-1].kind == LEFT_OUT
    assert rows[-1].body.startswith("45 more")
    box.mark_sent(rows)
    now.at += 1
    fill(box, *(str(i) for i in range(100, 120)))
    assert box.waiting("ops")[-1].body.startswith("15 more")


def test_pages_join_and_are_chosen(box):
    fill(box, *(str(i) for i in range(7)))
    fill(box, "x", channel="phone")
    box.mark_failed(box.waiting("ops")[:2], "e")
    seen, after = [], None
    while True:
        page = box.page(3, after, channel="ops")
        seen += [row.title for row in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == [f"title {i}" for i in range(6, -1, -1)]
    assert len(box.page(status="failed").rows) == 2
    with pytest.raises(ValueError, match="Did you mean 'failed'"):
        box.page(status="faild")
    with pytest.raises(ValueError, match="limit"):
        box.page(0)


def test_what_was_sent_past_the_outbox_is_recorded(box, now):
    box.record(note("t1", "test"), "ops", "")
    box.record(note("t2", "test"), "ops", "refused")
    assert [(r.status, r.error) for r in box.page().rows] == [("failed", "refused"), ("sent", "")]
    assert box.waiting("ops") == ()
    assert box.last_written("test") == now.at
    assert box.last_written("summary") is None


def test_a_database_that_is_gone_is_said_in_words(engine, box):
    with engine.begin() as connection:
        table.drop(connection)
    for call in (lambda: box.put([(note("a"), ["ops"])]), lambda: box.waiting("ops"), box.page):
        with pytest.raises(DatabaseError, match="alerts must be"):
            call()


def test_the_same_on_postgresql(postgres_url, now):
    engine = open_database(postgres_url)
    box = Outbox(engine, now)
    fill(box, "a", "b", "a")
    box.put([(note("c", "feed"), ["ops"])], read_up_to=4)
    box.put((), read_up_to=5)
    assert box.read_up_to() == 5
    rows = box.waiting("ops")
    assert [row.title for row in rows] == ["title a", "title b", "title c"]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: box.claim(rows, now.at + 60), range(4))) == 1
    box.mark_sent(rows)
    assert [row.status for row in box.page().rows] == ["digested", "digested", "sent"]
    assert box.last_sent("ops", 0)[0] == {"breaker": now.at, "feed": now.at}
    box.record(note("t", "test"), "ops", "refused")
    assert box.tallies(0)["ops"].last_error == "refused"
    assert box.give_up(now.at + 1, ()) == 0
    engine.dispose()


def test_what_waits_is_counted_over_all_channels(box) -> None:
    assert box.n_waiting() == 0
    box.put([(note("a"), ["mail", "phone"]), (note("b"), ["mail"])])
    assert box.n_waiting() == 3
    box.mark_sent(box.waiting("mail"))
    assert box.n_waiting() == 1
