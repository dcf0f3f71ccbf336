"""Results as files: csv for spreadsheets, json and parquet for programs, html for people.

A spreadsheet runs text that begins like a formula, so such text gets an apostrophe in front;
numbers are written as numbers and stay numbers.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, Literal, get_args

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from opportunity.backtest.tables import TABLES, TIMES, Column, Exportable, plain, table_of
from opportunity.errors import unknown
from opportunity.market.timeframe import MINUTE_MS

Format = Literal["csv", "json", "parquet", "html"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

PIECE: Final = 5_000
"""Values that are written in one call: each holds the interpreter, and a server has others to
serve."""

MEDIA: Final[dict[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
}

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings that a spreadsheet takes for a formula; the last four are their wide forms."""

TRADE_COLUMNS: Final[dict[str, str]] = {
    "Trade ID": "number", "Symbol": "symbol", "Entry Time": "entry_ts", "Exit Time": "exit_ts",
    "Direction": "side", "Entry Price": "entry_price", "Exit Price": "exit_price",
    "Quantity": "quantity", "PnL": "profit", "PnL %": "percent", "Exit Reason": "exit_reason",
    "R-Multiple": "r_multiple", "Fees": "fees", "Slippage": "slippage", "Funding": "funding",
    "MAE": "mae", "MFE": "mfe", "Bars": "bars", "Fills": "n_fills", "Score": "score",
    "Confidence": "confidence",
}  # fmt: skip
"""Title in a csv of trades -> column; `PnL %` is the only percentage, everything else fractions."""


def export(
    result: Exportable, about: Mapping[str, Any], format: str = "csv", table: str = "trades"
) -> bytes:
    """Write a result as a file.

    Parameters
    ----------
    result : BacktestResult
    about : mapping
        ``config`` (a mapping) and whatever else belongs to the run, e.g. ``capsule`` and
        ``warnings``; plain values.
    format : str
        One of `FORMATS`.
    table : str
        What a csv or parquet file holds, one of `TABLES`; json and html hold all.

    Raises
    ------
    ValueError
        If format or table are not known.
    """
    if format not in FORMATS:
        raise ValueError(unknown("format", format, FORMATS))
    columns = table_of(result, table)
    if format == "html":
        from opportunity.backtest.report import report

        return report(result, about).encode()
    if format == "json":
        return _json(result, about)
    if format == "parquet":
        return _parquet(result, about, columns)
    return _csv(result, about, plain(columns), table)


def safe_cell(value: Any) -> Any:
    """Return a csv cell that no spreadsheet takes for a formula; numbers are left alone."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def flatten(values: Mapping[str, Any], head: str = "") -> Iterable[tuple[str, Any]]:
    """Yield the leaves of nested mappings under dotted names; a list becomes one text."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{head}{name}.")
        elif isinstance(value, list | tuple):
            yield head + name, "; ".join(str(part) for part in value)
        else:
            yield head + name, value


def _csv(
    result: Exportable, about: Mapping[str, Any], rows: dict[str, list[Any]], table: str
) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    head = {"source": result.source, **about, "metrics": result.metrics.as_dict()}
    writer.writerows([[_cell(name), _cell(value)] for name, value in flatten(head)])
    writer.writerow([])
    titles = {name: name for name in rows}
    if table == "trades":
        rows["percent"] = [100.0 * share for share in rows["profit_fraction"]]
        titles = TRADE_COLUMNS
    for name in TIMES:
        if name in rows:
            rows[name] = _texts(rows[name])
    writer.writerow(list(titles))
    columns = [[_cell(cell) for cell in rows[name]] for name in titles.values()]
    cells = zip(*columns, strict=True)
    while part := list(islice(cells, PIECE)):
        writer.writerows(part)
    return out.getvalue().encode()


def _texts(times: list[int]) -> list[str]:
    """Write times as ISO 8601 in UTC, to the minute where all of them are whole ones."""
    unit: Literal["m", "ms"] = "m" if all(time % MINUTE_MS == 0 for time in times) else "ms"
    found: list[str] = []
    for first in range(0, len(times), PIECE):
        stamps = np.array(times[first : first + PIECE], dtype=np.int64).astype("datetime64[ms]")
        found += [text + "Z" for text in np.datetime_as_string(stamps, unit=unit).tolist()]
    return found


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return safe_cell(str(value) if isinstance(value, bool) else value)


def _json(result: Exportable, about: Mapping[str, Any]) -> bytes:
    head = {"source": result.source, **about, "metrics": result.metrics.as_dict()}
    parts = [orjson.dumps(head)[:-1]]  # writes NaN as null
    for table in TABLES:
        columns = plain(table_of(result, table))
        inside = b",".join(b'"%s":%s' % (n.encode(), _list(v)) for n, v in columns.items())
        parts.append(b',"%s":{%s}' % (table.encode(), inside))
    return b"".join([*parts, b"}"])


def _list(values: list[Any]) -> bytes:
    pieces = (values[first : first + PIECE] for first in range(0, len(values), PIECE))
    return b"[%s]" % b",".join(orjson.dumps(piece)[1:-1] for piece in pieces)


def _parquet(
    result: Exportable, about: Mapping[str, Any], columns: Mapping[str, Column]
) -> bytes:
    stamp = pa.timestamp("ms", "UTC")
    arrays = {
        name: pa.array(values, stamp if name in TIMES else _arrow_type(values))
        for name, values in columns.items()
    }
    told = {"source": result.source, **about, "metrics": result.metrics.as_dict()}
    table = pa.table(arrays).replace_schema_metadata({"opportunity": orjson.dumps(told)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _arrow_type(values: Column) -> Any:
    return pa.string() if isinstance(values, list) else None
