"""Files of rows: what goes in comes out, and no spreadsheet runs it."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.export_rows import TABLES
from app.table_files import PIECE, Table, arrow_type, file_of
from opportunity.contracts.base import Answer, Number


class Row(Answer):
    time: int
    text: str
    value: Number
    maybe: int | None = None
    yes: bool = True


def table(rows, complete=True):
    return Table("things", Row, rows, complete, "simulated")


def csv_of(rows):
    data, media = file_of(table(rows), "csv")
    assert media == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1dA1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text) -> None:
    assert csv_of([Row(time=0, text=text, value=1.0)])[0]["text"] == "'" + text


def test_numbers_and_times_of_a_csv() -> None:
    row = csv_of([Row(time=1_767_614_400_123, text="a,\"b\"", value=-1.5, maybe=-3)])[0]
    assert row == {
        "time": "2026-01-05T12:00:00.123Z", "text": 'a,"b"', "value": "-1.5", "maybe": "-3",
        "yes": "True",
    }  # fmt: skip
    empty = csv_of([Row(time=0, text="", value=float("nan"))])[0]
    assert (empty["value"], empty["maybe"], empty["text"]) == ("", "", "")


@given(st.lists(st.builds(
    Row, time=st.integers(0, 2**41), text=st.text(max_size=20),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    maybe=st.none() | st.integers(-(2**50), 2**50), yes=st.booleans(),
), max_size=30))  # fmt: skip
def test_what_goes_in_comes_out(rows) -> None:
    plain = [row.model_dump() for row in rows]
    data, media = file_of(table(rows), "json")
    assert media.startswith("application/json")
    body = json.loads(data)
    assert body.pop("rows") == plain
    assert body == {
        "what": "things", "source": "simulated", "complete": True, "count": len(rows)
    }
    data, _ = file_of(table(rows, False), "parquet")
    read = pq.read_table(io.BytesIO(data))
    told = [row | {"time": int(row["time"].timestamp() * 1_000 + 0.5)} for row in read.to_pylist()]
    assert told == plain
    assert read.schema.field("time").type == pa.timestamp("ms", "UTC")
    assert json.loads(read.schema.metadata[b"opportunity"])["complete"] is False
    assert len(csv_of(rows)) == len(rows)


def test_pieces_join() -> None:
    rows = [Row(time=i, text=str(i), value=i / 2) for i in range(2 * PIECE + 1)]
    assert [row["text"] for row in csv_of(rows)] == [str(i) for i in range(len(rows))]
    assert json.loads(file_of(table(rows), "json")[0])["rows"][-1]["time"] == 2 * PIECE


@pytest.mark.parametrize("what", TABLES)
def test_columns_of_a_table_have_types_without_any_row(what) -> None:
    model = TABLES[what][0]
    for name in model.model_fields:
        assert arrow_type(model, name) in (
            pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.timestamp("ms", "UTC")
        )
    data, _ = file_of(Table(what, model, [], True, "simulated"), "parquet")
    assert pq.read_table(io.BytesIO(data)).column_names == list(model.model_fields)


def test_field_that_is_no_column_is_an_error() -> None:
    class Deep(Answer):
        parts: list[int]

    with pytest.raises(TypeError, match=r"Deep\.parts must be plain, was list"):
        arrow_type(Deep, "parts")
