import pytest

from opportunity.errors import ConflictError
from opportunity.storage.account_rows import (
    Account,
    Change,
    Key,
    Known,
    LastAdminError,
    Login,
    TooManyError,
)


@pytest.mark.parametrize(
    "row",
    [Account("anna", "admin", "SECRET", 1, 1), Key("k", "SECRET", "n", "viewer", "anna", 1),
     Login("l", "refresh", "anna", "SECRET", 1, 1, 2), Change(None, "SECRET", "l")],
    ids=lambda row: type(row).__name__,
)  # fmt: skip
def test_hashes_are_in_no_repr(row):
    assert "SECRET" not in repr(row)
    assert row != type(row)(*(getattr(row, n) if getattr(row, n) != "SECRET" else "other"
                              for n in row.__slots__))  # fmt: skip


def test_nothing_is_known_at_first():
    assert Known() == Known((), (), ())


def test_refused_changes_are_conflicts():
    assert issubclass(LastAdminError, ConflictError)
    assert issubclass(TooManyError, ConflictError)
