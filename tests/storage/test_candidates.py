import math

import sqlalchemy as sa
from ideas import IDEA, MARKET, keep

from opportunity.storage.candidates import ACTIONS, Candidate, candidate_rows, known
from opportunity.storage.trading_tables import candidate


def test_rows_have_every_column_of_the_table() -> None:
    (row,) = candidate_rows("paper", 3, MARKET, [IDEA])
    assert set(row) == {c.name for c in candidate.c} - {"id"}
    assert (row["book"], row["epoch"], row["market"]) == ("paper", 3, MARKET)
    assert set(Candidate._fields) < set(row)


def test_what_is_not_known_is_null_in_the_database(engine: sa.Engine) -> None:
    keep(engine, [
        IDEA._replace(success=math.nan, atr=math.inf, stopped_by=("min_score", "direction"))
    ])  # fmt: skip
    with engine.connect() as connection:
        row = connection.execute(sa.select(candidate)).one()
    assert (row.success, row.atr, row.order_number) == (None, None, None)
    assert row.stopped_by == ["min_score", "direction"]
    assert row.contributions == dict(IDEA.contributions)


def test_numbers_that_are_not_finite_are_unknown() -> None:
    assert [known(v) for v in (1.5, math.nan, -math.inf)] == [1.5, None, None]
    assert len(set(ACTIONS)) == 5
