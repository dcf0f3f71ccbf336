"""Read bars from a file: Parquet, Feather, CSV or JSON, as exchanges and pandas write them."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from opportunity.errors import BarError, unknown
from opportunity.market.bars import Bars
from opportunity.market.frames import COLUMNS, TIME_NAMES, Unit
from opportunity.market.quality import require_valid
from opportunity.market.symbols import parse_symbol

POSITIONS: Final = ("time", *COLUMNS)
"""What the places of a bar mean where it is a plain list, as in ccxt and exchange dumps."""

NAMELESS: Final = "__index_level_0__"
"""What pandas calls an index without a name in Parquet and Feather."""


def read_bars(
    path: str | os.PathLike[str], unit: Unit = "ms", check: bool = True, **labels: Any
) -> Bars:
    """Read the bars in a file.

    Parameters
    ----------
    path : path-like
        File ending in ``.parquet``, ``.feather``, ``.csv``, ``.csv.gz`` or ``.json``. Columns
        as in `Bars.from_frame`. CSV without a header and JSON lists are read by place: time,
        open, high, low, close, volume; more places are ignored. JSON may also be a list of
        records or what `DataFrame.to_json` writes (records, split, columns, index, table).
    unit : {"ms", "s", "us", "ns"}
        What integer times count.
    check : bool
        Whether to refuse bars that break a rule; without it `inspect` can report on them.
    **labels
        `timeframe`, `symbol` and `source` of the result; the timeframe is inferred where the
        times leave no doubt, the symbol may be in any spelling that `parse_symbol` knows.

    Returns
    -------
    Bars
        The rows in the order of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the symbol is none, such as ``HELLO``.
    BarError
        If the file is not of its format, lacks a column, holds something that is not a number
        or a time, or (with `check`) breaks a rule of `require_valid`. The text starts with the
        path.
    """
    path = Path(path)
    if labels.get("symbol"):
        labels["symbol"] = parse_symbol(labels["symbol"])
    reader = _reader(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must name a file, was {str(path)!r}")
    try:
        bars = Bars.from_frame(reader(path), unit=unit, **labels)
        if check:
            require_valid(bars)
    except (ValueError, TypeError, pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise BarError(f"{path}: {error}") from error
    return bars


def _reader(path: Path) -> Callable[[Path], pd.DataFrame]:
    name = path.name.lower()
    for ending, reader in READERS.items():
        if name.endswith(ending):
            return reader
    raise BarError(f"{path}: {unknown('file ending', Path(name).suffix, READERS)}")


def _read_parquet(path: Path) -> pd.DataFrame:
    return _from_table(pq.read_table(path, use_threads=False))


def _read_feather(path: Path) -> pd.DataFrame:
    return _from_table(feather.read_table(path, use_threads=False))


def _from_table(table: pa.Table) -> pd.DataFrame:
    # What pandas noted about its index is not trusted: damaged notes raise anything.
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    named = {str(c).lower() for c in frame.columns} & {*TIME_NAMES}
    return frame if named else frame.rename(columns={NAMELESS: "time"})


def _read_csv(path: Path) -> pd.DataFrame:
    head = pd.read_csv(path, nrows=1, header=None, dtype=str)
    if str(head.iloc[0, 0]).strip().isdigit():  # exchange dumps have no header
        return pd.read_csv(
            path, header=None, usecols=range(len(POSITIONS)), names=list(POSITIONS)
        )
    return pd.read_csv(path)


def _read_json(path: Path) -> pd.DataFrame:
    raw = path.read_bytes()
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        start = raw[:30].decode("utf-8", "replace")
        raise ValueError(f"file must hold JSON, starts with {start!r}: {error}") from error
    return _from_json(data)


def _from_json(data: Any) -> pd.DataFrame:
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        rows = data["data"]
        if _all(rows, dict):  # orient table
            return pd.DataFrame(rows)
        if _all(rows, list) and _all(data.get("columns"), str):  # orient split
            return _from_split(rows, data["columns"], data.get("index"))
    elif isinstance(data, dict) and data and _all(list(data.values()), dict):
        by_row = {*COLUMNS}.isdisjoint(k.lower() for k in data)
        return pd.DataFrame.from_dict(data, orient="index" if by_row else "columns")
    elif _all(data, list):
        return _by_position(data)
    elif _all(data, dict):
        return pd.DataFrame(data)
    raise ValueError(
        "JSON must be a list of bars, a list of records or a DataFrame, was "
        + (f"an object with {', '.join(data)[:80]}" if isinstance(data, dict)
           else "a list of mixed things" if isinstance(data, list) else repr(data)[:80])
    )


def _all(data: Any, kind: type) -> bool:
    return isinstance(data, list) and all(isinstance(x, kind) for x in data)


def _from_split(rows: list[list[Any]], columns: list[str], index: Any) -> pd.DataFrame:
    wrong = next((r for r in rows if len(r) != len(columns)), None)
    if wrong is not None:
        raise ValueError(f"a row must have {len(columns)} places, had {len(wrong)}")
    if not isinstance(index, list) or len(index) != len(rows) or index == [*range(len(rows))]:
        index = None
    return pd.DataFrame(rows, columns=columns, index=index)


def _by_position(rows: list[list[Any]]) -> pd.DataFrame:
    wrong = next((r for r in rows if len(r) < len(POSITIONS)), None)
    if wrong is not None:
        raise ValueError(f"a bar must have {', '.join(POSITIONS)}, had {len(wrong)} places")
    return pd.DataFrame([r[: len(POSITIONS)] for r in rows], columns=list(POSITIONS))


READERS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    ".parquet": _read_parquet,
    ".feather": _read_feather,
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".json": _read_json,
}
