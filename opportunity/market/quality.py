"""Rules that bars must keep, and the report of where they do not.

One kernel marks every bar with the rules it breaks; `require_valid` (the gate before every
detector) and `inspect` (the report for a human) both read its marks, so they cannot disagree.
Gaps and zero volume are facts of a market, not faults: they are reported and never raise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.errors import BarError
from opportunity.kernels import kernel
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, length_ms, offset_ms, utc_text

NO_TIME: Final = int(np.iinfo(np.int64).min)
N_PLACES: Final = 5

ORDER, DUPLICATE, OFF_GRID, NOT_FINITE, PRICE, RANGE, VOLUME, GAP, EMPTY = (
    1 << i for i in range(9)
)
FAULTS: Final = ORDER | DUPLICATE | OFF_GRID | NOT_FINITE | PRICE | RANGE | VOLUME
"""Marks that make bars invalid."""

RULES: Final[dict[str, int]] = {
    "not ascending": ORDER,
    "duplicate": DUPLICATE,
    "off grid": OFF_GRID,
    "not finite": NOT_FINITE,
    "price <= 0": PRICE,
    "open or close outside low..high": RANGE,
    "negative volume": VOLUME,
    "gap": GAP,
    "zero volume": EMPTY,
}


@kernel
def mark(time: Any, values: Any, length: Any, offset: Any, previous: Any, marks: Any) -> Any:
    """Mark each bar with the rules it breaks; return all marks together and the missing bars.

    `length` 0 means that the grid is unknown: then nothing is off grid and nothing is a gap.
    """
    seen = 0
    missing = 0
    for i in range(time.size):
        t = time[i]
        o, h, low, c, v = values[i, 0], values[i, 1], values[i, 2], values[i, 3], values[i, 4]
        m = 0
        if t == previous:
            m |= DUPLICATE
        elif t < previous:
            m |= ORDER
        elif length > 0 and previous != NO_TIME and (t - previous) // length > 1:
            m |= GAP
            missing += (t - previous) // length - 1
        if length > 0 and (t - offset) % length != 0:
            m |= OFF_GRID
        if not (np.isfinite(o) and np.isfinite(h) and np.isfinite(low) and np.isfinite(c)
                and np.isfinite(v)):
            m |= NOT_FINITE
        else:
            if min(o, h, low, c) <= 0.0:
                m |= PRICE
            if low > min(o, c) or h < max(o, c):
                m |= RANGE
            if v < 0.0:
                m |= VOLUME
            elif v == 0.0:
                m |= EMPTY
        marks[i] = m
        seen |= m
        previous = t
    return seen, missing


def require_bars(bars: object) -> None:
    """Raise if something else than `Bars` is given as bars.

    Raises
    ------
    TypeError
        Naming what came, and for a DataFrame how to make bars of it.
    """
    if not isinstance(bars, Bars):
        hint = ": Bars.from_frame(frame) makes them" if isinstance(bars, pd.DataFrame) else ""
        raise TypeError(f"bars must be Bars, was {type(bars).__name__}{hint}")


def require_valid(bars: Bars, after: int | None = None) -> None:
    """Raise if a bar breaks a rule that makes a score meaningless.

    Parameters
    ----------
    bars : Bars
        Bars to check; their grid is checked only if their timeframe is known.
    after : int, optional
        Opening time (ms UTC) of the bar before them; the first bar must be later.

    Raises
    ------
    BarError
        If times do not ascend, a bar is off its grid, a value is not finite, a price is not
        above 0, open or close lies outside low..high, or a volume is negative. The text names
        the first such bar, the rule and the value.
    TypeError
        If they are no Bars.

    Notes
    -----
    One compiled pass. Gaps and zero volume pass: see `inspect`.
    """
    require_bars(bars)
    marks = np.empty(bars.time.size, np.int64)
    previous = NO_TIME if after is None else after
    if _mark(bars, previous, marks)[0] & FAULTS:
        place = int(np.flatnonzero(marks & FAULTS)[0])
        raise BarError(_explain(bars, place, int(marks[place]), previous))


def _mark(bars: Bars, previous: int, marks: NDArray[np.int64]) -> tuple[int, int]:
    name = bars.timeframe
    length, offset = (0, 0) if name is None else (length_ms(name), offset_ms(name))
    seen, missing = mark(bars.time, bars.values, length, offset, previous, marks)
    return int(seen), int(missing)


def _explain(bars: Bars, place: int, marks: int, previous: int) -> str:
    time = int(bars.time[place])
    before = int(bars.time[place - 1]) if place else previous
    o, h, low, c, v = bars.values[place].tolist()
    if marks & (ORDER | DUPLICATE):
        rule = f"time must be later than {utc_text(before)}, was {utc_text(time)}"
    elif marks & OFF_GRID:
        rule = f"time must be an opening time of {bars.timeframe}, was {utc_text(time)}"
    elif marks & NOT_FINITE:
        rule = f"values must be finite, were {[o, h, low, c, v]}"
    elif marks & PRICE:
        rule = f"prices must be > 0, lowest was {min(o, h, low, c)}"
    elif marks & RANGE:
        rule = f"open and close must lie within low..high {low}..{h}, were {o} and {c}"
    else:
        rule = f"volume must be >= 0, was {v}"
    label = " ".join(x for x in (bars.symbol, bars.timeframe or "") if x)
    return f"{label or 'bars'}: bar {place} at {utc_text(time)}: {rule}"


@dataclass(frozen=True, slots=True)
class Finding:
    """How often a rule is broken, and the first opening times (ms UTC) where."""

    rule: str
    count: int
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What `inspect` found in the bars of one symbol and timeframe.

    Parameters
    ----------
    symbol, timeframe
        Labels of the bars; without a timeframe neither gaps nor the grid are checked.
    n_bars : int
        Number of bars looked at.
    first, last : int or None
        Opening times (ms UTC) of the first and last row; None when there is no bar.
    missing : int
        Bars missing in all gaps together.
    findings : tuple of Finding
        One entry for each rule, kept or broken.
    """

    symbol: str
    timeframe: Timeframe | None
    n_bars: int
    first: int | None
    last: int | None
    missing: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True if `require_valid` would pass: gaps and zero volume do not count."""
        return not any(f.count for f in self.findings if RULES[f.rule] & FAULTS)

    @property
    def gaps(self) -> int:
        """Number of places where at least one bar is missing."""
        return self.count("gap")

    def count(self, rule: str) -> int:
        """Return how many bars break the rule, a key of `RULES`."""
        return next(f.count for f in self.findings if f.rule == rule)

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each rule: its count and the first place, tz-aware."""
        first = [f.places[0] if f.places else None for f in self.findings]
        return pd.DataFrame(
            {
                "count": [f.count for f in self.findings],
                "first": pd.to_datetime(pd.array(first, dtype="Int64"), unit="ms", utc=True),
            },
            index=pd.Index([f.rule for f in self.findings], name="rule"),
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        name = " ".join(x for x in (self.symbol, self.timeframe or "") if x) or "bars"
        verdict = "valid" if self.ok else "INVALID"
        yield f"{name}: {self.n_bars} bars, {verdict}, {self.missing} missing in {self.gaps} gaps"
        for finding in self.findings:
            if finding.count:
                places = ", ".join(utc_text(t) for t in finding.places)
                more = ", ..." if finding.count > len(finding.places) else ""
                yield f"  {finding.rule}: {finding.count} (at {places}{more})"


def inspect(bars: Bars) -> QualityReport:
    """Count every rule that the bars break and note the first places.

    Parameters
    ----------
    bars : Bars
        Bars in any condition; nothing raises.

    Returns
    -------
    QualityReport
        Counts and first opening times for each rule.
    """
    marks = np.empty(bars.time.size, np.int64)
    missing = _mark(bars, NO_TIME, marks)[1]
    return QualityReport(
        symbol=bars.symbol,
        timeframe=bars.timeframe,
        n_bars=len(bars),
        first=int(bars.time[0]) if len(bars) else None,
        last=int(bars.time[-1]) if len(bars) else None,
        missing=missing,
        findings=tuple(_find(bars, marks, rule, bit) for rule, bit in RULES.items()),
    )


def _find(bars: Bars, marks: NDArray[np.int64], rule: str, bit: int) -> Finding:
    places = np.flatnonzero(marks & bit)
    return Finding(rule, places.size, tuple(bars.time[places[:N_PLACES]].tolist()))
