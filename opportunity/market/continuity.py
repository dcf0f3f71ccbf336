"""How whole each stream's bars are: what is missing lately, and for how long nobody traded.

One compiled step a bar, in batch over history and live, over the same state: both agree bit for
bit.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray, length_ms
from opportunity.market.trust import GAPS, N_FACTORS, VOLUME

HALF_LIFE: Final = 50.0
"""Bars after which a missing one counts half: as far back as the scores look for most things."""

WEEK_MS: Final = 7 * DAY_MS

DECAY: Final = 0.5 ** (1.0 / HALF_LIFE)

TRACK: Final = np.dtype(
    [
        ("time", "i8"),  # opening time of the newest bar; 0: none yet
        ("weight", "f8"),  # bars that there could be, the older the less
        ("missing", "f8"),  # what is missing of them, in bars
        ("flat", "i8"),  # newest bars in a row without volume
        ("pause", "i8"),  # opening time of the last bar before the newest gap of a day or more
    ],
    align=True,
)
"""State of one stream."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What the next bars of k streams are made of.

    Parameters
    ----------
    length, base : int
        Length of these bars and of the base bars that make them, ms; 0 for bars whose length is
        not known, among which nothing can be missing.
    absent : ndarray of int64, shape (k, n), optional
        Base bars that each bar lacks; none unless given.
    counts : ndarray of bool, shape (k,), optional
        False where it is known that what is missing never existed; True unless given.
    """

    length: int
    base: int
    absent: NDArray[np.int64] | None = None
    counts: NDArray[np.bool_] | None = None


def new_tracks(n_rows: int) -> NDArray[Any]:
    """Return the state of streams that have seen no bar."""
    return np.zeros(n_rows, TRACK)


def follow(
    tracks: NDArray[Any], rows: NDArray[np.int64], time: TimeArray, values: FloatArray, parts: Parts
) -> None:
    """Advance streams by their next bars.

    Parameters
    ----------
    tracks : ndarray of TRACK
        State, one row a stream; changed in place.
    rows : ndarray of int64, shape (k,)
        Which streams; each at most once.
    time : ndarray of int64, shape (k, n)
        Opening times, ascending.
    values : ndarray of shape (k, n, 5)
        Bars; NaN where there is none.
    parts : Parts
        Of these bars.
    """
    absent = np.zeros(time.shape, np.int64) if parts.absent is None else parts.absent
    counts = np.ones(rows.size, np.bool_) if parts.counts is None else parts.counts
    per = max(1, parts.length // parts.base) if parts.base > 0 else 1
    follow_bars(
        tracks, rows, np.ascontiguousarray(time), np.ascontiguousarray(values), absent, counts,
        parts.length, per,
    )  # fmt: skip


@kernel
def follow_bars(
    tracks: Any, rows: Any, time: Any, values: Any, absent: Any, counts: Any, length: Any, per: Any
) -> None:
    """Advance the tracks; `per` base bars make a bar. Missing bars count as bars of their own.

    A gap of a day or more that comes a week after another one is a market that closes over the
    weekend, as that of currencies does: nothing is missing.
    """
    for i in range(rows.size):
        track = tracks[rows[i]]
        for j in range(time.shape[1]):
            if not np.isnan(values[i, j, 3]):
                follow_bar(
                    track, time[i, j], values[i, j, 4], absent[i, j], counts[i], length, per
                )


@kernel
def follow_bar(
    track: Any, time: Any, volume: Any, absent: Any, counts: Any, length: Any, per: Any
) -> None:
    """Advance one track by one bar; see `follow_bars`."""
    gone = 0
    if counts and track.time != 0 and length > 0:
        gone = max((time - track.time) // length - 1, 0)
    if gone > 0 and gone * length >= DAY_MS:
        weekly = abs(track.time - track.pause - WEEK_MS) <= DAY_MS
        track.pause = track.time
        if weekly:
            gone = 0
    if gone > 0:
        faded = DECAY**gone
        bars = (1.0 - faded) / (1.0 - DECAY)
        track.weight = track.weight * faded + bars
        track.missing = track.missing * faded + bars
    lacks = absent / per if counts else 0.0
    track.weight = track.weight * DECAY + 1.0
    track.missing = track.missing * DECAY + lacks
    track.flat = track.flat + 1 if volume == 0.0 else 0
    track.time = time


def tell(tracks: NDArray[Any], facts: FloatArray) -> None:
    """Write what the tracks know into the facts of their streams, shape (n_rows, n_factors)."""
    weight = tracks["weight"]
    facts[:, GAPS] = tracks["missing"] / np.where(weight > 0, weight, 1.0)
    facts[:, VOLUME] = tracks["flat"]


def facts_along(
    time: TimeArray, values: FloatArray, parts: Parts
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return what a fresh track tells after each bar of one stream: what `tell` would write.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        Opening times, ascending.
    values : ndarray of shape (n, 5)
        Bars, without NaN.
    parts : Parts
        Of these bars; `absent` of shape (n,) where it is given, `counts` of shape (1,).

    Returns
    -------
    gaps : ndarray, shape (n,)
        Share of the constituents that is missing lately, [0, 1).
    flat : ndarray of int64, shape (n,)
        Bars in a row without volume.
    """
    absent = np.zeros(time.size, np.int64) if parts.absent is None else parts.absent
    counts = True if parts.counts is None else bool(parts.counts[0])
    per = max(1, parts.length // parts.base) if parts.base > 0 else 1
    weight, missing = np.empty(time.size), np.empty(time.size)
    flat = np.empty(time.size, np.int64)
    _along(
        new_tracks(1), time, np.ascontiguousarray(values), np.ascontiguousarray(absent), counts,
        parts.length, per, weight, missing, flat,
    )  # fmt: skip
    return missing / weight, flat


@kernel
def _along(
    tracks: Any, time: Any, values: Any, absent: Any, counts: Any, length: Any, per: Any,
    weight: Any, missing: Any, flat: Any,
) -> None:
    track = tracks[0]
    for j in range(time.size):
        follow_bar(track, time[j], values[j, 4], absent[j], counts, length, per)
        weight[j] = track.weight
        missing[j] = track.missing
        flat[j] = track.flat


def facts_of(bars: Bars) -> FloatArray:
    """Return the facts of one stream as of its newest bar, shape (n_factors,)."""
    tracks, facts = new_tracks(1), np.zeros((1, N_FACTORS))
    length = 0 if bars.timeframe is None else length_ms(bars.timeframe)
    parts = Parts(length, length)
    follow(tracks, np.zeros(1, np.int64), bars.time[None], bars.values[None], parts)
    tell(tracks, facts)
    found: FloatArray = facts[0]
    return found
