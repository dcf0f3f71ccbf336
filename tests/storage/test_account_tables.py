import pytest
import sqlalchemy as sa

from opportunity.storage import account_tables, tables

OWN = {n: t for n, t in vars(account_tables).items() if isinstance(t, sa.Table)}
ALL = pytest.mark.parametrize("table", OWN.values(), ids=lambda t: t.name)


def test_these_tables_and_no_others() -> None:
    assert set(OWN) == {"account", "api_key", "login"}
    assert all(name == table.name for name, table in OWN.items())
    assert all(table.metadata is tables.METADATA for table in OWN.values())


@ALL
def test_every_row_has_a_named_key_and_says_when_it_was_made(table: sa.Table) -> None:
    assert table.primary_key.name == f"pk_{table.name}"
    assert len(table.primary_key) == 1
    assert isinstance(table.c.created_at.type, sa.BigInteger)


@ALL
def test_texts_have_a_length(table: sa.Table) -> None:
    texts = [c for c in table.columns if isinstance(c.type, sa.String)]
    assert all(c.type.length for c in texts)


def test_only_what_may_not_have_happened_may_be_left_out() -> None:
    unknown = {(t.name, c.name) for t in OWN.values() for c in t.columns if c.nullable}
    assert unknown == {("api_key", "expires"), ("api_key", "last_used")}


def test_no_column_is_for_a_secret_itself() -> None:
    names = {c.name for t in OWN.values() for c in t.columns}
    assert not names & {"secret", "token", "key"}


def test_logins_go_with_their_account() -> None:
    (link,) = OWN["login"].foreign_keys
    assert link.target_fullname == "account.name"
    assert link.ondelete == "CASCADE"
