"""One Parquet file of bars: read a window, tell its coverage, replace it atomically."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.frames import COLUMNS
from opportunity.market.timeframe import TimeArray, utc_text

SCHEMA: Final = pa.schema(
    [("timestamp", pa.timestamp("ms", "UTC")), *((c, pa.float64()) for c in COLUMNS)]
)
ROW_GROUP: Final = 1 << 16
"""Rows that are read together: a window of minutes need not read years."""

_TO_MS: Final = {"s": (1_000, 1), "ms": (1, 1), "us": (1, 1_000), "ns": (1, 1_000_000)}
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a stored file holds.

    Parameters
    ----------
    first, last : int
        Opening times of the first and last bar, milliseconds UTC; 0 when there is none.
    n_bars : int
        Number of bars; fewer than the span holds where there are gaps.
    """

    first: int
    last: int
    n_bars: int

    def __str__(self) -> str:
        if not self.n_bars:
            return "no bars"
        return f"{self.n_bars} bars, {utc_text(self.first)} to {utc_text(self.last)}"


def read_coverage(path: Path) -> Coverage:
    """Read what a file covers from its metadata alone.

    Raises
    ------
    BarError
        If the file is not a Parquet file of bars.
    """
    with _opened(path) as file:
        n = file.metadata.num_rows
        spans = [s for s in _spans(file) if s is not None]
        if n and len(spans) < file.num_row_groups:  # written by something without statistics
            times = _times(file.read(["timestamp"]))
            spans = [(int(times.min()), int(times.max()))]
        return Coverage(min(s[0] for s in spans), max(s[1] for s in spans), n) if n else (
            Coverage(0, 0, 0)
        )


def read_window(path: Path, start: int | None, end: int | None, limit: int | None) -> Bars:
    """Read the newest `limit` bars with opening time in [start, end) from a sorted file.

    Raises
    ------
    BarError
        If the file is not a Parquet file of bars or has empty cells.
    """
    with _opened(path) as file:
        spans = _spans(file)
        groups = [
            i for i, span in enumerate(spans)
            if span is None
            or ((start is None or span[1] >= start) and (end is None or span[0] < end))
        ]
        if limit is not None and None not in spans:
            groups = _newest(groups, file, limit)
        table = file.read_row_groups(groups, columns=list(SCHEMA.names), use_threads=False)
        values = np.stack([_floats(table, c) for c in COLUMNS], axis=1)
        bars = Bars(_times(table), values).between(start, end)
    return bars if limit is None else bars[max(0, len(bars) - limit) :]


def replace_file(path: Path, bars: Bars) -> None:
    """Write bars so that `path` holds either the old or the new file, never a part of one."""
    columns = [pa.array(bars.time, pa.int64()).cast(SCHEMA.field(0).type)]
    columns += [pa.array(bars.values[:, i]) for i in range(len(COLUMNS))]
    table = pa.Table.from_arrays(columns, schema=SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_serial)}.tmp")
    try:
        with temporary.open("wb") as stream:
            pq.write_table(
                table, stream, compression="zstd", row_group_size=ROW_GROUP,
                write_page_checksum=True,
            )
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            missing = {*SCHEMA.names} - {*file.schema_arrow.names}
            if missing:
                raise BarError(
                    f"{path}: columns must be {', '.join(SCHEMA.names)}, "
                    f"was without {', '.join(sorted(missing))}"
                )
            yield file
    except FileNotFoundError:
        raise
    except BarError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BarError(f"{path}: file must be Parquet with bars: {error}") from error


def _spans(file: Any) -> list[tuple[int, int] | None]:
    """Return the opening times of the first and last bar of each row group, from statistics."""
    column = file.schema_arrow.names.index("timestamp")
    times, divisor = _scale(file.schema_arrow.field("timestamp").type)
    spans: list[tuple[int, int] | None] = []
    for i in range(file.num_row_groups):
        found = file.metadata.row_group(i).column(column).statistics
        known = found is not None and found.has_min_max
        spans.append(
            (found.min_raw * times // divisor, found.max_raw * times // divisor) if known else None
        )
    return spans


def _newest(groups: list[int], file: Any, limit: int) -> list[int]:
    # The last group may give fewer rows than it has (its end may lie outside the window).
    rows, kept = 0, groups[-1:]
    for group in reversed(groups[:-1]):
        if rows >= limit:
            break
        rows += file.metadata.row_group(group).num_rows
        kept.append(group)
    return sorted(kept)


def _scale(kind: pa.DataType) -> tuple[int, int]:
    if pa.types.is_timestamp(kind):
        return _TO_MS[kind.unit]
    if pa.types.is_int64(kind):
        return 1, 1
    raise ValueError(f"timestamp must be a timestamp or int64 milliseconds, was {kind}")


def _times(table: pa.Table) -> TimeArray:
    column = table.column("timestamp")
    if column.null_count:
        raise ValueError(f"timestamp must be given in every row, was empty in {column.null_count}")
    multiplier, divisor = _scale(column.type)
    raw = column.cast(pa.int64()).to_numpy()
    return np.asarray(raw * multiplier // divisor, dtype=np.int64)


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    column = table.column(name)
    if column.null_count:
        raise ValueError(f"{name} must be given in every row, was empty in {column.null_count}")
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise ValueError(f"{name} must be numbers, was {column.type}")
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)  # so that the new name itself survives a power loss
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
