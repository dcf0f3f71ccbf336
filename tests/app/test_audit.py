from app.audit import Audit
from opportunity.storage.database import open_database
from opportunity.storage.events import EventRepository


def test_every_change_is_an_event_of_its_own(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    events = EventRepository(engine, lambda: 9)
    audit = Audit(events, lambda: 5)
    for _ in range(2):
        audit.note("rules", "api", {"a": 1}, {"a": 2}, "scan rules")
    found = events.read(["rules"])
    assert [(e.at, e.time) for e in found] == [(9, 5)] * 2
    assert found[0].body == {
        "book": "", "what": "scan rules", "by": "api", "why": "", "before": {"a": 1},
        "after": {"a": 2},
    }
    engine.dispose()


def test_a_change_that_cannot_be_written_down_has_happened_all_the_same(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE event")
    Audit(EventRepository(engine, lambda: 9), lambda: 5).note("agent", "page", {}, {})
    engine.dispose()
