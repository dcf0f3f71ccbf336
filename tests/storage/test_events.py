import pytest
import sqlalchemy as sa

from opportunity.storage.database import open_database
from opportunity.storage.events import KINDS, Event, EventRepository
from opportunity.storage.failures import DatabaseError


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def log(engine) -> EventRepository:
    return EventRepository(engine, lambda: 55)


def some(n: int, kind: str = "fill", first: int = 0) -> list[Event]:
    return [Event(f"{kind}:{i}", i, kind, {"n": i}) for i in range(first, first + n)]


def test_events_come_back_as_they_were(log) -> None:
    stored = log.append(some(3))
    assert [(e.key, e.at, e.time, e.kind, e.body) for e in stored] == [
        (f"fill:{i}", 55, i, "fill", {"n": i}) for i in range(3)
    ]
    assert log.read() == stored
    assert log.read(newest_first=True) == stored[::-1]
    assert log.append([]) == ()


def test_known_key_is_kept_once_and_as_it_was(log) -> None:
    (first,) = log.append(some(1))
    again = log.append([Event("fill:0", 9, "trade", {"n": 9}), *some(2)])
    assert again[0] == first
    assert [e.key for e in again] == ["fill:0", "fill:1"]
    assert len(log.read()) == 2


def test_pages_in_both_directions(log) -> None:
    log.append(some(10))
    log.append(some(5, "breaker"))
    old = log.read(["fill"], limit=4)
    assert [e.time for e in old] == [0, 1, 2, 3]
    assert [e.time for e in log.read(["fill"], since_id=old[-1].id, limit=4)] == [4, 5, 6, 7]
    new = log.read(["fill", "breaker"], limit=7, newest_first=True)
    assert [e.kind for e in new] == ["breaker"] * 5 + ["fill"] * 2
    more = log.read(limit=3, newest_first=True, before_id=new[-1].id)
    assert [e.time for e in more] == [7, 6, 5]


def test_many_at_once(log) -> None:
    assert len(log.append(some(1_500))) == 1_500
    assert [e.time for e in log.read(limit=1_000, since_id=500)][:2] == [500, 501]


def test_one_transaction(log, engine) -> None:
    with pytest.raises(ValueError, match="kind of event"):
        log.append([*some(3), Event("x", 0, "fil")])
    with pytest.raises(ValueError, match="at most 160"):
        log.append([*some(3), Event("x" * 161, 0, "fill")])
    assert log.read() == ()


@pytest.mark.parametrize("limit", [0, 1_001])
def test_limit_has_bounds(log, limit) -> None:
    with pytest.raises(ValueError, match="limit must be"):
        log.read(limit=limit)


def test_unknown_kind_names_the_nearest(log) -> None:
    with pytest.raises(ValueError, match="'breaker'"):
        log.read(["braeker"])
    assert len(set(KINDS)) == len(KINDS)


def test_database_that_fails_is_a_database_error(log, engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE event"))
    with pytest.raises(DatabaseError, match="must be readable"):
        log.read()
    with pytest.raises(DatabaseError, match="must be kept"):
        log.append(some(1))
