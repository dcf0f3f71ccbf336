"""Timeframes: how long a bar is and where its grid lies.

All times are int64 milliseconds UTC. A bar's `time` is its opening time; it closes at the
opening time of the next bar of its grid. Weeks open on Monday 00:00 UTC.
"""

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown

Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w"]
TIMEFRAMES: Final[tuple[Timeframe, ...]] = get_args(Timeframe)

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
MONDAY_MS: Final = 4 * DAY_MS  # 1970-01-05 was the first Monday after the epoch

_UNIT_MS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": WEEK_MS}
_LENGTH_MS: Final[dict[Timeframe, int]] = {t: int(t[:-1]) * _UNIT_MS[t[-1]] for t in TIMEFRAMES}

TimeArray = NDArray[np.int64]

EARLIEST_MS: Final = 1_230_768_000_000
"""2009-01-01; no coin traded before, so an integer below it was not milliseconds."""

LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01; an integer above it was microseconds or nanoseconds."""

_UNITS: Final = {"seconds": 1_000.0, "microseconds": 1e-3, "nanoseconds": 1e-6}


def timeframe(name: str) -> Timeframe:
    """Check that `name` is a timeframe and return it typed.

    Raises
    ------
    ValueError
        If the name is not one of `TIMEFRAMES`; case matters (`1m` is a minute).
    """
    if name not in _LENGTH_MS:
        raise ValueError(unknown("timeframe", name, TIMEFRAMES))
    return name


def length_ms(name: str) -> int:
    """Return the length of a bar in milliseconds."""
    return _LENGTH_MS[timeframe(name)]


def offset_ms(name: str) -> int:
    """Return how far the grid is shifted from the epoch: only weeks are (to Monday)."""
    return MONDAY_MS if name == "1w" else 0


def open_ms(time: int, name: str) -> int:
    """Return the opening time of the bar of timeframe `name` that holds the instant `time`."""
    length, offset = length_ms(name), offset_ms(name)
    return (time - offset) // length * length + offset


def opens_ms(times: TimeArray, name: str) -> TimeArray:
    """Return `open_ms` for each element of an int64 array."""
    length, offset = length_ms(name), offset_ms(name)
    return (times - offset) // length * length + offset


def on_grid(times: TimeArray, name: str) -> NDArray[np.bool_]:
    """Tell for each time whether it is an opening time of timeframe `name`."""
    fits: NDArray[np.bool_] = (times - offset_ms(name)) % length_ms(name) == 0
    return fits


def divides(small: str, large: str) -> bool:
    """Tell whether bars of `large` are made of whole bars of `small`."""
    return length_ms(large) % length_ms(small) == 0


def infer(times: TimeArray) -> Timeframe | None:
    """Return the timeframe whose grid the ascending times fill, None where it is not plain.

    Plain means: the smallest step is a timeframe, is also the most common step, and all times
    lie on its grid. So a few bars with a hole between them do not pass for longer ones.
    """
    steps, counts = np.unique(np.diff(times), return_counts=True)
    if not steps.size or counts[0] < counts.max():
        return None
    name = next((t for t in TIMEFRAMES if _LENGTH_MS[t] == steps[0]), None)
    return name if name is not None and on_grid(times, name).all() else None


def require_milliseconds(times: TimeArray) -> None:
    """Raise if integer times cannot be milliseconds of 2009 to 2100.

    Raises
    ------
    ValueError
        If a time is outside that range; the text names the unit that it seems to have.
    """
    outside = (times < EARLIEST_MS) | (times >= LATEST_MS)
    if outside.any():
        row = int(np.argmax(outside))
        value = int(times[row])
        units = (u for u, f in _UNITS.items() if EARLIEST_MS <= value * f < LATEST_MS)
        unit = next(units, None)
        hint = f", which would be {unit}" if unit else ""
        raise ValueError(
            f"time must be milliseconds between 2009 and 2100, was {value} in row {row}{hint}"
        )


def utc_text(time: int) -> str:
    """Write a time in milliseconds as ISO 8601 in UTC, to the minute where that is exact."""
    if not -LATEST_MS < time < LATEST_MS:
        return f"{time} ms"
    unit = "m" if time % MINUTE_MS == 0 else "ms"
    return f"{np.datetime64(time, 'ms').astype(f'datetime64[{unit}]')}Z"
