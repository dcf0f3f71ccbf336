import pytest

from opportunity.errors import ConflictError
from opportunity.storage.events import EventRepository
from opportunity.storage.failures import DatabaseError
from opportunity.storage.turned import Turned, TurnedRepository, Why

WHY = Why("limits", "api", "calmer", 5)


@pytest.fixture
def stored(engine):
    return TurnedRepository(engine, lambda: 7)


def test_nothing_is_version_zero(stored):
    assert stored.read("risk") == Turned(0, {})


def test_versions_rise_and_names_are_apart(stored):
    assert stored.write("risk", {"a": 1}, {}, WHY).version == 1
    assert stored.write("risk", {"a": 2}, {"a": 1}, WHY).version == 2
    assert stored.write("rules", {"b": [1, 2]}, {}, WHY).version == 1
    assert stored.read("risk") == Turned(2, {"a": 2})
    assert stored.read("rules") == Turned(1, {"b": [1, 2]})


def test_change_and_audit_are_one(stored, engine):
    stored.write("risk", {"a": 2}, {"a": 1}, WHY, expected=0)
    (event,) = EventRepository(engine, lambda: 0).read(["limits"])
    assert (event.at, event.time) == (7, 5)
    told = {n: event.body[n] for n in ("by", "why", "before", "after", "version")}
    assert told == {
        "by": "api", "why": "calmer", "before": {"a": 1}, "after": {"a": 2}, "version": 1,
    }


def test_stale_change_changes_and_tells_nothing(stored, engine):
    stored.write("risk", {"a": 1}, {}, WHY)
    with pytest.raises(ConflictError, match="risk must be of version 1, was 0"):
        stored.write("risk", {"a": 2}, {}, WHY, expected=0)
    assert stored.read("risk") == Turned(1, {"a": 1})
    assert len(EventRepository(engine, lambda: 0).read()) == 1


def test_broken_database_is_a_database_error(stored, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE event")
    with pytest.raises(DatabaseError, match="risk must be kept, was not"):
        stored.write("risk", {"a": 1}, {}, WHY)
    assert stored.read("risk") == Turned(0, {})  # the change went with its audit
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE setting")
    with pytest.raises(DatabaseError, match="risk must be readable, was not"):
        stored.read("risk")
