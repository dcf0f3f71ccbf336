import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from faulty import begin_book, check_book, commit_fills
from postgres import PASSWORD

from opportunity.storage import postgres_copy
from opportunity.storage.database import HEAD, open_database
from opportunity.storage.engines import parse_url
from opportunity.storage.failures import DatabaseError, StorageFull


@pytest.fixture
def engine(postgres_url: str):
    engine = open_database(postgres_url)
    begin_book(engine)
    commit_fills(engine)
    yield engine
    engine.dispose()


def quiet(done: int, total: int) -> None:
    """Tell nobody."""


def test_there_and_back(engine: sa.Engine, postgres_url: str, tmp_path: Path) -> None:
    url, copy = parse_url(postgres_url), tmp_path / "one"
    postgres_copy.dump(url, copy, quiet)
    assert postgres_copy.check(copy) == HEAD
    commit_fills(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE somebodys (x INTEGER)"))
    postgres_copy.put_back(url, copy)
    assert check_book(engine) == 1
    assert commit_fills(engine) == 2
    assert sa.inspect(engine).has_table("somebodys")
    assert os.listdir(tmp_path) == ["one"]


def test_numbers_go_on_where_they_were(
    engine: sa.Engine, postgres_url: str, tmp_path: Path
) -> None:
    url, copy = parse_url(postgres_url), tmp_path / "one"
    postgres_copy.dump(url, copy, quiet)
    postgres_copy.put_back(url, copy)
    commit_fills(engine)
    with engine.connect() as connection:
        ids = list(connection.execute(sa.text("SELECT id FROM event ORDER BY id")).scalars())
    assert ids == [1, 2]


def test_what_cannot_be_put_back_changes_nothing(
    engine: sa.Engine, postgres_url: str, tmp_path: Path
) -> None:
    url, copy = parse_url(postgres_url), tmp_path / "one"
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE somebodys (x INTEGER)"))
    postgres_copy.dump(url, copy, quiet)
    commit_fills(engine)
    with pytest.raises(DatabaseError, match=r"put back.*somebodys"):
        postgres_copy.put_back(url, copy)  # that table is not ours to drop, and it is there
    assert check_book(engine) == 2


def test_password_is_not_among_the_arguments(
    engine: sa.Engine, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fake = tmp_path / "pg_dump"
    fake.write_text('#!/bin/sh\necho "$0 $*" >&2\nexit 3\n')
    fake.chmod(0o755)
    with pytest.raises(DatabaseError, match="must be copied, was not") as caught:
        postgres_copy.dump(parse_url(postgres_url), tmp_path / "one", quiet)
    assert "tester@127.0.0.1" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    fake.write_text("#!/bin/sh\necho 'could not write: No space left on device' >&2\nexit 1\n")
    with pytest.raises(StorageFull):
        postgres_copy.dump(parse_url(postgres_url), tmp_path / "one", quiet)


def test_empty_database_is_no_copy_of_ours(postgres_url: str, tmp_path: Path) -> None:
    postgres_copy.dump(parse_url(postgres_url), tmp_path / "one", quiet)
    with pytest.raises(DatabaseError, match="must be a database of ours"):
        postgres_copy.check(tmp_path / "one")
