"""Tables as files: checked rows as csv for spreadsheets, json and parquet for programs.

A spreadsheet runs text that begins like a formula, so such text gets an apostrophe in front;
numbers are written as numbers and stay numbers. Times are ISO 8601 in a csv, timestamps in a
parquet file, and ms UTC in json.
"""

import csv
import io
import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from opportunity.backtest.export import MEDIA, safe_cell
from opportunity.contracts.base import Answer

PIECE: Final = 2_000
"""Rows that are written in one call: each holds the interpreter, and a server has others to
serve."""

TIMES: Final = frozenset({"time", "ts", "opened", "closed", "known", "scanned_at"})
"""Fields that hold ms UTC."""

_PLAIN: Final[dict[Any, Any]] = {
    int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one model.

    Parameters
    ----------
    what : str
        Their name, e.g. ``trades``.
    model : type
        Of the rows: flat, so that each field is a column.
    rows : sequence of Answer
    complete : bool
        False where older rows were left out.
    source : str
        Of the market that they are about.
    """

    what: str
    model: type[Answer]
    rows: Sequence[Answer]
    complete: bool
    source: str

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.model.model_fields)


def file_of(table: Table, format: str) -> tuple[bytes, str]:
    """Return a table as a file, and its media type; `format` is csv, json or parquet."""
    write = {"csv": _csv, "json": _json, "parquet": _parquet}[format]
    return write(table), MEDIA[format]


def _csv(table: Table) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    names = table.columns
    writer.writerow(names)
    for first in range(0, len(table.rows), PIECE):
        rows = [row.model_dump() for row in table.rows[first : first + PIECE]]
        writer.writerows([[_cell(name, row[name]) for name in names] for row in rows])
    return out.getvalue().encode()


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in TIMES:
        stamp = datetime.fromtimestamp(value / 1_000, UTC).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")
    return safe_cell(str(value) if isinstance(value, bool) else value)


def _json(table: Table) -> bytes:
    head = {
        "what": table.what, "source": table.source, "complete": table.complete,
        "count": len(table.rows),
    }  # fmt: skip
    pieces = []
    for first in range(0, len(table.rows), PIECE):
        rows = [row.model_dump() for row in table.rows[first : first + PIECE]]
        pieces.append(orjson.dumps(rows)[1:-1])
    return orjson.dumps(head)[:-1] + b',"rows":[' + b",".join(pieces) + b"]}"


def _parquet(table: Table) -> bytes:
    dumped = [row.model_dump() for row in table.rows]
    arrays = {
        name: pa.array([row[name] for row in dumped], arrow_type(table.model, name))
        for name in table.columns
    }
    told = {"what": table.what, "source": table.source, "complete": table.complete}
    made = pa.table(arrays).replace_schema_metadata({"opportunity": orjson.dumps(told)})
    sink = pa.BufferOutputStream()
    pq.write_table(made, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def arrow_type(model: type[Answer], name: str) -> Any:
    """Return the type of a column, the same whether there are rows or not.

    Raises
    ------
    TypeError
        If the field is none that a column can hold.
    """
    kind = _bare(model.model_fields[name].annotation)
    if name in TIMES and kind is int:
        return pa.timestamp("ms", "UTC")
    if kind not in _PLAIN:
        raise TypeError(f"{model.__name__}.{name} must be plain, was {kind}")
    return _PLAIN[kind]


def _bare(annotation: Any) -> Any:
    """Return the plain type behind optional, annotated and literal ones."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin is Literal:
        return type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        kinds = {_bare(one) for one in get_args(annotation) if one is not type(None)}
        return kinds.pop() if len(kinds) == 1 else annotation
    return annotation
