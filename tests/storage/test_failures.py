import pysqlite3
import pytest
import sqlalchemy as sa

from opportunity.errors import OpportunityError
from opportunity.storage.failures import (
    DatabaseError,
    StorageFull,
    failure,
    is_full,
    is_repeatable,
)


class Driver(Exception):
    """An error as drivers have them."""

    def __init__(self, code: int | None = None, state: str | None = None) -> None:
        super().__init__("no\nroom")
        self.sqlite_errorcode, self.sqlstate = code, state


def wrapped(cause: Exception) -> sa.exc.DBAPIError:
    return sa.exc.OperationalError("INSERT INTO secret VALUES (?)", ("canary",), cause)


@pytest.mark.parametrize(
    ("cause", "full", "repeatable"),
    [
        (Driver(13), True, False),  # FULL
        (Driver(10), True, False),  # IOERR
        (Driver(10 | 3 << 8), True, False),  # IOERR_WRITE
        (Driver(8 | 1 << 8), True, False),  # READONLY_RECOVERY
        (Driver(5), False, True),  # BUSY
        (Driver(5 | 2 << 8), False, True),  # BUSY_SNAPSHOT
        (Driver(19), False, False),  # CONSTRAINT
        (Driver(state="53100"), True, False),
        (Driver(state="25006"), True, False),
        (Driver(state="40001"), False, True),
        (Driver(state="40P01"), False, True),
        (Driver(state="57P01"), False, False),  # shut down
        (Driver(), False, False),
    ],
)
def test_kinds_are_told_apart(cause: Driver, full: bool, repeatable: bool) -> None:
    for error in (cause, wrapped(cause)):
        assert is_full(error) is full
        assert is_repeatable(error) is repeatable
    made = failure(wrapped(cause), "rows must be kept, were not")
    assert type(made) is (StorageFull if full else DatabaseError)


def test_text_is_one_line_without_statement_and_values() -> None:
    made = failure(wrapped(Driver(13)), "rows must be kept, were not")
    assert str(made) == "rows must be kept, were not: no room"


def test_errors_of_sqlalchemy_itself_have_a_text_too() -> None:
    assert str(failure(sa.exc.TimeoutError("pool"), "x")) == "x: pool"


def test_waiting_may_help_when_there_is_no_room() -> None:
    assert issubclass(StorageFull, DatabaseError)
    assert issubclass(DatabaseError, OpportunityError)
    assert StorageFull("x").passing
    assert not DatabaseError("x").passing


def test_read_only_file_of_sqlite_is_recognised(tmp_path) -> None:
    path = tmp_path / "x.sqlite"
    connection = pysqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    connection = pysqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    with pytest.raises(pysqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    assert is_full(caught.value)
