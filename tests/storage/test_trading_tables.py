import pytest
import sqlalchemy as sa

from opportunity.storage import tables, trading_tables

OWN = {
    name: value for name, value in vars(trading_tables).items() if isinstance(value, sa.Table)
}
ALL = pytest.mark.parametrize("table", OWN.values(), ids=lambda t: t.name)

MAY_BE_UNKNOWN = {
    "paper_order": {"limit_price", "distance", "score", "confidence"},
    "trade": {"r", "mae", "mfe", "score", "confidence"},
    "candidate": {"success", "atr", "order_number"},
    "event": {"channel", "stream_seq"},
    "outbox": {"sent_at"},
    "price_alert": {"fired_at"},
    "shadow": {"stopped_at"},
}
"""Columns without a value where nothing was asked, measured or has happened yet; no others."""

OF_BOOKS = ("position", "paper_order", "fill", "trade", "equity_mark")
TIMES = {"time", "opened", "closed", "begun", "known"}


def test_these_tables_and_no_others() -> None:
    assert set(OWN) == {
        "book", "position", "paper_order", "fill", "trade", "equity_mark", "candidate", "outcome",
        "event", "lease", "idempotent", "outbox", "price_alert", "watchlist", "shadow",
        "stream_epoch", "stream_head",
    }
    assert all(name == table.name for name, table in OWN.items())
    assert all(table.metadata is tables.METADATA for table in OWN.values())


@ALL
def test_every_row_has_a_named_key(table: sa.Table) -> None:
    assert table.primary_key.name == f"pk_{table.name}"
    assert len(table.primary_key) >= 1


@ALL
def test_every_row_says_when_in_64_bits(table: sa.Table) -> None:
    times = [c for c in table.columns if c.name in TIMES or c.name.endswith("_at")]
    assert times or table.name == "position"  # how its book stands
    assert all(isinstance(c.type, sa.BigInteger) for c in times)
    stamps = {c.name for c in times if c.name.endswith("_at")} - {"sent_at", "next_at"}
    assert len({s for s in stamps if not s.endswith(("fired_at", "stopped_at"))}) <= 1


@ALL
def test_only_what_may_be_unknown_may_be_left_out(table: sa.Table) -> None:
    unknown = {column.name for column in table.columns if column.nullable}
    assert unknown == MAY_BE_UNKNOWN.get(table.name, set())


@pytest.mark.parametrize("name", OF_BOOKS)
def test_rows_of_a_book_are_told_apart_by_book_and_epoch(name: str) -> None:
    key = [column.name for column in OWN[name].primary_key]
    assert key[:2] == ["book", "epoch"]
    assert len(key) == 3


@pytest.mark.parametrize("name", OF_BOOKS)
def test_numbers_of_a_book_are_given_never_made_by_the_database(name: str) -> None:
    assert OWN[name].autoincrement_column is None


@ALL
def test_texts_have_a_length(table: sa.Table) -> None:
    texts = [c for c in table.columns if isinstance(c.type, sa.String)]
    assert all(c.type.length for c in texts)


def test_what_must_happen_once_has_a_key_of_its_own() -> None:
    for name in ("event", "outbox"):
        assert OWN[name].columns["key"].unique
    assert [c.name for c in OWN["idempotent"].primary_key] == ["key"]


def test_outcomes_go_with_their_candidate() -> None:
    (link,) = OWN["outcome"].foreign_keys
    assert link.target_fullname == "candidate.id"
    assert link.ondelete == "CASCADE"
