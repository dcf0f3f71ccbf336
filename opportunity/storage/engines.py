"""Engines: which databases there are, how they are reached, and what their connections promise."""

import json
import math
from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa

from opportunity.storage.failures import DatabaseError

BUSY_TIMEOUT_S: Final = 5.0
LOG_BYTES: Final = 64 << 20
"""To what a write-ahead log is cut that grew while somebody read for long."""

POOL: Final = {
    "pool_size": 5, "max_overflow": 10, "pool_timeout": 5.0, "pool_recycle": 1_800,
    "pool_pre_ping": True,
}  # fmt: skip
"""A connection is tried before it is used, as the server may have gone and come back; whoever
gets none within `pool_timeout` seconds is told so."""

_POSTGRES: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})


def parse_url(url: str) -> sa.URL:
    """Return an address with its driver: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@...``.

    `postgres://`, as many hosts write it, and `postgresql+psycopg://` are the same.

    Raises
    ------
    DatabaseError
        If it is none of these; the address is not shown, as it may hold a password.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise DatabaseError(
            "address of the database must be sqlite:///FILE or postgresql://HOST/NAME, is not"
        ) from None
    if parsed.drivername in _POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.host or parsed.username or parsed.password:
            raise DatabaseError("address of a SQLite file must be sqlite:///FILE, has a host")
        return parsed.set(drivername="sqlite")
    raise DatabaseError(
        f"database must be of kind sqlite or postgresql, was {parsed.drivername!r}"
    )


def shown(url: sa.URL) -> str:
    """Return an address without its password and without its options, which may hold one too."""
    return url.set(query={}).render_as_string(hide_password=True)


def file_of(url: sa.URL) -> Path | None:
    """Return the file of a SQLite database; None in memory, and for a server."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def make_engine(url: sa.URL, patient: bool = True) -> sa.Engine:
    """Return an engine that connects when it is first used.

    Parameters
    ----------
    url : URL
        Of `parse_url`.
    patient : bool
        False for long work, such as a migration: a server may take as long as it likes.

    Raises
    ------
    DatabaseError
        If the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        from opportunity.storage import patience
    except ImportError as error:
        raise DatabaseError(
            "PostgreSQL must have its driver, which is not installed: "
            "pip install 'opportunity[postgres]'"
        ) from error
    settings = patience.options() if patient else patience.options(0, 0)
    given = url.query.get("options", "")
    defaults: dict[str, Any] = {
        "connect_timeout": patience.CONNECT_S, "application_name": "opportunity",
        "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    }  # fmt: skip
    arguments: dict[str, Any] = {k: v for k, v in defaults.items() if k not in url.query}
    arguments["options"] = " ".join(filter(None, (settings, str(given))))
    engine = sa.create_engine(url, connect_args=arguments, json_serializer=_json, **POOL)

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, args: Any, kwargs: Any) -> Any:
        connection = patience.PatientConnection.connect(*args, **kwargs)
        if not patient:
            connection.answer_s = float("inf")
        return connection

    return engine


def _sqlite(url: sa.URL) -> sa.Engine:
    path = file_of(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url, module=pysqlite3, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=_json
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
    cursor.close()


def _json(value: Any) -> str:
    """Write JSON as every database takes it: what is not a finite number becomes null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
