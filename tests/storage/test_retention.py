import pytest
import sqlalchemy as sa

from opportunity.config_lists import RETENTION_DAYS
from opportunity.storage.retention import DAY_MS, RULES, cutoff
from opportunity.storage.trading_tables import METADATA

FOR_EVER = {"book", "position", "paper_order", "fill", "trade"}


def test_rules_are_those_of_the_settings() -> None:
    assert {rule.table for rule in RULES} == set(RETENTION_DAYS)
    assert len(RULES) == len(RETENTION_DAYS)


def test_money_is_accounted_for_since_its_beginning() -> None:
    assert not FOR_EVER & {rule.table for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.table)
def test_columns_are_there(rule) -> None:
    columns = METADATA.tables[rule.table].columns
    assert isinstance(columns[rule.time].type, sa.BigInteger)
    assert not columns[rule.time].nullable
    assert not rule.of or rule.of in columns
    assert not rule.but or rule.but[0] in columns


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.table)
def test_what_is_of_the_wall_clock_is_named_so(rule) -> None:
    """Feed time may be of another year: its age is counted from the newest row."""
    assert bool(rule.of) == (rule.table in ("candidate", "equity_mark", "bar_note", "observation"))


def test_cutoff() -> None:
    rule = RULES[0]
    now = 1_000 * DAY_MS
    assert cutoff(rule, {}, now) == now - RETENTION_DAYS[rule.table] * DAY_MS
    assert cutoff(rule, {rule.table: 3}, now) == 997 * DAY_MS
    assert cutoff(rule, {rule.table: 0}, now) is None
