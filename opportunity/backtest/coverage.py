"""What history there is against what is asked for, and the error where it is not enough.

Nothing is ever filled in: a small gap is what the market was like and is reported; a large one,
a late beginning or an early end is an error, unless partial history was asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.backtest.span import Span
from opportunity.detectors.base import WARMUP
from opportunity.errors import CoverageError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms, utc_text

LONG_GAP_MS: Final = 7 * DAY_MS
LONG_GAP_BARS: Final = 10
"""A gap longer than both is missing history: holidays and outages are shorter."""

N_SHOWN: Final = 30
N_GAPS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class SymbolCoverage:
    """What there is of one symbol.

    Parameters
    ----------
    symbol : str
    first, last : int
        Open of the first base bar and close of the last one, ms UTC; 0 without any.
    n_bars, missing : int
        Base bars that are there, and that are missing between the first and the last.
    gaps : ndarray of int64, shape (n_gaps, 2)
        Each from when to when, ms UTC.
    held : tuple of int, optional
        From when to when there are bars at all, ms UTC, where that is more than was read.
    """

    symbol: str
    first: int
    last: int
    n_bars: int
    missing: int
    gaps: TimeArray
    held: tuple[int, int] | None = None

    def longest(self, n: int = N_GAPS) -> TimeArray:
        """Return the `n` longest gaps, longest first."""
        lengths = self.gaps[:, 1] - self.gaps[:, 0]
        return self.gaps[np.argsort(-lengths, kind="stable")[:n]]

    def text(self, base: Timeframe) -> str:
        """Say it in one line."""
        if self.held is not None:
            first, last = self.held
            n_bars = f"{self.n_bars:,}" if self.n_bars else "no"
            return (
                f"{self.symbol or 'bars'} {base}: {utc_text(first)} to {utc_text(last)}, "
                f"{n_bars} bars in what was asked and its warm-up"
            )
        if not self.n_bars:
            return f"{self.symbol or 'bars'} {base}: no bars".strip()
        gaps = f", {self.missing:,} missing in {len(self.gaps):,} gaps" if self.missing else ""
        return (
            f"{self.symbol or 'bars'} {base}: {utc_text(self.first)} to {utc_text(self.last)}, "
            f"{self.n_bars:,} bars{gaps}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What there is of all symbols, and what of it is used.

    Parameters
    ----------
    base : Timeframe
    asked : Span
    symbols : tuple of SymbolCoverage
    start : int
        Open of the first bar that trades, ms UTC; what is before is warm-up.
    problems : tuple of str
        What is missing of what was asked, in words.
    """

    base: Timeframe
    asked: Span
    symbols: tuple[SymbolCoverage, ...]
    start: int = 0
    problems: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> int:
        """Base bars that are missing inside the symbols' spans."""
        return sum(s.missing for s in self.symbols)

    def missing_between(self, start: int, end: int) -> int:
        """Return how many base bars are missing that would open in [start, end), ms UTC."""
        spans = (np.clip(s.gaps, start, end) for s in self.symbols)
        return sum(int((g[:, 1] - g[:, 0]).sum()) for g in spans) // length_ms(self.base)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        start, end = self.asked.start, self.asked.end
        since = "the first bar" if start is None else utc_text(start)
        yield f"asked: {since} to {'the last bar' if end is None else utc_text(end)}; there is"
        for symbol in self.symbols[:N_SHOWN]:
            yield f"  {symbol.text(self.base)}"
            for opened, closed in symbol.longest().tolist():
                n_bars = (closed - opened) // length_ms(self.base)
                noun = "bar" if n_bars == 1 else "bars"
                yield f"    gap of {n_bars:,} {noun}: {utc_text(opened)} to {utc_text(closed)}"
        if len(self.symbols) > N_SHOWN:
            yield f"  and {len(self.symbols) - N_SHOWN} more"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; of the gaps of each symbol the longest."""
        return {
            "timeframe": self.base,
            "asked": {"start": self.asked.start, "end": self.asked.end},
            "start": self.start,
            "missing": self.missing,
            "problems": list(self.problems),
            "symbols": [
                {
                    "symbol": s.symbol, "first": (s.held or (s.first, s.last))[0],
                    "last": (s.held or (s.first, s.last))[1], "bars": s.n_bars,
                    "missing": s.missing, "n_gaps": len(s.gaps),
                    "longest_gaps": s.longest().tolist(),
                }
                for s in self.symbols
            ],
        }  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each symbol, tz-aware."""
        columns: dict[str, Any] = {
            name: pd.to_datetime([getattr(s, name) for s in self.symbols], unit="ms", utc=True)
            for name in ("first", "last")
        }
        columns |= {
            "bars": [s.n_bars for s in self.symbols],
            "missing": [s.missing for s in self.symbols],
            "gaps": [len(s.gaps) for s in self.symbols],
        }
        names = pd.Index([s.symbol for s in self.symbols], name="symbol")
        return pd.DataFrame(columns, index=names)


def cover(
    bars: Sequence[Bars], asked: Span, given: Sequence[Bars] | None = None
) -> Coverage:
    """Look at what there is of each symbol; bars are of one timeframe.

    `given` are the bars before they were cut to what was asked.
    """
    base = bars[0].timeframe
    assert base is not None
    found = tuple(_of(b, length_ms(base)) for b in bars)
    if given is not None:
        found = tuple(
            replace(s, held=(int(b.time[0]), int(b.time[-1]) + length_ms(base)))
            if len(b) > s.n_bars else s
            for s, b in zip(found, given, strict=True)
        )
    return Coverage(base, asked, found)


def _of(bars: Bars, length: int) -> SymbolCoverage:
    if not len(bars):
        return SymbolCoverage(bars.symbol, 0, 0, 0, 0, np.empty((0, 2), np.int64))
    time = bars.time
    after = np.flatnonzero(np.diff(time) != length) + 1
    gaps = np.stack([time[after - 1] + length, time[after]], axis=1)
    missing = int((gaps[:, 1] - gaps[:, 0]).sum() // length)
    first, last = int(time[0]), int(time[-1]) + length
    return SymbolCoverage(bars.symbol, first, last, len(bars), missing, gaps)


def span_problems(
    coverage: Coverage, slack: int, given: Sequence[Bars] | None = None
) -> list[str]:
    """Word what is missing of the span that was asked.

    Parameters
    ----------
    coverage : Coverage
    slack : int
        By how much a symbol may begin later or end earlier, ms.
    given : sequence of Bars, optional
        Bars of the symbols before they were cut to the span. Where they go on beyond an end of
        it, that end lies in a gap, a weekend for one, and only a long one is a problem.
    """
    asked, found = coverage.asked, []
    bound = max(LONG_GAP_MS, LONG_GAP_BARS * length_ms(coverage.base))
    since = asked.start or 0
    newest = max(s.last for s in coverage.symbols)
    for i, symbol in enumerate(coverage.symbols):
        name = symbol.symbol or "bars"
        if not symbol.n_bars:
            found.append(f"{name}: there are no bars")
            continue
        before, after = (False, False) if given is None else _reach(given[i], asked)
        if asked.start is not None and symbol.first > asked.start + (bound if before else slack):
            found.append(f"{name}: begins at {utc_text(symbol.first)} only")
        if asked.end is not None and symbol.last < asked.end - (bound if after else slack):
            found.append(f"{name}: ends at {utc_text(symbol.last)} already")
        elif asked.end is None and symbol.last < newest - bound:
            ends = utc_text(symbol.last)
            found.append(f"{name}: ends at {ends} already, others at {utc_text(newest)}")
        for opened, closed in symbol.gaps.tolist():
            if closed > since and closed - opened > bound:
                days = (closed - opened) / DAY_MS
                found.append(f"{name}: nothing for {days:.1f} days from {utc_text(opened)}")
    return found


def _reach(given: Bars, asked: Span) -> tuple[bool, bool]:
    """Tell whether bars were given from before the span that was asked, and from after it."""
    before = asked.start is not None and int(given.time[0]) < asked.start
    return before, asked.end is not None and int(given.close_time[-1]) > asked.end


def warmup_problem(symbol: str, timeframe: str, n_bars: int, before: int | None) -> str:
    """Word that a stream has too few bars to score by the first decision, `before` (ms UTC)."""
    where = "in all" if before is None else f"by the first decision at {utc_text(before)}"
    return (
        f"{symbol or 'bars'}: {timeframe} needs {WARMUP} bars to score, has {n_bars} {where}"
    )


def refuse(coverage: Coverage, problems: Sequence[str]) -> None:
    """Raise if history is missing.

    Raises
    ------
    CoverageError
        With every problem, what was asked and what is there.
    """
    if not problems:
        return
    raise MissingHistoryError(replace(coverage, problems=tuple(problems)))


class MissingHistoryError(CoverageError):
    """Raised by `refuse`.

    Parameters
    ----------
    coverage : Coverage
        With its problems.
    """

    def __init__(self, coverage: Coverage) -> None:
        super().__init__(coverage)
        self.tell(coverage)

    def tell(self, coverage: Coverage) -> None:
        """Word it, with what there is in `coverage`."""
        n = len(coverage.problems)
        shown = [f"  {p}" for p in coverage.problems[:N_SHOWN]]
        if n > N_SHOWN:
            shown.append(f"  and {n - N_SHOWN} more")
        self.coverage, self.report = coverage, coverage.as_dict()
        self._text = "\n".join(
            ["bars must cover what is asked and its warm-up:", *shown, str(coverage)]
        )

    def __str__(self) -> str:
        return self._text

    def hold(self, spans: Mapping[str, tuple[int, int] | None]) -> None:
        """Tell what there is at all of each symbol, ms UTC, and not only what was read of it."""
        symbols = tuple(
            replace(s, held=spans.get(s.symbol) or s.held) for s in self.coverage.symbols
        )
        self.tell(replace(self.coverage, symbols=symbols))
