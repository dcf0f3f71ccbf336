from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from faulty import begin_book, check_book, commit_fills

from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.tables import setting
from opportunity.storage.transactions import repeated, told, writing


def put(connection: sa.Connection, name: str, value: object = 1) -> None:
    connection.execute(sa.insert(setting).values(name=name, value=value, updated_at=0))


def names(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(setting.c.name)).scalars())


def test_block_is_committed_at_its_end_and_rolled_back_when_it_raises(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        put(connection, "a")
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        [put(connection, name) for name in ("b", "a")]
    assert names(engine) == ["a"]


def test_what_is_read_holds_until_it_is_written(engine: sa.Engine) -> None:
    begin_book(engine)
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda _: commit_fills(engine), range(40)))
    assert sorted(versions) == list(range(1, 41))
    assert check_book(engine) == 40


def test_work_is_repeated_from_its_start(engine: sa.Engine) -> None:
    class Busy(Exception):
        sqlstate = "40001"

    tries = []

    def work(connection: sa.Connection) -> str:
        tries.append(len(tries))
        put(connection, f"try{len(tries)}")
        if len(tries) < 3:
            raise sa.exc.OperationalError("", None, Busy())
        return "done"

    assert repeated(engine, work, "x") == "done"
    assert names(engine) == ["try3"]


def test_what_stays_in_the_way_is_told_at_last(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opportunity.storage.transactions.ATTEMPTS", 3)

    class Busy(Exception):
        sqlite_errorcode = 5

    tries = []

    def work(_: sa.Connection) -> None:
        tries.append(1)
        raise sa.exc.OperationalError("", None, Busy("locked"))

    with pytest.raises(DatabaseError, match=r"^rows must be kept, were not: locked$"):
        repeated(engine, work, "rows must be kept, were not")
    assert len(tries) == 3


def test_a_broken_rule_is_the_callers_business_and_not_repeated(engine: sa.Engine) -> None:
    tries = []

    def work(connection: sa.Connection) -> None:
        tries.append(1)
        put(connection, "a")
        put(connection, "a")

    with pytest.raises(sa.exc.IntegrityError):
        repeated(engine, work, "x")
    assert (len(tries), names(engine)) == (1, [])


def test_errors_of_our_own_pass_through(engine: sa.Engine) -> None:
    def work(_: sa.Connection) -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        repeated(engine, work, "x")


def test_told_words_what_the_database_says(engine: sa.Engine) -> None:
    with pytest.raises(DatabaseError, match=r"^it must work, did not: .*nowhere"), told(
        "it must work, did not"
    ), engine.connect() as connection:
        connection.execute(sa.text("SELECT 1 FROM nowhere"))


def test_readers_of_a_file_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with writing(engine) as connection:
        put(connection, "a")
        assert names(engine) == []
    assert names(engine) == ["a"]
    engine.dispose()
