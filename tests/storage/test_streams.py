"""Numbers without a gap, whoever appends: over both databases, from several threads at once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.contracts.realtime import EVENT_CHANNELS
from opportunity.storage.backup import back_up
from opportunity.storage.database import open_database
from opportunity.storage.engines import parse_url
from opportunity.storage.events import KINDS, Event, EventRepository
from opportunity.storage.migrating import HEAD
from opportunity.storage.pruning import Pruner
from opportunity.storage.restore import restore
from opportunity.storage.streams import CHANNEL_OF, SINCE, channel_of
from opportunity.storage.transactions import repeated

DAY_MS = 86_400_000
NOW = 1_767_614_400_000


@pytest.fixture
def log(engine: sa.Engine) -> EventRepository:
    return EventRepository(engine, lambda: NOW)


def numbers(log: EventRepository, channel: str) -> list[int]:
    return [event.stream_seq for event in log.after(channel, 0)]


def test_every_kind_that_travels_is_known_and_every_channel_is_used() -> None:
    assert set(CHANNEL_OF) <= set(KINDS)
    assert set(CHANNEL_OF.values()) == set(EVENT_CHANNELS)
    assert channel_of("shadow", {"what": "added"}) == "config"
    assert channel_of("shadow", {"what": "chapter"}) is None
    assert channel_of("audit", {}) is None
    assert SINCE <= HEAD


def test_events_that_travel_are_numbered_by_channel(log: EventRepository) -> None:
    kinds = ["order", "fill", "limits", "hand", "trade", "breaker", "audit", "fill", "price_alert"]
    stored = log.append([Event(f"k{n}", n, kind) for n, kind in enumerate(kinds)])
    assert [(e.channel, e.stream_seq) for e in stored] == [
        ("trade", 1), ("trade", 2), ("config", 1), (None, None), ("trade", 3), ("alert", 1),
        (None, None), ("trade", 4), ("alert", 2),
    ]  # fmt: skip
    assert log.heads() == {"trade": 4, "alert": 2, "config": 1}
    assert log.after("trade", 2) == (stored[4], stored[7])
    assert log.after("trade", 0, limit=1) == (stored[0],)
    assert log.after("trade", 4) == ()


def test_what_was_told_before_takes_no_number(log: EventRepository) -> None:
    log.append([Event("a", 1, "fill")])
    again = log.append([Event("a", 1, "fill"), Event("b", 1, "fill"), Event("b", 2, "trade")])
    assert [(e.key, e.stream_seq) for e in again] == [("a", 1), ("b", 2)]
    assert log.heads()["trade"] == 2


def test_what_is_rolled_back_leaves_no_gap(log: EventRepository, engine: sa.Engine) -> None:
    from opportunity.storage.events import add_events

    class Fails(Exception):
        pass

    def work(connection: sa.Connection) -> None:
        add_events(connection, [Event("gone", 1, "fill")], NOW)
        raise Fails

    log.append([Event("a", 1, "fill")])
    with pytest.raises(Fails):
        repeated(engine, work, "must fail")
    log.append([Event("b", 1, "fill")])
    assert numbers(log, "trade") == [1, 2]


def test_many_at_once_have_one_number_each(log: EventRepository) -> None:
    log.append([Event(f"k{n}", n, "fill" if n % 3 else "audit") for n in range(1_300)])
    assert log.heads()["trade"] == 866
    found = log.after("trade", 0)
    assert [e.stream_seq for e in found] == list(range(1, 867))
    assert [e.time for e in found] == sorted(e.time for e in found)


def test_threads_and_processes_that_append_make_no_gap(database_url: str) -> None:
    """Each with an engine of its own, as other processes have; ids and numbers rise together."""
    open_database(database_url).dispose()

    def append(worker: int) -> None:
        engine = open_database(database_url)
        try:
            mine = EventRepository(engine, lambda: NOW)
            for n in range(12):
                kind = ("fill", "breaker", "weights", "audit")[n % 4]
                mine.append([Event(f"{worker}:{n}", n, kind), Event(f"same:{n}", n, "fill")])
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append, range(4)))
    engine = open_database(database_url)
    log = EventRepository(engine, lambda: NOW)
    heads = log.heads()
    assert heads == {"trade": 24, "alert": 12, "config": 12}
    for channel, head in heads.items():
        found = log.after(channel, 0)
        assert [e.stream_seq for e in found] == list(range(1, head + 1))
        assert [e.id for e in found] == sorted(e.id for e in found)
    engine.dispose()


def test_name_is_made_once_and_by_one(log: EventRepository, database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        names = set(threads.map(lambda _: log.epoch(), range(8)))
    assert len(names) == 1
    other = open_database(database_url)
    assert {EventRepository(other, lambda: 0).epoch()} == names
    other.dispose()


def test_numbers_go_on_where_old_events_were_let_go(
    log: EventRepository, engine: sa.Engine
) -> None:
    log.append([Event("a", 1, "fill"), Event("b", 1, "breaker")])
    Pruner(engine, {"event": 1}, lambda: NOW + 3 * DAY_MS).prune()
    assert numbers(log, "trade") == []
    log.append([Event("c", 1, "fill")])
    assert numbers(log, "trade") == [2]


def test_restored_log_is_another_one(
    log: EventRepository, engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    log.append([Event("a", 1, "fill"), Event("b", 1, "hand")])
    before = log.epoch()
    copy = back_up(parse_url(database_url), tmp_path / "copy").path
    log.append([Event("c", 1, "fill")])
    engine.dispose()
    restore(parse_url(database_url), copy, tmp_path, lambda: NOW)
    fresh = open_database(database_url)
    mine = EventRepository(fresh, lambda: NOW)
    assert mine.epoch() != before
    assert mine.heads() == {"trade": 0, "alert": 0, "config": 0}
    assert [(e.key, e.stream_seq) for e in mine.read()] == [("a", None), ("b", None)]
    (again,) = mine.append([Event("c", 2, "fill")])
    assert (again.stream_seq, again.time) == (1, 2)
    fresh.dispose()


def test_copy_of_a_time_before_numbers_is_put_back(tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite"
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('0006')")
    connection.close()
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert restore(parse_url(url), old, tmp_path, lambda: NOW).schema == "0006"


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(KINDS)), min_size=1, max_size=6
        ),
        max_size=8,
    )
)  # fmt: skip
def test_numbers_are_those_of_counting(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, str]]]
) -> None:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('n') / 'x.sqlite'}")
    log = EventRepository(engine, lambda: NOW)
    expected: dict[str, list[str]] = {channel: [] for channel in EVENT_CHANNELS}
    known: set[str] = set()
    for batch in batches:
        events = [Event(f"k{key}", 1, kind) for key, kind in batch]
        log.append(events)
        for event in events:
            channel = channel_of(event.kind, {})
            if event.key not in known and channel is not None:
                expected[channel].append(event.key)
            known.add(event.key)
    for channel, keys in expected.items():
        found = log.after(channel, 0)
        assert [e.key for e in found] == keys
        assert [e.stream_seq for e in found] == list(range(1, len(keys) + 1))
    engine.dispose()
