"""Migrations: with data, at the same time, and killed at any statement."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from faulty import fill_tables, rows_of
from postgres import Server

from opportunity.storage.database import HEAD, alembic_config, open_database
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.migrating import current_revision, revisions
from opportunity.storage.trading_tables import METADATA

FORK = multiprocessing.get_context("fork")
BEFORE_TRADING = "0005"
OLD_TABLES = {
    "setting", "weights_version", "preset", "observation", "bar_note", "judged", "study_log",
    "promotion",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite'}"
        return
    server: Server = request.getfixturevalue("postgres")
    made = server.database()
    yield made
    server.drop(made)


def made_old(url: str, revision: str = BEFORE_TRADING) -> dict:
    """Make a database of an older program, with data; return its rows."""
    engine = make_engine(parse_url(url))
    command.upgrade(alembic_config(engine), revision)
    fill_tables(engine, OLD_TABLES)
    rows = rows_of(engine, OLD_TABLES)
    engine.dispose()
    return rows


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


def check(url: str, rows: dict) -> None:
    """Insist on the newest schema and on the old rows, and leave nothing open."""
    engine = make_engine(parse_url(url))
    command.check(alembic_config(engine))
    assert tables(engine) == set(METADATA.tables)
    assert rows_of(engine, OLD_TABLES) == rows
    engine.dispose()


def test_up_down_and_up_again_with_data(url: str) -> None:
    engine = open_database(url)
    fill_tables(engine, set(METADATA.tables))
    rows = rows_of(engine)
    old = {name: found for name, found in rows.items() if name in OLD_TABLES}
    command.downgrade(alembic_config(engine), BEFORE_TRADING)
    assert tables(engine) == OLD_TABLES
    assert rows_of(engine, OLD_TABLES) == old
    command.upgrade(alembic_config(engine), "head")
    engine.dispose()
    check(url, old)
    for revision in sorted(revisions(), reverse=True)[1:]:
        engine = make_engine(parse_url(url))
        command.downgrade(alembic_config(engine), revision)
        assert current_revision(engine) == revision
        engine.dispose()
    engine = open_database(url)
    command.check(alembic_config(engine))
    engine.dispose()


def _open(url: str, backups: Path, go: object, said: object) -> None:
    go.wait()
    engine = open_database(url, backups)
    said.put(current_revision(engine))
    engine.dispose()


@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
def test_of_servers_that_start_at_once_one_migrates(url: str, old: bool, tmp_path: Path) -> None:
    rows = made_old(url) if old else None
    go, said = FORK.Event(), FORK.Queue()
    backups = tmp_path / "backups"
    processes = [FORK.Process(target=_open, args=(url, backups, go, said)) for _ in range(5)]
    for process in processes:
        process.start()
    go.set()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert [said.get(timeout=5) for _ in processes] == [HEAD] * 5
    said.close()
    said.join_thread()
    if rows is not None:
        check(url, rows)
    # One migrated, so one made a copy first; of an empty database none is made.
    assert len(list(backups.glob("auto-*"))) == int(old)


def _die_at(url: str, statement: int) -> None:
    """Migrate, but be killed before the given statement reaches the database."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    sa.event.listen(sa.Engine, "commit", lambda _: count())
    open_database(url)
    os._exit(0)


def _killed_at(url: str, statement: int) -> bool:
    process = FORK.Process(target=_die_at, args=(url, statement))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _check_killed(url: str, rows: dict) -> str:
    engine = make_engine(parse_url(url))
    revision = current_revision(engine)
    assert revision in (BEFORE_TRADING, HEAD)
    assert tables(engine) == (OLD_TABLES if revision == BEFORE_TRADING else set(METADATA.tables))
    assert rows_of(engine, OLD_TABLES) == rows
    engine.dispose()
    return revision


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_kill_in_the_middle_leaves_the_old_schema_or_the_new(url: str, step: int) -> None:
    rows, statement, seen = made_old(url), 1, []
    while _killed_at(url, statement):
        seen.append(_check_killed(url, rows))
        statement += step
    assert statement > 20  # it was in the middle, not only at the ends
    assert seen.count(BEFORE_TRADING) >= len(seen) - 1
    check(url, rows)


def test_a_migration_that_fails_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made_old(url)

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("alembic.op.create_index", fail)
    with pytest.raises(RuntimeError, match="no"):
        open_database(url)
    assert _check_killed(url, rows) == BEFORE_TRADING
    monkeypatch.undo()
    open_database(url).dispose()
    check(url, rows)
