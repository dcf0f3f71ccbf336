"""Read OHLCV columns and opening times out of a DataFrame, with errors that name the place."""

import re
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.market.timeframe import LATEST_MS, TimeArray, require_milliseconds, utc_text

Unit = Literal["ms", "s", "us", "ns"]
COLUMNS: Final = ("open", "high", "low", "close", "volume")
TIME_NAMES: Final = ("time", "timestamp", "date", "datetime")

_INTEGER: Final = re.compile("[0-9]{1,19}")
_YEAR_MS: Final = 365 * 86_400_000


def columns_of(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the OHLCV columns as float64 of shape (n_rows, 5); empty cells become NaN.

    Raises
    ------
    ValueError
        If a column is missing, twice there or holds something that is not a number.
    """
    names = _names(frame)
    missing = [c for c in COLUMNS if c not in names]
    if missing:
        raise ValueError(
            f"columns must be {', '.join(COLUMNS)} and a time, was without {', '.join(missing)}"
            f" (there: {_listed(frame)})"
        )
    values = np.empty((len(frame), 5))
    for i, name in enumerate(COLUMNS):
        values[:, i] = _numbers(frame.iloc[:, names[name]], name)
    return values


def times_of(frame: pd.DataFrame, unit: Unit = "ms") -> TimeArray:
    """Return the opening times in milliseconds UTC, from the time column or the index.

    Raises
    ------
    ValueError
        If there is no time, a time is empty or unreadable, or integers are not of that unit.
    """
    if unit not in get_args(Unit):
        raise ValueError(unknown("unit", unit, get_args(Unit)))
    names = _names(frame)
    index = _time_index(frame, next((names[n] for n in TIME_NAMES if n in names), None))
    if isinstance(index, pd.MultiIndex):
        raise ValueError("time must be one level, was an index of several")
    if not len(index):
        return np.empty(0, np.int64)
    if index.hasnans:
        raise ValueError(f"time must be given in every row, was empty in row {_first(index)}")
    return _milliseconds(index, unit)


def _time_index(frame: pd.DataFrame, place: int | None) -> "pd.Index[Any]":
    if place is None and isinstance(frame.index, pd.RangeIndex):
        # No usual name and no index: a column of datetimes is the time if it is the only one.
        dates = [i for i, t in enumerate(frame.dtypes) if pd.api.types.is_datetime64_any_dtype(t)]
        if len(dates) != 1:
            raise ValueError(
                f"time must be a DatetimeIndex or one of the columns {', '.join(TIME_NAMES)}, "
                f"was in none of {_listed(frame)}"
            )
        place = dates[0]
    return frame.index if place is None else pd.Index(frame.iloc[:, place])


def _names(frame: pd.DataFrame) -> dict[str, int]:
    wanted = {*COLUMNS, *TIME_NAMES}
    names: dict[str, int] = {}
    for place, column in enumerate(frame.columns):
        name = str(column).strip().lower()
        if name in wanted and name in names:
            raise ValueError(f"columns must be unique in any letter case, was {name!r} twice")
        names[name] = place
    return names


def _numbers(column: "pd.Series[Any]", name: str) -> NDArray[np.float64]:
    # Exchanges send numbers as text to keep all digits; text that is no number must not pass.
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna() & column.notna()).to_numpy()
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        wrong = np.ones(len(column), np.bool_)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} must be a number, was {_short(column.iloc[row])} in row {row}")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _milliseconds(index: "pd.Index[Any]", unit: Unit) -> TimeArray:
    if isinstance(index, pd.DatetimeIndex):
        return _from_datetimes(index)
    if pd.api.types.is_bool_dtype(index):
        raise ValueError("time must be datetimes or integers, was true or false")
    if not pd.api.types.is_numeric_dtype(index):
        if not all(_INTEGER.fullmatch(str(x)) for x in index):
            return _from_datetimes(_parse(index))
        index = pd.Index(pd.to_numeric(index.to_numpy(object)))
    values = index.to_numpy()
    if values.dtype.kind == "f":
        broken = np.isinf(values) | (values != np.floor(values))
        if broken.any():
            raise ValueError(f"time must be whole {unit}, was {values[broken][0]}")
    if values.dtype.kind not in "iuf" or (np.abs(values.astype(np.float64)) >= 2.0**63).any():
        raise ValueError(f"time must fit 64 bits, was {_short(values[0])}")
    return _from_integers(values.astype(np.int64), unit)


def _from_integers(values: TimeArray, unit: Unit) -> TimeArray:
    # Fractions of a millisecond are refused rather than cut: such a bar is off every grid.
    divisor = {"ms": 1, "s": 1, "us": 1_000, "ns": 1_000_000}[unit]
    if (values % divisor != 0).any():
        raise ValueError(f"time must be whole milliseconds, was {values[0]} {unit}")
    times = values * 1_000 if unit == "s" else values // divisor
    require_milliseconds(times)
    return times


def _parse(index: "pd.Index[Any]") -> pd.DatetimeIndex:
    try:
        return pd.DatetimeIndex(pd.to_datetime(index, utc=True, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise ValueError(f"time must be ISO 8601 or integers, was {_short(index[0])}") from error


def _from_datetimes(index: pd.DatetimeIndex) -> TimeArray:
    aware = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    times: TimeArray = aware.as_unit("ms").asi8
    # Integers of the wrong unit, once turned into datetimes, land in 1970 or far in the future.
    if times.size and (0 <= times.min() < _YEAR_MS or times.max() >= LATEST_MS):
        worst = times.min() if times.min() < _YEAR_MS else times.max()
        raise ValueError(
            f"time must be of a plausible year, was {utc_text(int(worst))}: "
            "was it made from integers of another unit?"
        )
    return times


def _short(value: object) -> str:
    return repr(value)[:60]


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(str(c)[:40] for c in frame.columns[:12]) or "no columns"


def _first(index: "pd.Index[Any]") -> int:
    return int(np.argmax(np.asarray(index.isna())))
