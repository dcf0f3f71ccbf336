"""Bars: the closed OHLCV records of one symbol and timeframe, as arrays.

A bar's `time` is its OPENING time in UTC milliseconds, as ccxt reports it. Inside the package
time is int64; tz-aware pandas exists only in `from_frame` and `to_frame`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from opportunity.display import card, line
from opportunity.market.frames import COLUMNS as COLUMNS
from opportunity.market.frames import Unit, columns_of, times_of
from opportunity.market.timeframe import TimeArray, Timeframe, infer, length_ms, utc_text
from opportunity.market.timeframe import timeframe as check_timeframe

FloatArray = NDArray[np.float64]


class Bar(NamedTuple):
    """One closed bar; prices in quote currency, volume in base currency."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Bars:
    """Closed bars of one symbol and timeframe, oldest first.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Opening times, milliseconds UTC.
    values : ndarray of float64, shape (n_bars, 5)
        Open, high, low, close (quote currency) and volume (base currency), C-contiguous: the
        kernels read a bar as one row.
    timeframe : Timeframe or None
        Bar length; None when unknown.
    symbol : str
        Unified symbol such as ``BTC/USDT``; empty when unknown.
    source : str
        Where the bars come from, e.g. ``binance`` or ``simulated``.

    Raises
    ------
    ValueError
        If the shapes do not fit, times are not whole numbers or the timeframe is unknown. The
        market rules (order, grid, finite values) are not checked here: see `require_valid`.

    Notes
    -----
    Arrays of the right type are not copied. Slices share memory with the whole.
    """

    time: TimeArray
    values: FloatArray = field(repr=False)
    timeframe: Timeframe | None = None
    symbol: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        time = np.ascontiguousarray(_whole(self.time), dtype=np.int64)
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if time.ndim != 1 or values.shape != (time.size, 5):
            raise ValueError(
                "time and values must be of shape (n_bars,) and (n_bars, 5), "
                f"were {np.shape(self.time)} and {values.shape}"
            )
        if self.timeframe is not None:
            check_timeframe(self.timeframe)
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "values", values)

    @classmethod
    def from_arrays(
        cls,
        time: ArrayLike,
        open: ArrayLike,
        high: ArrayLike,
        low: ArrayLike,
        close: ArrayLike,
        volume: ArrayLike,
        **labels: Any,
    ) -> "Bars":
        """Build bars from six columns of equal length; `time` in milliseconds or datetime64.

        Raises
        ------
        ValueError
            If the lengths differ or a column does not hold numbers.
        """
        columns = [np.asarray(c, dtype=np.float64) for c in (open, high, low, close, volume)]
        sizes = [np.size(time), *(c.size for c in columns)]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"time, {', '.join(COLUMNS)} must be of equal length, were {sizes}"
            )
        return cls(np.asarray(time), np.stack(columns, axis=1), **labels)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, unit: Unit = "ms", **labels: Any) -> "Bars":
        """Build bars from a DataFrame with OHLCV columns.

        Parameters
        ----------
        frame : DataFrame
            Columns open, high, low, close, volume in any letter case, and the opening time as a
            DatetimeIndex or as a column `time`, `timestamp`, `date` or `datetime`. Naive times
            are read as UTC.
        unit : {"ms", "s", "us", "ns"}
            What integer times count.
        **labels
            `timeframe`, `symbol` and `source` of the result. Without a timeframe it is inferred
            where the times leave no doubt.

        Raises
        ------
        ValueError
            If a column or the time is missing, twice there or not a number; or if integer times
            lie outside 2009 to 2100, which is what a wrong `unit` looks like.
        """
        times = times_of(frame, unit)
        labels.setdefault("timeframe", infer(times))
        return cls(times, columns_of(frame), **labels)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame indexed by the tz-aware opening time in UTC."""
        index = pd.DatetimeIndex(pd.to_datetime(self.time, unit="ms", utc=True), name="time")
        return pd.DataFrame(self.values.copy(), index=index, columns=list(COLUMNS))

    def to_backtesting(self) -> pd.DataFrame:
        """Return the table that backtesting.py reads: capitals, naive UTC opening times."""
        return self.to_frame().tz_localize(None).rename(columns=str.capitalize)

    def to_vectorbt(self) -> pd.DataFrame:
        """Return the table that vectorbt's indicators read, with the spacing of its times.

        Raises
        ------
        ValueError
            If bars are missing or the timeframe is unknown: vectorbt counts rows as time.
        """
        if self.timeframe is None:
            raise ValueError("timeframe must be known for vectorbt, was None")
        length = length_ms(self.timeframe)
        holes = np.flatnonzero(np.diff(self.time) != length)
        if holes.size:
            text = utc_text(int(self.time[holes[0]]) + length)
            raise ValueError(f"bars must be without a hole for vectorbt, {text} is missing")
        return self.to_frame().rename(columns=str.capitalize).asfreq(f"{length}ms")

    @property
    def open(self) -> FloatArray:
        """Opening prices, shape (n_bars,)."""
        return self.values[:, 0]

    @property
    def high(self) -> FloatArray:
        """Highest prices, shape (n_bars,)."""
        return self.values[:, 1]

    @property
    def low(self) -> FloatArray:
        """Lowest prices, shape (n_bars,)."""
        return self.values[:, 2]

    @property
    def close(self) -> FloatArray:
        """Closing prices, shape (n_bars,)."""
        return self.values[:, 3]

    @property
    def volume(self) -> FloatArray:
        """Volumes in base currency, shape (n_bars,)."""
        return self.values[:, 4]

    @property
    def close_time(self) -> TimeArray:
        """Closing times, milliseconds UTC; needs a timeframe."""
        if self.timeframe is None:
            raise ValueError("timeframe must be known to say when a bar closes, was None")
        return self.time + length_ms(self.timeframe)

    def __len__(self) -> int:
        return self.time.size

    def __iter__(self) -> Iterator[Bar]:
        for t, row in zip(self.time.tolist(), self.values.tolist(), strict=True):
            yield Bar(t, *row)

    @overload
    def __getitem__(self, rows: slice) -> "Bars": ...
    @overload
    def __getitem__(self, rows: int) -> Bar: ...
    def __getitem__(self, rows: slice | int) -> "Bars | Bar":
        if isinstance(rows, slice):
            return replace(self, time=self.time[rows], values=self.values[rows])
        if isinstance(rows, int | np.integer):
            return Bar(int(self.time[rows]), *self.values[rows].tolist())
        raise TypeError(f"bars are cut by slices or whole numbers, was {type(rows).__name__}")

    def between(self, start: int | None = None, end: int | None = None) -> "Bars":
        """Return the bars with opening time in [start, end), milliseconds UTC.

        The times must ascend; None leaves that side open.
        """
        first = 0 if start is None else int(np.searchsorted(self.time, start))
        last = len(self) if end is None else int(np.searchsorted(self.time, end))
        return self[first : max(first, last)]

    def label(self, **labels: Any) -> "Bars":
        """Return the same bars with other `timeframe`, `symbol` or `source`."""
        return replace(self, **labels)

    def __repr__(self) -> str:
        return f"<Bars {self._summary()}>"

    def _summary(self) -> str:
        name = " ".join(x for x in (self.symbol, self.timeframe or "", self.source) if x)
        if not len(self):
            return f"{name}: no bars".lstrip(": ")
        span = f"{utc_text(int(self.time[0]))} to {utc_text(int(self.time[-1]))}"
        return f"{name}: {len(self)} bars, {span}".lstrip(": ")

    def _repr_html_(self) -> str:
        if not len(self):
            return card(self._summary(), self.source)
        first, last = float(self.open[0]), float(self.close[-1])
        facts = [
            ("Close", f"{last:,.8g}"),
            ("Change", f"{last / first - 1:+.2%}" if first else "undefined"),
            ("Highest", f"{self.high.max():,.8g}"), ("Lowest", f"{self.low.min():,.8g}"),
            ("Volume", f"{self.volume.sum():,.4g}"),
        ]
        return card(self._summary(), self.source, facts, line(self.close, "Closing prices"))


def _whole(times: Any) -> NDArray[Any]:
    """Refuse what int64 would quietly mangle: fractions, NaN, text; datetimes become ms."""
    array = np.asarray(times)
    if array.dtype.kind in "iu" or not array.size:
        return array
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise ValueError("time must be given for every bar, was NaT")
        return array.astype("datetime64[ms]").view(np.int64)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array % 1 == 0).all():
        return array
    raise ValueError(f"time must be whole milliseconds, was {array.dtype} {array.flat[0]!r}")
