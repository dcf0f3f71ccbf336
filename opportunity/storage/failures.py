"""What can go wrong with a database, told apart: no room left is not the same as not reachable."""

from typing import Any, Final

import sqlalchemy as sa

from opportunity.errors import DatabaseError as DatabaseError
from opportunity.errors import StorageFull as StorageFull

SQLITE_FULL: Final = frozenset({8, 10, 13})
"""Primary result codes READONLY, IOERR and FULL: the file cannot be written to as it is now."""

POSTGRES_FULL: Final = frozenset({"53100", "58030", "25006"})
"""SQLSTATE of disk full, an I/O error, and a server that takes no writes."""

_REPEATABLE: Final = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock
_SQLITE_BUSY: Final = frozenset({5, 6})


def is_full(error: BaseException) -> bool:
    """Say whether an error of the driver or of SQLAlchemy means that nothing can be written."""
    code, state = _codes(error)
    return code in SQLITE_FULL or state in POSTGRES_FULL


def is_repeatable(error: BaseException) -> bool:
    """Say whether the same transaction may go well at once: somebody else was in the way."""
    code, state = _codes(error)
    return code in _SQLITE_BUSY or state in _REPEATABLE


def failure(error: sa.exc.SQLAlchemyError, text: str) -> DatabaseError:
    """Word an error of the database, e.g. of `text` "notes must be kept, were not".

    Statements and their values are left out: they may hold what is nobody's business.
    """
    kind = StorageFull if is_full(error) else DatabaseError
    cause = getattr(error, "orig", None) or error
    return kind(f"{text}: {' '.join(str(cause).split())}")


def _codes(error: BaseException) -> tuple[int | None, str | None]:
    """Return SQLite's primary result code and PostgreSQL's SQLSTATE, where there is one."""
    cause: Any = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    state = getattr(cause, "sqlstate", None)
    return (None if code is None else code & 0xFF), state
