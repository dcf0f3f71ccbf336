"""Which bars a backtest is asked for, and what it is asked to judge them on."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from opportunity.market.bars import Bars
from opportunity.market.quality import require_bars, require_valid
from opportunity.market.timeframe import (
    EARLIEST_MS,
    LATEST_MS,
    TIMEFRAMES,
    Timeframe,
    divides,
    length_ms,
)
from opportunity.market.timeframe import timeframe as checked

DEFAULT_TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("5m", "15m", "30m", "1h", "4h", "1d")
"""What the agent watches unless told otherwise."""

DECISION: Final[Timeframe] = "1h"

WARMUP_BARS: Final = 1_000
"""Bars of the longest timeframe that are read before the start, as far as there are any."""

BarsLike = Bars | Sequence[Bars] | Mapping[str, Bars]
Moment = int | str | datetime.datetime | np.datetime64 | None


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, ms UTC; None: as far as there are bars."""

    start: int | None = None
    end: int | None = None


def span_of(start: Moment, end: Moment) -> Span:
    """Read both ends of a span.

    Raises
    ------
    TypeError
        If one is no time.
    ValueError
        If one lies outside 2009 to 2100, or the end is not after the start.
    """
    span = Span(moment(start, "start"), moment(end, "end"))
    if span.start is not None and span.end is not None and span.end <= span.start:
        raise ValueError(f"end must be later than start {start}, was {end}")
    return span


def moment(when: Moment, name: str) -> int | None:
    """Return a time as ms UTC; naive times and dates are UTC, and None stays None."""
    if when is None:
        return None
    if isinstance(when, bool) or not isinstance(
        when, int | np.integer | str | datetime.date | np.datetime64
    ):
        raise TypeError(
            f"{name} must be milliseconds, an ISO date or a datetime, was {type(when).__name__}"
        )
    time = int(when) if isinstance(when, int | np.integer) else _milliseconds(when, name)
    if not EARLIEST_MS <= time < LATEST_MS:
        raise ValueError(f"{name} must lie between 2009 and 2100, was {when}")
    return time


def _milliseconds(when: str | datetime.date | np.datetime64, name: str) -> int:
    if isinstance(when, str):
        try:  # nothing looser than ISO: 02/05 has two meanings
            when = datetime.datetime.fromisoformat(when)
        except ValueError:
            raise ValueError(f"{name} must be an ISO 8601 time, was {when!r}") from None
    if pd.isna(when):
        raise ValueError(f"{name} must be a time, was NaT")
    stamp = pd.Timestamp(when)
    stamp = stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")
    return int(stamp.value // 1_000_000)  # always ns, whatever the unit


def named_bars(bars: BarsLike) -> list[Bars]:
    """Return valid bars by symbol in alphabetical order.

    Raises
    ------
    TypeError
        If something else than bars is given.
    ValueError
        If there is no symbol at all, one comes twice or is not named, or timeframes differ or
        are not known.
    BarError
        If bars break a rule.
    """
    if isinstance(bars, Bars):
        found = [bars]
    elif isinstance(bars, Mapping):
        found = [_labelled(b, str(name)) for name, b in bars.items()]
    elif isinstance(bars, list | tuple):
        found = list(bars)
    else:
        frame = isinstance(bars, pd.DataFrame)
        raise TypeError(
            "bars must be Bars, a list of them or a mapping by symbol, "
            f"was {type(bars).__name__}"
            + (": op.Bars.from_frame(frame) makes them" if frame else "")
        )
    if not found:
        raise ValueError("bars must be of at least one symbol, was none")
    for one in found:
        require_valid(one)
        if one.timeframe is None:
            raise ValueError("bars must have a timeframe, was None: bars.label(timeframe='1h')")
    _check_labels(found)
    return sorted(found, key=lambda b: b.symbol)


def closed_by(bars: Sequence[Bars], end: int | None, start: int | None = None) -> list[Bars]:
    """Return those that opened from `start` on and had closed by `end`, ms UTC."""
    if end is None:
        return [b.between(start, None) for b in bars]
    return [b.between(start, end - length_ms(str(b.timeframe)) + 1) for b in bars]


def _labelled(bars: Bars, symbol: str) -> Bars:
    require_bars(bars)
    return bars.label(symbol=symbol)


def _check_labels(bars: Sequence[Bars]) -> None:
    names, frames = [b.symbol for b in bars], {str(b.timeframe) for b in bars}
    if len(frames) > 1:
        raise ValueError(f"bars must be of one timeframe, were {', '.join(sorted(frames))}")
    if len(names) > 1 and not all(names):
        raise ValueError("bars of several symbols must carry their symbols, was ''")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"bars must be of different symbols, was {name!r} twice")


def wanted_frames(base: Timeframe, timeframes: Iterable[str]) -> tuple[Timeframe, ...]:
    """Return timeframes in order of length.

    Raises
    ------
    ValueError
        If there is none, or one is unknown, comes twice or is not made of whole base bars.
    """
    if isinstance(timeframes, str):
        timeframes = [timeframes]
    names = [checked(t) for t in timeframes]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"timeframes must be a list without repeats, was {names}")
    for name in names:
        if not divides(base, name):
            raise ValueError(f"timeframes must be made of whole bars of {base}, was {name}")
    return tuple(sorted(names, key=length_ms))


def possible_frames(base: Timeframe) -> tuple[Timeframe, ...]:
    """Return the default timeframes that bars of `base` make; those of `base` where none is."""
    made = tuple(t for t in DEFAULT_TIMEFRAMES if divides(base, t))
    return made or (base,)


def chosen_frames(
    base: Timeframe, timeframes: Iterable[str] | None, decision: str | None = None
) -> tuple[Timeframe, ...]:
    """Return the timeframes to score, those by default where none are asked for.

    Raises
    ------
    ValueError
        If a timeframe is unknown, comes twice or is not made of whole base bars.
    """
    if timeframes is not None:
        return wanted_frames(base, timeframes)
    frames = possible_frames(base)
    if decision is None or decision in frames:
        return frames
    return wanted_frames(base, [*frames, decision])


def warm_from(start: int, frames: Iterable[str]) -> int:
    """Return from when on bars are read for a run that trades from `start` on, ms UTC."""
    return start - WARMUP_BARS * max(length_ms(t) for t in frames)


def decision_of(frames: Sequence[Timeframe], wanted: str | None) -> Timeframe:
    """Return the timeframe at whose closes decisions fall.

    Unless one is wanted that is 1h, or the next longer of the timeframes, or the longest.

    Raises
    ------
    ValueError
        If the wanted one is not among the timeframes.
    """
    if wanted is None:
        longer = [t for t in TIMEFRAMES if t in frames and length_ms(t) >= length_ms(DECISION)]
        return longer[0] if longer else frames[-1]
    name = checked(wanted)
    if name not in frames:
        raise ValueError(
            f"decision_timeframe must be one of the timeframes {', '.join(frames)}, was {name}"
        )
    return name
