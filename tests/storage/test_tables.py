import pytest
import sqlalchemy as sa

from opportunity.storage import account_tables, trading_tables
from opportunity.storage.tables import (
    METADATA,
    bar_note,
    judged,
    observation,
    preset,
    promotion,
    setting,
    study_log,
    weights_version,
)

OWN = (setting, weights_version, preset, observation, bar_note, judged, study_log, promotion)
TABLES = pytest.mark.parametrize("table", OWN, ids=lambda t: t.name)


def test_these_tables_and_no_others() -> None:
    rooms = (trading_tables, account_tables)
    elsewhere = {v for room in rooms for v in vars(room).values() if isinstance(v, sa.Table)}
    assert set(METADATA.tables.values()) - elsewhere == set(OWN)
    assert {t.name for t in OWN} == {
        "setting",
        "weights_version",
        "preset",
        "observation",
        "bar_note",
        "judged",
        "study_log",
        "promotion",
    }


@TABLES
def test_every_row_has_a_key_and_says_when(table: sa.Table) -> None:
    assert len(table.primary_key) == 1
    stamps = [c for c in table.columns if c.name.endswith("_at")]
    assert len(stamps) == 1
    assert isinstance(stamps[0].type, sa.BigInteger)  # ms UTC do not fit into 32 bits


@TABLES
def test_nothing_may_be_left_out(table: sa.Table) -> None:
    assert not any(column.nullable for column in table.columns)


@TABLES
def test_keys_are_named_so_that_migrations_can_find_them(table: sa.Table) -> None:
    assert table.primary_key.name == f"pk_{table.name}"


@pytest.mark.parametrize("table", [setting, preset], ids=lambda t: t.name)
def test_names_have_a_length_that_every_database_can_index(table: sa.Table) -> None:
    (key,) = table.primary_key
    assert key.name == "name"
    assert key.type.length == 64
