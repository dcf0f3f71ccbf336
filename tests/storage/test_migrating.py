from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from opportunity.storage.database import open_database
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.failures import DatabaseError
from opportunity.storage.migrating import (
    HEAD,
    alembic_config,
    current_revision,
    exclusive,
    migrate,
    revisions,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    engine = make_engine(parse_url(url))
    yield engine
    engine.dispose()


def test_revisions_are_those_that_alembic_knows(empty: sa.Engine) -> None:
    scripts = ScriptDirectory.from_config(alembic_config(empty))
    assert revisions() == {r.revision for r in scripts.walk_revisions()}
    assert HEAD in revisions()


def test_a_copy_is_only_asked_for_before_something_changes(empty: sa.Engine) -> None:
    asked: list[str] = []
    migrate(empty, asked.append)
    assert asked == []  # there was nothing in it
    migrate(empty, asked.append)
    assert asked == []  # it is up to date
    command.downgrade(alembic_config(empty), "0004")
    migrate(empty, asked.append)
    assert asked == ["0004"]
    assert current_revision(empty) == HEAD


def test_without_the_copy_nothing_is_changed(empty: sa.Engine) -> None:
    command.upgrade(alembic_config(empty), "0004")

    def fail(_: str) -> None:
        raise DatabaseError("no room")

    with pytest.raises(DatabaseError, match="no room"):
        migrate(empty, fail)
    assert current_revision(empty) == "0004"


def test_the_exclusive_transaction_is_whole_or_not_at_all(empty: sa.Engine) -> None:
    def half() -> None:
        with exclusive(empty) as connection:
            connection.execute(sa.text("CREATE TABLE half (x INTEGER)"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        half()
    assert sa.inspect(empty).get_table_names() == []
    with exclusive(empty) as connection:
        connection.execute(sa.text("CREATE TABLE whole (x INTEGER)"))
    assert sa.inspect(empty).get_table_names() == ["whole"]


def test_rebuilding_a_table_takes_no_rows_along(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))
        connection.execute(sa.text("CREATE TABLE b (a REFERENCES a (id) ON DELETE CASCADE)"))
        connection.execute(sa.text("INSERT INTO a VALUES (1)"))
        connection.execute(sa.text("INSERT INTO b VALUES (1)"))
    with exclusive(engine) as connection:
        for line in ("CREATE TABLE n (id INTEGER PRIMARY KEY)", "INSERT INTO n SELECT id FROM a",
                     "DROP TABLE a", "ALTER TABLE n RENAME TO a"):
            connection.execute(sa.text(line))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM b")).scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5_000
    engine.dispose()


def test_rows_that_refer_to_nothing_are_not_left_behind(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")

    def orphan() -> None:
        with exclusive(engine) as connection:
            connection.execute(sa.text(
                "INSERT INTO outcome VALUES (7, 1, 0, 'up', 1, 0.0, 0.0, 0.0, 0.0)"
            ))

    with pytest.raises(DatabaseError, match="rows must refer"):
        orphan()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM outcome")).scalar_one() == 0
    engine.dispose()


def test_events_of_before_there_was_a_stream_have_no_number(empty: sa.Engine) -> None:
    command.upgrade(alembic_config(empty), "0006")
    insert = sa.text(
        "INSERT INTO event (key, at, time, kind, body) VALUES (:key, 1, 1, 'fill', '{}')"
    )
    with empty.begin() as connection:
        for key in ("a", "b"):  # none and none again are no same number
            connection.execute(insert, {"key": key})
    migrate(empty)
    with empty.connect() as connection:
        rows = connection.execute(sa.text("SELECT channel, stream_seq FROM event")).all()
    assert rows == [(None, None), (None, None)]
    command.downgrade(alembic_config(empty), "0006")
    with empty.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM event")).scalar_one() == 2
    migrate(empty)


def test_a_number_of_the_stream_is_given_once(empty: sa.Engine) -> None:
    migrate(empty)
    insert = sa.text(
        "INSERT INTO event (key, at, time, kind, body, channel, stream_seq) "
        "VALUES (:key, 1, 1, 'fill', '{}', :channel, 1)"
    )
    with empty.begin() as connection:
        connection.execute(insert, {"key": "a", "channel": "trade"})
        connection.execute(insert, {"key": "b", "channel": "alert"})
    with pytest.raises(sa.exc.IntegrityError), empty.begin() as connection:
        connection.execute(insert, {"key": "c", "channel": "trade"})
