"""Where a backtest may begin: every timeframe needs its warm-up before the first decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches
from opportunity.backtest.coverage import warmup_problem
from opportunity.backtest.evidence import Folded
from opportunity.detectors.base import WARMUP
from opportunity.market.timeframe import Timeframe, utc_text


@dataclass(frozen=True, slots=True, eq=False)
class Readiness:
    """When the streams of a universe can score.

    Parameters
    ----------
    timeframes : tuple of Timeframe
    parts : tuple of tuples of Folded
        By symbol, then timeframe.
    batches : Batches
    start : int or None
        Open of the first bar that is to trade, ms UTC; None: as early as possible.
    partial : bool
        Symbols may begin late.
    """

    timeframes: tuple[Timeframe, ...]
    parts: tuple[tuple[Folded, ...], ...]
    batches: Batches
    start: int | None
    partial: bool

    @property
    def ready(self) -> NDArray[np.int64]:
        """Batch in which each stream scores first, `len(batches)`: never; (n_symbols, n_frames)."""
        return np.array([
            [p.known[WARMUP - 1] if len(p.known) >= WARMUP else len(self.batches) for p in row]
            for row in self.parts
        ])

    @property
    def first(self) -> int:
        """First batch that trades; `len(batches)` where there is none."""
        if self.start is not None:
            return int(np.searchsorted(self.batches.opened, self.start))
        return int(self.ready.max(axis=1).min())

    def usable(self) -> tuple[Timeframe, ...]:
        """Return those timeframes that have the history: before a start, or in its first half."""
        ready, n = self.ready, len(self.batches)
        if self.start is None:
            fit = ready.min(axis=0) <= n // 2
            if not self.partial:
                fit &= ready.max(axis=0) < n
        else:
            worst = ready.min(axis=0) if self.partial else ready.max(axis=0)
            fit = worst <= self.first
        return tuple(t for t, is_fit in zip(self.timeframes, fit, strict=True) if is_fit)

    def of(self, timeframes: Sequence[Timeframe]) -> "Readiness":
        """Return the same of some of the timeframes."""
        places = [self.timeframes.index(t) for t in timeframes]
        parts = tuple(tuple(row[i] for i in places) for row in self.parts)
        return Readiness(tuple(timeframes), parts, self.batches, self.start, self.partial)

    def problems(self, decision: Timeframe) -> list[str]:
        """Word which streams cannot score by the first decision of their symbol."""
        found, frame, n = [], self.timeframes.index(decision), len(self.batches)
        ready, first = self.ready, self.first
        for row, streams in zip(ready.tolist(), self.parts, strict=True):
            known = streams[frame].known
            place = int(np.searchsorted(known, first))
            limit, before = n - 1, None
            if self.start is not None and place < known.size:
                limit = int(known[place])
                before = int(self.batches.time[limit])
            for part, since in zip(streams, row, strict=True):
                if since > limit:
                    n_bars = int(np.searchsorted(part.known, limit, side="right"))
                    name = str(part.bars.timeframe)
                    told = warmup_problem(part.bars.symbol, name, n_bars, before)
                    if since < n:
                        told += f"; it is ready from {utc_text(int(self.batches.opened[since]))}"
                    found.append(told)
        return found

    def decides(self, decision: Timeframe) -> bool:
        """Tell whether any decision falls once trading has begun."""
        frame = self.timeframes.index(decision)
        return any(
            row[frame].known.size > 0 and int(row[frame].known[-1]) >= self.first
            for row in self.parts
        )
