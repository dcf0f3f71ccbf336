from pathlib import Path

import pytest
import sqlalchemy as sa
from faulty import begin_book, check_book, commit_fills

from opportunity.storage.account_tables import account, login
from opportunity.storage.accounts import AccountRepository
from opportunity.storage.backup import back_up
from opportunity.storage.database import open_database
from opportunity.storage.engines import parse_url
from opportunity.storage.failures import DatabaseError
from opportunity.storage.holder import Holder, myself
from opportunity.storage.restore import InUse, restore
from opportunity.storage.trading_tables import lease


def clock() -> int:
    return 1_767_614_400_000


@pytest.fixture
def copy(engine: sa.Engine, database_url: str, tmp_path: Path) -> Path:
    """A copy of one commit, of a database that has two by now and is not in use."""
    begin_book(engine)
    commit_fills(engine)
    made = back_up(parse_url(database_url), tmp_path / "copy").path
    commit_fills(engine)
    engine.dispose()
    return made


def count(url: str) -> int:
    engine = open_database(url)
    found = check_book(engine)
    engine.dispose()
    return found


def test_copy_is_put_back_and_the_old_one_kept(
    copy: Path, database_url: str, tmp_path: Path
) -> None:
    done = restore(parse_url(database_url), copy, tmp_path / "backups", clock)
    assert count(database_url) == 1
    assert done.old is not None
    assert "20260105T120000Z" in done.old.name
    assert done.as_dict() == {"schema": done.schema, "old": str(done.old)}
    assert copy.exists()
    assert not list(tmp_path.glob(".*"))


def test_logins_that_were_ended_since_are_not_back(
    engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(account).values(
            name="anna", role="admin", password="x", created_at=1, changed_at=1
        ))  # fmt: skip
        connection.execute(sa.insert(login).values(
            id="a" * 16, kind="session", account="anna", digest="b" * 64, created_at=1, used=1,
            expires=clock() * 2,
        ))  # fmt: skip
    copy = back_up(parse_url(database_url), tmp_path / "copy").path
    engine.dispose()
    restore(parse_url(database_url), copy, tmp_path / "backups", clock)
    again = open_database(database_url)
    known = AccountRepository(again, clock).read()
    again.dispose()
    assert [one.name for one in known.accounts] == ["anna"]
    assert known.logins == ()


def test_into_nothing(copy: Path, database_url: str, tmp_path: Path) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("a database of a server is made by hand")
    url = f"sqlite:///{tmp_path / 'new' / 'y.sqlite'}"
    assert restore(parse_url(url), copy, tmp_path, clock).old is None
    assert count(url) == 1
    with pytest.raises(DatabaseError, match="was in memory"):
        restore(parse_url("sqlite://"), copy, tmp_path, clock)


def test_damaged_database_is_moved_away_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    url = f"sqlite:///{path}"
    engine = open_database(url)
    begin_book(engine)
    copy = back_up(parse_url(url), tmp_path / "copy").path
    engine.dispose()
    path.write_bytes(b"damaged" * 10_000)
    (tmp_path / "x.sqlite-wal").write_bytes(b"log")
    old = restore(parse_url(url), copy, tmp_path, clock).old
    assert old is not None
    assert old.read_bytes() == b"damaged" * 10_000
    assert old.with_name(f"{old.name}-wal").read_bytes() == b"log"
    assert count(url) == 0


@pytest.mark.parametrize("links", [True, False])
def test_at_no_moment_is_there_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path = tmp_path / "x.sqlite"
    url = f"sqlite:///{path}"
    engine = open_database(url)
    begin_book(engine)
    copy = back_up(parse_url(url), tmp_path / "copy").path
    commit_fills(engine)
    engine.dispose()

    def refused(*_: Path) -> None:
        raise PermissionError("no")

    if not links:
        monkeypatch.setattr("os.link", refused)
    with monkeypatch.context() as last:
        last.setattr(Path, "replace", refused)  # ends as late as it can
        with pytest.raises(DatabaseError, match="was not"):
            restore(parse_url(url), copy, tmp_path, clock)
    assert count(url) == 1
    old = restore(parse_url(url), copy, tmp_path, clock).old
    assert old is not None
    assert (count(url), count(f"sqlite:///{old}")) == (0, 1)


def test_database_that_is_open_is_refused_and_the_holder_named(
    copy: Path, engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    holder = str(Holder("far", 17, "1", "other"))
    with engine.begin() as connection:
        row = {"name": "x", "holder": holder, "fence": 1, "expires_at": clock() + 1}
        connection.execute(sa.insert(lease), row)
    with pytest.raises(InUse, match="process 17 on far"):
        restore(parse_url(database_url), copy, tmp_path, clock)
    assert check_book(engine) == 2


def test_a_lease_of_a_server_is_enough(
    copy: Path, engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("who has a file open is known")
    gone = Holder(myself().host, 1 << 22, "1", myself().machine)
    for holder, refused in ((Holder("far", 17, "1", "other"), True), (gone, False)):
        with engine.begin() as connection:
            connection.execute(sa.delete(lease))
            row = {"name": "x", "holder": str(holder), "fence": 1, "expires_at": clock() + 1}
            connection.execute(sa.insert(lease), row)
        engine.dispose()
        if refused:
            with pytest.raises(InUse, match="process 17 on far"):
                restore(parse_url(database_url), copy, tmp_path, clock)
        else:
            restore(parse_url(database_url), copy, tmp_path / "backups", clock)
    assert count(database_url) == 1


def test_copies_of_the_other_kind_and_of_newer_programs_are_refused(
    copy: Path, engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    kind = engine.dialect.name
    other = "postgresql://127.0.0.1:1/x" if kind == "sqlite" else f"sqlite:///{tmp_path / 'y'}"
    with pytest.raises(DatabaseError, match="backup must be of a"):
        restore(parse_url(other), copy, tmp_path, clock)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    newer = back_up(parse_url(database_url), tmp_path / "newer").path
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0007'"))
    engine.dispose()
    with pytest.raises(DatabaseError, match="of schema 9999"):
        restore(parse_url(database_url), newer, tmp_path, clock)
    assert count(database_url) == 2
