"""Two accounts side by side: days, what each earned, and whether the difference is real.

Accounts are compared by logarithms of their equity, day by day of UTC: sums of them over any days
are what was earned over these days, however often was marked between. Positions that lie in both
accounts, or over several hours, make the hours of a day alike; so hours are never counted.
"""

import html
import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray, length_ms
from opportunity.scoring.sequential import ALPHA, CLIP, Interval, Sequential

Verdict = Literal["better", "worse", "not distinguishable yet"]

DAY_MS: Final = length_ms("1d")

ALIKE: Final = 0.3
"""Correlation of neighbouring days above which a note says that the days ahead may differ."""

ENOUGH_DAYS: Final = 20
"""Below, that correlation is mostly chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A challenger beside its champion, from a common start.

    Parameters
    ----------
    name : str
        Of the challenger.
    since, until : int
        First and newest mark of both, ms UTC; 0 before the first.
    champion, challenger : float
        What each earned between them, fraction; NaN before the first mark.
    interval : Interval
        Of the mean difference a day, champion less challenger, in logarithms of equity.
    alpha, clip : float
        Probability that the interval ever misses; largest difference of one day that counts.
    days : ndarray of int64, shape (n,)
        Ends of the whole days, ms UTC.
    differences : ndarray, shape (n,)
        Of each, champion less challenger, not clipped.
    bounds : ndarray, shape (n, 3)
        Mean, low and high after each.
    """

    name: str
    since: int
    until: int
    champion: float
    challenger: float
    interval: Interval
    alpha: float
    clip: float
    days: TimeArray
    differences: FloatArray
    bounds: NDArray[np.float64]

    @property
    def verdict(self) -> Verdict:
        """What is known of the challenger: it earns more, less, or nobody can tell yet."""
        if self.interval.high < 0:
            return "better"
        return "worse" if self.interval.low > 0 else "not distinguishable yet"

    @property
    def text(self) -> str:
        """The verdict with what it rests on."""
        n, more = self.interval.n, self.interval.more
        days = "1 day" if n == 1 else f"{n} days"
        if self.verdict != "not distinguishable yet":
            return f"{self.verdict} ({days})"
        if more is None:
            return f"{self.verdict} ({days})"
        return f"{self.verdict} ({days}; would need about {more} more at the present difference)"

    @property
    def alike(self) -> float:
        """Correlation of the differences of neighbouring days; NaN where too few are known."""
        if self.days.size < ENOUGH_DAYS:
            return math.nan
        away = np.clip(self.differences, -self.clip, self.clip)
        away = away - away.mean()
        whole = float(away @ away)
        return float(away[1:] @ away[:-1]) / whole if whole > 0 else math.nan

    @property
    def note(self) -> str:
        """What the verdict does not say; empty where there is nothing to add."""
        notes = []
        if self.alike > ALIKE:
            notes.append(
                f"neighbouring days are alike (correlation {self.alike:.2f}): "
                "the verdict is about the days seen, and less about those to come"
            )
        if self.interval.clipped:
            notes.append(
                f"{self.interval.clipped} of {self.interval.n} days differed by more than "
                f"{self.clip:.0%} and count as that much"
            )
        return "; ".join(notes)

    def to_frame(self) -> pd.DataFrame:
        """Return the whole days as a table: difference, mean, low, high by their ends."""
        index = pd.DatetimeIndex(pd.to_datetime(self.days, unit="ms", utc=True), name="day")
        table = pd.DataFrame(self.bounds, index, ["mean", "low", "high"])
        table.insert(0, "difference", self.differences)
        return table

    def _repr_html_(self) -> str:
        rows = {
            "verdict": self.text,
            "earned": f"{self.challenger:+.2%} (champion {self.champion:+.2%})",
            "a day, champion less challenger": f"{self.interval.mean:+.4%}",
            f"{1 - self.alpha:.0%} at all times": (
                f"{self.interval.low:+.4%} to {self.interval.high:+.4%}"
            ),
        }
        if self.note:
            rows["note"] = self.note
        told = "".join(
            f"<tr><th>{html.escape(n)}</th><td>{html.escape(v)}</td></tr>" for n, v in rows.items()
        )
        return f"<table><caption>{html.escape(self.name)}</caption>{told}</table>"


def compare(
    time: TimeArray, champion: FloatArray, challenger: FloatArray, name: str = "challenger",
    alpha: float = ALPHA, clip: float = CLIP,
) -> Comparison:
    """Compare two curves of equity, e.g. of two backtests over the same bars.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        Of the marks, ms UTC, ascending; at least two.
    champion, challenger : ndarray, shape (n,)
        Equity at them, > 0.
    name : str
        Of the challenger.
    alpha, clip : float
        See `Sequential`.

    Raises
    ------
    ValueError
        If lengths differ, times do not ascend, or a number is out of its range.
    TypeError
        If a curve does not hold numbers.
    """
    comparing, times = Comparing(name, alpha, clip), _numbers("time", time)
    if times.size < 2:
        raise ValueError(f"time must hold 2 marks or more, was {times.size}")
    curves = [
        _curve(which, values, times.size)
        for which, values in (("champion", champion), ("challenger", challenger))
    ]
    for mark in zip(times.astype(np.int64).tolist(), *curves, strict=True):
        comparing.add(*mark)
    return comparing.comparison()


def _curve(name: str, values: FloatArray, n: int) -> list[float]:
    """Return a curve of equity of n marks; ValueError or TypeError for what is none."""
    found = _numbers(name, values).astype(float)
    if found.size != n:
        raise ValueError(f"{name} must have as many values as time, {n}, was {found.size}")
    wrong = found[~(np.isfinite(found) & (found > 0))]
    if wrong.size:
        raise ValueError(f"{name} must be finite and > 0, was {wrong[0]:g}")
    return [float(value) for value in found]


def _numbers(name: str, values: Any) -> NDArray[Any]:
    found = np.asarray(values)
    if found.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold numbers, was {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"{name} must have one dimension, was of {found.ndim}")
    return found


class Comparing:
    """Takes marks of both accounts as they come, and compares whole days of them.

    Parameters
    ----------
    name : str
        Of the challenger.
    alpha, clip : float
        See `Sequential`.

    Notes
    -----
    What stands at the first mark is the start of both. The day in which it lies counts only from
    its end on, and the newest day once it is over. Where nothing was marked for days, all that came
    of them counts as one day.
    """

    def __init__(self, name: str, alpha: float = ALPHA, clip: float = CLIP) -> None:
        self.name, self._sequence = name, Sequential(alpha, clip)
        self._first: tuple[int, float, float] | None = None
        self._last = (0, math.nan, math.nan)
        self._open: float | None = None  # the gap at the end of the day before the newest
        self._days: list[int] = []
        self._rows: list[tuple[float, float, float, float]] = []

    @property
    def until(self) -> int:
        """Time of the newest mark, ms UTC; 0 before the first."""
        return self._last[0]

    def add(self, time: int, champion: float, challenger: float) -> None:
        """Take the equity of both at a time, ms UTC.

        Raises
        ------
        ValueError
            If the time is not after that of the newest mark.
        """
        if time <= self._last[0]:
            raise ValueError(f"time must be > {self._last[0]}, was {time}")
        before, self._last = self._last, (time, champion, challenger)
        if self._first is None:
            self._first = self._last
        elif _day(before[0]) < _day(time) and before[0] % DAY_MS:
            self._end(_day(before[0]), before)
        if time % DAY_MS == 0:
            self._end(_day(time), self._last)

    def comparison(self) -> Comparison:
        """Return what is known now."""
        first = self._first or (0, math.nan, math.nan)
        rows = np.array(self._rows).reshape(-1, 4)
        return Comparison(
            self.name, first[0], self._last[0],
            self._last[1] / first[1] - 1, self._last[2] / first[2] - 1,
            self._sequence.interval(), self._sequence.alpha, self._sequence.clip,
            np.array(self._days, np.int64), rows[:, 0].copy(), rows[:, 1:].copy(),
        )  # fmt: skip

    def _end(self, day: int, mark: tuple[int, float, float]) -> None:
        """End a day with its newest mark."""
        gap = _log(mark[1]) - _log(mark[2])
        if self._open is not None:
            difference = gap - self._open
            difference = 0.0 if math.isnan(difference) else difference  # both are where they were
            self._sequence.add(difference)
            now = self._sequence.interval()
            self._days.append((day + 1) * DAY_MS)
            self._rows.append((difference, now.mean, now.low, now.high))
        self._open = gap


def _day(time: int) -> int:
    """Return the day that a mark belongs to: at midnight the one that ends."""
    return (time - 1) // DAY_MS


def _log(equity: float) -> float:
    return math.log(equity) if equity > 0 else -math.inf
