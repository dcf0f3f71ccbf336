"""Backups under load: what is copied is a commit point, and what is put back adds up."""

import json
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from faulty import begin_book, check_book, check_file, commit_fills
from postgres import Server

from app.cli import main
from opportunity.storage.backup import back_up, check_backup
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.engines import parse_url
from opportunity.storage.restore import InUse, restore

SPAWN = multiprocessing.get_context("fork")
N_BOOKS = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite'}"
        return
    server: Server = request.getfixturevalue("postgres")
    made = server.database()
    yield made
    server.drop(made)


def _load(url: str, name: str, ready: object, stop: object, done: object) -> None:
    engine = open_database(url)
    ready.release()
    version = 0
    while not stop.is_set():
        version = commit_fills(engine, name, "x" * 500)
    done.put((name, version))
    engine.dispose()


@contextmanager
def load(url: str) -> Iterator[dict[str, int]]:
    """Have other processes commit as fast as they can; afterwards tells what each has done."""
    engine = open_database(url)
    names = [f"shadow:{i}" for i in range(N_BOOKS)]
    for name in names:
        begin_book(engine, name)
    engine.dispose()
    ready, stop, done = SPAWN.Semaphore(0), SPAWN.Event(), SPAWN.Queue()
    found: dict[str, int] = {}
    processes = [SPAWN.Process(target=_load, args=(url, n, ready, stop, done)) for n in names]
    for process in processes:
        process.start()
    for _ in processes:
        assert ready.acquire(timeout=30)
    try:
        yield found
    finally:
        stop.set()
        found |= dict(done.get(timeout=30) for _ in processes)
        for process in processes:
            process.join(30)
            assert process.exitcode == 0
        done.close()
        done.join_thread()


def versions(url: str) -> dict[str, int]:
    engine = open_database(url)
    try:
        if engine.dialect.name == "sqlite":
            check_file(engine)
        return {f"shadow:{i}": check_book(engine, f"shadow:{i}") for i in range(N_BOOKS)}
    finally:
        engine.dispose()


def _rounds(url: str, tmp_path: Path, n: int) -> None:
    with load(url) as written:
        for i in range(n):
            before = versions(url)
            back_up(parse_url(url), tmp_path / f"{i}.copy")
            after = versions(url)
            (tmp_path / f"{i}.json").write_text(json.dumps([before, after]))
    end = versions(url)
    assert end == written
    assert max(end.values()) > n  # there was load
    for i in reversed(range(n)):
        before, after = json.loads((tmp_path / f"{i}.json").read_text())
        restore(parse_url(url), tmp_path / f"{i}.copy", tmp_path / "old", lambda: 1_000)
        found = versions(url)
        assert all(before[k] <= found[k] <= after[k] for k in found)


def test_copies_under_load_are_commit_points(url: str, tmp_path: Path) -> None:
    _rounds(url, tmp_path, 3)


@pytest.mark.slow
def test_many_copies_under_load_are_commit_points(url: str, tmp_path: Path) -> None:
    _rounds(url, tmp_path, 60)


def test_a_database_in_use_is_not_replaced(url: str, tmp_path: Path) -> None:
    engine = open_database(url)
    begin_book(engine)
    copy = tmp_path / "one.copy"
    back_up(parse_url(url), copy)
    commit_fills(engine)
    with pytest.raises(InUse, match="must not be"):
        restore(parse_url(url), copy, tmp_path / "old", lambda: 1)
    assert check_book(engine) == 1
    commit_fills(engine)
    engine.dispose()
    assert not list(tmp_path.glob(".*.part"))
    done = restore(parse_url(url), copy, tmp_path / "old", lambda: 1)
    assert done.old is not None
    engine = open_database(url)
    assert check_book(engine) == 0
    engine.dispose()
    # The old one is whole: put back, it has what was written after the copy.
    again = done.old
    restore(parse_url(url), again, tmp_path / "old", lambda: 100_000)
    engine = open_database(url)
    assert check_book(engine) == 2
    engine.dispose()


def test_damaged_copies_are_refused_and_nothing_is_touched(url: str, tmp_path: Path) -> None:
    engine = open_database(url)
    begin_book(engine)
    for _ in range(200):
        commit_fills(engine, text="x" * 200)
    engine.dispose()
    copy = tmp_path / "one.copy"
    back_up(parse_url(url), copy)
    whole = copy.read_bytes()
    for share in (0.2, 0.5, 0.8, 0.95):
        place = int(len(whole) * share) // 4_096 * 4_096
        broken = [whole[:place], whole[:place] + b"\x5a" * 512 + whole[place + 512 :]]
        for data in broken:
            copy.write_bytes(data)
            with pytest.raises(DatabaseError, match="backup must be"):
                restore(parse_url(url), copy, tmp_path / "old", lambda: 1)
    engine = open_database(url)
    assert check_book(engine) == 200
    engine.dispose()


def test_verbs_go_round(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    home = tmp_path / "home"
    engine = open_database(url)
    begin_book(engine)
    commit_fills(engine)
    capsys.readouterr()
    assert main(["backup", "--home", str(home), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert Path(made["file"]).parent == home / "backups"
    assert Path(made["file"]).stat().st_mode & 0o77 == 0
    assert check_backup(Path(made["file"])) == made["schema"]
    commit_fills(engine)
    assert main(["restore", made["file"], "--home", str(home), "--yes"]) == 1
    assert "must not be" in capsys.readouterr().err
    engine.dispose()
    assert main(["restore", made["file"], "--home", str(home), "--yes", "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["old"]).exists()
    engine = open_database(url)
    assert check_book(engine) == 1
    engine.dispose()


def test_a_copy_of_an_older_program_is_brought_up_to_date(url: str, tmp_path: Path) -> None:
    from alembic import command

    from opportunity.storage.database import HEAD, alembic_config
    from opportunity.storage.migrating import current_revision

    engine = open_database(url)
    command.downgrade(alembic_config(engine), "0004")
    engine.dispose()
    copy = tmp_path / "one.copy"
    assert back_up(parse_url(url), copy).schema == "0004"
    open_database(url).dispose()
    restore(parse_url(url), copy, tmp_path / "old", lambda: 1)
    engine = open_database(url, tmp_path / "automatic")
    command.check(alembic_config(engine))
    assert current_revision(engine) == HEAD
    engine.dispose()
    assert len(list((tmp_path / "automatic").iterdir())) == 1


def test_nobody_waits_for_a_copy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    engine = open_database(url)
    begin_book(engine)
    for _ in range(20):
        with engine.begin() as connection:
            connection.execute(sa.text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
                "INSERT INTO event (key, at, time, kind, body) SELECT hex(randomblob(40)), 0, 0, "
                "'fill', '\"' || hex(randomblob(400)) || '\"' FROM n"
            ))
    copying = threading.Thread(target=back_up, args=(parse_url(url), tmp_path / "copy"))
    copying.start()
    n = 0
    while copying.is_alive():
        n = commit_fills(engine)
    copying.join()
    engine.dispose()
    assert n > 1
