import pytest
import sqlalchemy as sa

from opportunity.config_lists import RETENTION_DAYS
from opportunity.storage.database import open_database
from opportunity.storage.events import Event, EventRepository
from opportunity.storage.extents import extents
from opportunity.storage.failures import DatabaseError


def test_every_pruned_table_is_counted(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    now = [4]
    events = EventRepository(engine, lambda: now[0])
    for key in ("a", "b"):
        events.append([Event(key, 0, "agent", {})])
        now[0] += 1
    found = {one.table: one for one in extents(engine)}
    assert set(found) == set(RETENTION_DAYS)
    assert (found["event"].rows, found["event"].oldest) == (2, 4)
    assert (found["candidate"].rows, found["candidate"].oldest) == (0, None)
    assert found["candidate"].feed_time
    assert not found["event"].feed_time
    engine.dispose()


def test_a_database_that_cannot_be_read_is_an_error_of_ours(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE event"))
    with pytest.raises(DatabaseError, match="readable"):
        extents(engine)
    engine.dispose()
