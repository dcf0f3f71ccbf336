import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from opportunity.storage.engines import file_of, make_engine, parse_url, shown
from opportunity.storage.failures import DatabaseError
from opportunity.storage.tables import setting


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg"])
def test_spellings_of_postgresql_are_one(kind: str) -> None:
    url = parse_url(f"{kind}://me:geheim@db.example:5433/x?sslmode=require")
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.port, url.database) == ("me", "geheim", 5433, "x")
    assert url.query == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url",
    ["geheim", "mysql://me:geheim@h/x", "postgresql+asyncpg://me:geheim@h/x", "://geheim",
     "sqlite://me:geheim@h/x", "postgresql://me:geheim@h:port/x"],
)
def test_other_addresses_are_refused_without_being_shown(url: str) -> None:
    with pytest.raises(DatabaseError, match="must be") as caught:
        parse_url(url)
    assert "geheim" not in str(caught.value)


def test_shown_has_no_secret() -> None:
    text = shown(parse_url("postgres://me:geheim@h/x?password=geheim&options=-cgeheim"))
    assert text == "postgresql+psycopg://me:***@h/x"


def test_file_of_a_database() -> None:
    assert file_of(parse_url("sqlite:////a/b.sqlite")) == Path("/a/b.sqlite")
    for url in ("sqlite://", "sqlite:///:memory:", "postgresql://h/x"):
        assert file_of(parse_url(url)) is None


def test_missing_driver_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "opportunity.storage.patience", raising=False)
    monkeypatch.delattr("opportunity.storage.patience", raising=False)
    with pytest.raises(DatabaseError, match=r"pip install 'opportunity\[postgres\]'"):
        make_engine(parse_url("postgresql://me:geheim@h/x"))


def test_every_session_of_postgresql_has_limits(postgres_url: str) -> None:
    engine = make_engine(parse_url(f"{postgres_url}?options=-c%20geqo%3Doff"))
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "geqo",
             "application_name")
    with engine.connect() as connection:
        said = [connection.exec_driver_sql(f"SHOW {n}").scalar_one() for n in names]
    engine.dispose()
    assert said == ["5s", "3s", "1min", "off", "opportunity"]


def test_long_work_has_none(postgres_url: str) -> None:
    engine = make_engine(parse_url(postgres_url), patient=False)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
        assert connection.connection.driver_connection.answer_s == float("inf")
    engine.dispose()


def test_files_log_ahead_and_are_synchronised(tmp_path: Path) -> None:
    engine = make_engine(parse_url(f"sqlite:///{tmp_path / 'deep' / 'x.sqlite'}"))
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        said = [connection.exec_driver_sql(f"PRAGMA {n}").scalar_one() for n in pragmas]
    engine.dispose()
    assert said == ["wal", 2, 1, 5_000]


def test_wrong_password_is_an_error_without_it(postgres_url: str) -> None:
    engine = make_engine(parse_url(postgres_url.replace("not-to-be-shown", "geheim")))
    with pytest.raises(sa.exc.OperationalError, match="authentication failed") as caught:
        engine.connect()
    assert "geheim" not in str(caught.value)
    engine.dispose()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_become_null(engine: sa.Engine, value: float) -> None:
    body = {"a": [1, value, {"b": value}], "c": (value,), "d": 0.5}
    with engine.begin() as connection:
        connection.execute(sa.insert(setting).values(name="x", value=body, updated_at=0))
        found = connection.execute(sa.select(setting.c.value)).scalar_one()
    assert found == {"a": [1, None, {"b": None}], "c": [None], "d": 0.5}
