import numpy as np

from opportunity.trading import records
from opportunity.trading.records import (
    BREAKERS,
    DECISION,
    REASONS,
    STATES,
    STATUSES,
    columns_of,
)


def test_codes_have_their_names():
    assert len(REASONS) == records.GONE + 1
    assert len(STATUSES) == records.PROBING + 1
    assert len(BREAKERS) == records.STALENESS + 1
    assert len(STATES) == records.HALF_OPEN + 1
    assert REASONS[records.STOP] == "SL"
    assert REASONS[records.END] == "END_OF_TEST"
    assert STATUSES[records.TOO_SMALL] == "too small"
    assert STATUSES[records.FLAGGED] == "gap"
    assert (STATUSES[records.STALE], STATUSES[records.PROBING]) == ("stale_data", "half_open")
    assert (REASONS[records.MANUAL], REASONS[records.GONE]) == ("MANUAL", "GONE")
    assert BREAKERS[records.STREAK] == "losing_streak"
    assert STATES[records.OPEN] == "OPEN"


def test_columns_are_contiguous_and_in_the_order_of_the_fields():
    rows = np.zeros(3, DECISION)
    rows["side"], rows["flagged"], rows["atr"] = [-1, 0, 1], [0, 1, 0], [1.0, np.nan, 2.0]
    columns = columns_of(rows)
    assert len(columns) == len(DECISION.names)
    for name, column in zip(DECISION.names, columns, strict=True):
        assert column.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(column, rows[name])
    assert {c.dtype.str for c in columns} == {"<i8", "|i1", "<f8"}
