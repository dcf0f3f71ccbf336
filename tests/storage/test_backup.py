import os
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from faulty import begin_book, check_book, commit_fills

from opportunity.storage.backup import (
    KEPT,
    back_up,
    back_up_before,
    check_backup,
    file_name,
    newest,
)
from opportunity.storage.database import HEAD, open_database
from opportunity.storage.engines import parse_url
from opportunity.storage.failures import DatabaseError


def test_copy_is_whole_and_private(engine: sa.Engine, database_url: str, tmp_path: Path) -> None:
    begin_book(engine)
    commit_fills(engine)
    told: list[tuple[int, int]] = []
    modes: set[int] = set()

    def tell(*now: int) -> None:
        told.append(now)
        modes.update(stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "deep").iterdir())

    made = back_up(parse_url(database_url), tmp_path / "deep" / "one", tell)
    assert modes == {0o600}  # not only at the end
    assert made.path == tmp_path / "deep" / "one"
    assert made.as_dict() == {
        "file": str(made.path), "bytes": made.path.stat().st_size, "schema": HEAD,
        "seconds": round(made.seconds, 3),
    }  # fmt: skip
    assert check_backup(made.path) == HEAD
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert list(made.path.parent.iterdir()) == [made.path]
    assert told[-1][0] == told[-1][1] > 0


def test_copy_of_a_file_is_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    engine = open_database(url)
    begin_book(engine)
    commit_fills(engine)  # still in the log, not in the file
    back_up(parse_url(url), tmp_path / "copy.sqlite")
    commit_fills(engine)
    engine.dispose()
    copy = open_database(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    assert check_book(copy) == 1
    copy.dispose()


def test_nothing_is_written_over(engine: sa.Engine, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("mine")
    with pytest.raises(DatabaseError, match="must not be there yet"):
        back_up(parse_url(database_url), tmp_path / "one")
    assert (tmp_path / "one").read_text() == "mine"


def test_without_a_database_there_is_no_copy(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'no.sqlite'}", "sqlite://"):
        with pytest.raises(DatabaseError, match="must be there"):
            back_up(parse_url(url), tmp_path / "one")
    with pytest.raises(DatabaseError, match="must be copied"):
        back_up(parse_url("postgresql://me:geheim@127.0.0.1:1/x"), tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1_000, b"SQLite format 3\x00" + b"x" * 900])
def test_what_is_no_copy_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="backup must be"):
        check_backup(path)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    open_database(url).dispose()
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="backup must be written"):
        back_up(parse_url(url), tmp_path / "file" / "one")


def test_newest_automatic_copies_are_kept_and_no_other_goes(tmp_path: Path) -> None:
    url = parse_url(f"sqlite:///{tmp_path / 'x.sqlite'}")
    open_database(f"sqlite:///{tmp_path / 'x.sqlite'}").dispose()
    folder = tmp_path / "backups"
    assert newest(folder) is None
    mine = back_up(url, folder / file_name(url, 0)).path
    os.utime(mine, (0, 0))
    for i in range(KEPT + 3):
        known = set(folder.iterdir())
        back_up_before(url, folder, "0001")
        (made,) = set(folder.iterdir()) - known
        os.utime(made, (1_000 + i, 1_000 + i))
    copies = sorted(folder.glob("auto-*"), key=lambda p: p.stat().st_mtime)
    assert [p.stat().st_mtime for p in copies] == [1_000 + i for i in range(3, KEPT + 3)]
    assert mine.exists()
    assert newest(folder) == copies[-1]


def test_a_server_without_its_programs_is_migrated_without_a_copy(
    engine: sa.Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("needs no other program")
    monkeypatch.setattr("opportunity.storage.postgres_copy.shutil.which", lambda _: None)
    monkeypatch.setattr("opportunity.storage.postgres_copy.INSTALLED", tmp_path / "no")
    with pytest.raises(DatabaseError, match="pg_dump must be installed"):
        back_up(parse_url(database_url), tmp_path / "one")
    back_up_before(parse_url(database_url), tmp_path / "backups", "0001")
    assert not list((tmp_path / "backups").glob("*"))


def test_names_say_when_and_what() -> None:
    at = 1_767_614_400_000
    assert file_name(parse_url("sqlite:///x"), at) == "backup-20260105T120000Z.sqlite"
    assert file_name(parse_url("postgres://h/x"), at, True) == "auto-20260105T120000Z.dump"
