import os

import psycopg
import pysqlite3
import pytest

from app.doctor.database import DAY_MS, check_backups, check_database
from opportunity.storage.database import HEAD, open_database


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.sqlite"
    open_database(f"sqlite:///{path}").dispose()
    return path


def test_sound_database(path):
    check = check_database(f"sqlite:///{path}")
    assert check.verdict == "OK"
    assert f"schema {HEAD}" in check.text
    assert "x.sqlite, 0." in check.text
    assert "iB free" in check.text


def test_none_yet_and_none_is_made(tmp_path):
    assert check_database(f"sqlite:///{tmp_path / 'no.sqlite'}").verdict == "OK"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("revision", "verdict", "words"),
    [("0001", "OK", "brings it to"), ("9999", "FAIL", "a newer program")],
)
def test_other_schemas(path, revision, verdict, words):
    connection = pysqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    check = check_database(f"sqlite:///{path}")
    assert check.verdict == verdict
    assert words in check.text
    connection = pysqlite3.connect(path)
    kept = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    assert kept == (revision,)  # looked at, not migrated


def test_empty_database(tmp_path):
    path = tmp_path / "x.sqlite"
    pysqlite3.connect(path).close()
    path.touch()
    assert check_database(f"sqlite:///{path}").verdict == "OK"


def test_damaged_file(path):
    path.write_bytes(b"this is no database at all" * 100)
    assert check_database(f"sqlite:///{path}").verdict == "FAIL"


def test_damaged_page(path):
    whole = bytearray(path.read_bytes())
    for start in range(4_096, len(whole), 4_096):
        whole[start : start + 200] = b"\xff" * 200
    path.write_bytes(whole)
    for other in path.parent.glob("*-*"):
        other.unlink()
    assert check_database(f"sqlite:///{path}").verdict == "FAIL"


@pytest.mark.parametrize(
    "url",
    ["nonsense", "postgresql://me:secret@127.0.0.1:1/x", "nosuch://me:secret@h/x"],
)
def test_no_secret_is_shown(url):
    check = check_database(url)
    assert check.verdict == "FAIL"
    assert "secret" not in check.line()


def test_memory():
    assert check_database("sqlite://").verdict == "WARN"


def test_little_room_is_a_failure(path, monkeypatch):
    monkeypatch.setattr("app.doctor.database.LITTLE", 1 << 60)
    check = check_database(f"sqlite:///{path}")
    assert check.verdict == "FAIL"
    assert "make room" in check.advice


def test_server(postgres_url):
    assert "the next start brings it" in check_database(postgres_url).text
    open_database(postgres_url).dispose()
    check = check_database(postgres_url)
    assert check.verdict == "OK"
    assert f"schema {HEAD}" in check.text
    assert "MiB" in check.text
    name = postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    assert "takes no writes" in check_database(postgres_url).text


def test_backups(tmp_path):
    folder = tmp_path / "backups"
    now = 100 * DAY_MS
    assert check_backups(folder, now).verdict == "OK"
    assert "opportunity backup" in check_backups(folder, now).advice
    folder.mkdir()
    for name, days in (("backup-a.sqlite", 95), ("auto-b.dump", 40), ("notes.txt", 99)):
        (folder / name).write_bytes(b"x" * 3_000_000)
        os.utime(folder / name, (days * 86_400, days * 86_400))
    check = check_backups(folder, now)
    assert check.verdict == "OK"
    assert check.text == "newest is backup-a.sqlite, 2.9 MiB, 5.0 days old"
    assert check_backups(folder, now + 40 * DAY_MS).verdict == "WARN"
