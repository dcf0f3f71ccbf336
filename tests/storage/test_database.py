from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from opportunity.storage.database import (
    HEAD,
    DatabaseError,
    alembic_config,
    open_database,
)
from opportunity.storage.tables import METADATA


def _url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'deep' / 'x.sqlite'}"


def test_open_makes_folder_and_newest_schema(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    assert set(sa.inspect(engine).get_table_names()) == {*METADATA.tables, "alembic_version"}
    engine.dispose()


def test_schema_of_the_migrations_equals_the_tables(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    command.check(alembic_config(engine))  # raises when the two differ
    engine.dispose()


def test_head_is_what_alembic_says(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    assert ScriptDirectory.from_config(alembic_config(engine)).get_current_head() == HEAD
    engine.dispose()


def test_migrations_go_down_and_up_again(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    command.downgrade(alembic_config(engine), "base")
    assert set(sa.inspect(engine).get_table_names()) == {"alembic_version"}
    command.upgrade(alembic_config(engine), "head")
    command.check(alembic_config(engine))
    engine.dispose()


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    open_database(_url(tmp_path)).dispose()
    engine = open_database(_url(tmp_path))
    command.check(alembic_config(engine))
    engine.dispose()


def test_sqlite_is_the_fixed_one_with_wal_and_full_sync(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    with engine.connect() as connection:
        version = connection.exec_driver_sql("select sqlite_version()").scalar_one()
        assert tuple(map(int, version.split("."))) >= (3, 51, 3)
        assert connection.exec_driver_sql("pragma journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar_one() == 2
    engine.dispose()


def test_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    engine = open_database(_url(tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    engine.dispose()
    with pytest.raises(DatabaseError, match="revision 9999"):
        open_database(_url(tmp_path))


def test_error_hides_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_database(f"sqlite://user:geheim@/{tmp_path}/x.sqlite")
    assert "geheim" not in str(caught.value)


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"<html>not a database</html>" * 100)
    with pytest.raises(DatabaseError, match=r"x\.sqlite"):
        open_database(f"sqlite:///{path}")


def test_a_new_database_is_readable_by_its_owner_alone(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'x.sqlite'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA user_version=1")
        modes = {p.stat().st_mode & 0o777 for p in (tmp_path / "new").iterdir()}
    assert modes == {0o600}
    engine.dispose()
