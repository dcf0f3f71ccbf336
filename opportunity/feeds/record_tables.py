"""Tables of point-in-time records: columns read with errors that name file, field, rule, value."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.market.frames import Unit, times_of
from opportunity.market.readers import READERS
from opportunity.market.timeframe import TimeArray, utc_text

KNOWN_COLUMN: Final = "available_at"


class Table:
    """The rows of a file, by column names in any letter case.

    Parameters
    ----------
    path : Path
        Named in errors.
    frame : DataFrame
        Its rows.
    unit : {"ms", "s", "us", "ns"}
        What integer times count.
    """

    def __init__(self, path: Path, frame: pd.DataFrame, unit: Unit = "ms") -> None:
        self._path, self._frame, self._unit = path, frame, unit
        self._places = {str(c).strip().lower(): i for i, c in enumerate(frame.columns)}

    def __len__(self) -> int:
        return len(self._frame)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in lower case."""
        return tuple(self._places)

    def first(self, names: Sequence[str]) -> str | None:
        """Return the first of these names that is a column."""
        return next((n for n in names if n in self._places), None)

    def one_of(self, names: Sequence[str]) -> str:
        """Return the first of these names that is a column.

        Raises
        ------
        ValueError
            If there is none.
        """
        name = self.first(names)
        if name is None:
            there = ", ".join(self._places) or "no columns"
            raise self.error(f"columns must hold {' or '.join(names)}, was {there[:200]}")
        return name

    def error(self, text: str) -> ValueError:
        """Return an error whose text begins with the path."""
        return ValueError(f"{self._path}: {text}")

    def wrong(self, field: str, rule: str, value: object, row: int) -> ValueError:
        """Return an error about one cell."""
        plain = value.item() if isinstance(value, np.generic) else value
        return self.error(f"{field} must be {rule}, was {repr(plain)[:60]} in row {row}")

    def times(self) -> TimeArray:
        """Return when each record happened, ms UTC, from the usual time columns or the index."""
        with _named(self._path):
            return times_of(self._frame, self._unit)

    def known(self, event_time: TimeArray, delay_ms: int) -> TimeArray:
        """Return when each record became known.

        From the column `available_at` where there is one; else `delay_ms` after it happened.

        Raises
        ------
        ValueError
            If a record was known before it happened, or the delay is below 0.
        """
        if delay_ms < 0:
            raise self.error(f"delay_ms must be >= 0, was {delay_ms}")
        if KNOWN_COLUMN not in self._places:
            return event_time + delay_ms
        column = self._frame.iloc[:, self._places[KNOWN_COLUMN]].rename("time").to_frame()
        with _named(self._path, KNOWN_COLUMN):
            known = times_of(column, self._unit)
        early = known < event_time
        if early.any():
            row = int(np.argmax(early))
            rule = f"at or after the event ({utc_text(int(event_time[row]))})"
            raise self.wrong(KNOWN_COLUMN, rule, utc_text(int(known[row])), row)
        return known

    def numbers(
        self, name: str, least: float = -np.inf, most: float = np.inf, above: bool = False,
        sign: str = "",
    ) -> FloatArray:  # fmt: skip
        """Return a column of finite numbers.

        Parameters
        ----------
        name : str
            A column.
        least, most : float
            Bounds; `above` leaves out `least` itself.
        sign : str
            Taken off the end of text, e.g. ``%``.
        """
        column = self._frame.iloc[:, self._places[name]]
        if sign and not pd.api.types.is_numeric_dtype(column):
            column = column.astype("str").str.strip().str.removesuffix(sign)
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            raise self.error(f"{name} must be numbers, was {column.dtype}")
        values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        low = values <= least if above else values < least
        bad = ~np.isfinite(values) | low | (values > most)
        if bad.any():
            row = int(np.argmax(bad))
            raise self.wrong(name, _range(least, most, above), column.iloc[row], row)
        return np.asarray(values, dtype=np.float64)

    def texts(self, name: str, default: str = "") -> list[str]:
        """Return a column as text, empty cells and a missing column as `default`."""
        if name not in self._places:
            return [default] * len(self)
        column = self._frame.iloc[:, self._places[name]]
        return [default if pd.isna(x) else str(x).strip() for x in column.tolist()]


def read_table(path: Path, unit: Unit = "ms") -> Table:
    """Read a Parquet, Feather, CSV or JSON file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not of its format; the text begins with the path.
    """
    if not path.is_file():
        raise FileNotFoundError(f"path must name a file, was {str(path)!r}")
    ending = next((e for e in READERS if path.name.lower().endswith(e)), None)
    if ending is None:
        raise ValueError(f"{path}: {unknown('file ending', path.suffix, READERS)}")
    with _named(path):
        frame = READERS[ending](path)
    return Table(path, frame, unit)


def newest_last(known: TimeArray, event_time: TimeArray) -> NDArray[np.int64]:
    """Return the order in which records became known, then happened."""
    return np.lexsort((event_time, known))


@contextmanager
def _named(path: Path, field: str = "") -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, pa.ArrowException, OSError, EOFError, zlib.error) as error:
        text = str(error)
        if field:
            text = text.replace("time must", f"{field} must")
        raise ValueError(f"{path}: {text}") from error


def _range(least: float, most: float, above: bool) -> str:
    low = f"{'>' if above else '>='} {least:g}" if least > -np.inf else ""
    high = f"<= {most:g}" if most < np.inf else ""
    return "a number" + (f" {low} and {high}" if low and high else f" {low or high}".rstrip())


def rows(*columns: Any) -> Iterator[tuple[Any, ...]]:
    """Iterate over arrays and lists together, as plain values."""
    plain = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns]
    return zip(*plain, strict=True)
