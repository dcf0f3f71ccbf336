"""Repositories are tried over both databases: a SQLite file and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres import Server

from opportunity.storage.database import open_database


@pytest.fixture(scope="session")
def migrated(postgres: Server) -> Iterator[str]:
    """Name of a database with the newest schema, from which others are made at once."""
    url = postgres.database()
    open_database(url).dispose()
    yield url.rpartition("/")[2]
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind; that of PostgreSQL has its tables already."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database(request.getfixturevalue("migrated"))
    yield url
    server.drop(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A migrated database of each kind."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
