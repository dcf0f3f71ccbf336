"""History made ready to be judged: bars in batches, and what every detector said of them.

This is the slow part of a backtest and holds no weights: it is done once, and any number of
weights and rules are judged on it.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches, batches_of
from opportunity.backtest.coverage import Coverage, cover, refuse, span_problems
from opportunity.backtest.evidence import Stream, empty_stream, folded, tasks
from opportunity.backtest.joining import Joined, join
from opportunity.backtest.judge import Progress
from opportunity.backtest.observing import Knowledge, know
from opportunity.backtest.span import (
    BarsLike,
    Moment,
    chosen_frames,
    closed_by,
    decision_of,
    named_bars,
    span_of,
)
from opportunity.backtest.warmup import Readiness
from opportunity.detectors import DETECTORS
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, length_ms
from opportunity.scoring.scores import Records

N_THREADS: Final = max(1, min(8, os.cpu_count() or 1))


@dataclass(frozen=True, eq=False)
class History:
    """What is known of a market before any weight is applied.

    Parameters
    ----------
    symbols : tuple of str
        In alphabetical order; everything else numbers them by their place.
    base, decision : Timeframe
        Of the bars in the batches; at whose closes decisions fall.
    timeframes : tuple of Timeframe
        Those that are scored, shortest first.
    batches : Batches
        The base bars.
    streams : tuple of tuples of Stream
        By symbol, then timeframe.
    exists_from : ndarray of int64, shape (n_detectors,)
        From when on each detector has what it reads, ms UTC.
    source : str
        Stamp of the bars, e.g. ``simulated``.
    observed : bool
        Whether anything was known besides bars.
    coverage : Coverage
    digest : str
        SHA-256 of all bars and of what was known besides them.
    start_batch : int
        First batch that trades; those before are warm-up.
    """

    symbols: tuple[str, ...]
    base: Timeframe
    decision: Timeframe
    timeframes: tuple[Timeframe, ...]
    batches: Batches
    streams: tuple[tuple[Stream, ...], ...]
    exists_from: NDArray[np.int64]
    source: str
    observed: bool
    coverage: Coverage
    digest: str
    start_batch: int

    @cached_property
    def joined(self) -> Joined:
        """What each decision reads; made on first use and kept."""
        return join(self)

    def __repr__(self) -> str:
        n = len(self.batches) - self.start_batch
        return (
            f"<History of {len(self.symbols)} symbols on {', '.join(self.timeframes)}: {n} bars of "
            f"{self.base} to trade, {self.start_batch} of warm-up, {self.source or 'no source'}>"
        )


def prepare(
    bars: BarsLike,
    *,
    timeframes: Iterable[str] | None = None,
    decision_timeframe: str | None = None,
    observations: Records = None,
    start: Moment = None,
    end: Moment = None,
    partial: bool = False,
    progress: Progress | None = None,
) -> History:
    """Run all detectors over history, ready to be judged with any weights.

    Parameters
    ----------
    bars : Bars, sequence of Bars, or mapping of str to Bars
        Base bars of one or more symbols, all of one timeframe; longer ones are made of them.
    timeframes : iterable of str, optional
        To score. Defaults to those that the agent watches, as far as the bars make them and as
        their warm-up takes no more than half of the history (all of it before `start`).
    decision_timeframe : str, optional
        At whose closes decisions fall, one of `timeframes`. Defaults to 1h where that is among
        them, else to the next longer one, else to the longest.
    observations : records or FolderRecords, optional
        Headlines, funding and so on, each known from its `available_at` on.
    start, end : int, str, datetime or Timestamp, optional
        Trade bars that open from `start` on and close by `end`; ms or ISO 8601, UTC. What is
        before `start` is warm-up. Without a start, trading begins as soon as every timeframe of
        one symbol has its 100 bars of warm-up.
    partial : bool
        Accept symbols that begin late, end early or have holes of more than a week: they are
        judged where they are there. Otherwise that is an error.
    progress : callable, optional
        Called with bars that a detector has seen and such bars in all; what it raises ends the
        work.

    Raises
    ------
    CoverageError
        If history or warm-up is missing; the text says what was asked and what is there.
    BarError
        If bars break a rule.
    TypeError, ValueError
        If an argument is of the wrong kind, unknown or does not fit.

    Notes
    -----
    Gaps are reported in `coverage` and never filled in: the bar after one is flagged, and trust
    in the data is lower for a while.
    """
    asked = span_of(start, end)
    given = named_bars(bars)
    named = closed_by(given, asked.end)
    coverage, there = cover(named, asked), cover(named, asked, given)
    if not any(len(b) for b in named):
        refuse(there, span_problems(coverage, 0))
    ready, decision = _ready(named, (timeframes, decision_timeframe), asked.start, partial)
    problems = span_problems(coverage, length_ms(decision), given) + ready.problems(decision)
    if not ready.decides(decision):
        refuse(there, [*problems, "no decision falls in what is left after the warm-up"])
    if not partial:
        refuse(there, problems)
    knowledge = know(named, [d() for d in DETECTORS], observations)
    batches, first = ready.batches, ready.first
    return History(
        symbols=tuple(b.symbol for b in named),
        base=coverage.base,
        decision=decision,
        timeframes=ready.timeframes,
        batches=batches,
        streams=_streams(ready, coverage.base, knowledge, progress),
        exists_from=knowledge.exists_from,
        source="+".join(sorted({b.source for b in named if b.source})),
        observed=knowledge.given,
        coverage=replace(
            coverage, start=int(batches.opened[first]), problems=tuple(problems)
        ),
        digest=_digest(named, knowledge),
        start_batch=first,
    )


def _ready(
    named: Sequence[Bars],
    asked: tuple[Iterable[str] | None, str | None],
    start: int | None,
    partial: bool,
) -> tuple[Readiness, Timeframe]:
    """Fold the bars and choose timeframes where none were asked for."""
    base = named[0].timeframe
    assert base is not None
    timeframes, decision = asked
    frames = chosen_frames(base, timeframes, decision)
    batches = batches_of(named, base)
    parts = tuple(
        tuple(folded(i, b, t, batches) for t in frames) for i, b in enumerate(named)
    )
    ready = Readiness(frames, parts, batches, start, partial)
    if timeframes is None:
        # One that was asked for stays, so that what it lacks is told.
        kept = set(ready.usable()) | ({decision_of(frames, decision)} if decision else set())
        ready = ready.of([t for t in frames if t in kept] or frames[:1])
    return ready, decision_of(ready.timeframes, decision)


def _streams(
    ready: Readiness, base: Timeframe, knowledge: Knowledge, progress: Progress | None
) -> tuple[tuple[Stream, ...], ...]:
    detectors = [d() for d in DETECTORS]
    streams = tuple(
        tuple(empty_stream(part, base, len(detectors)) for part in row) for row in ready.parts
    )
    calls: list[tuple[int, Callable[[], None]]] = []
    for made, row in zip(streams, ready.parts, strict=True):
        for stream, part in zip(made, row, strict=True):
            calls += tasks(stream, part, detectors, knowledge)
    calls.sort(key=lambda c: -c[0])  # the longest first: no thread is left with one at the end
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="detectors") as pool:
        futures = [pool.submit(call) for _, call in calls]
        seen, total = 0, sum(n for n, _ in calls)
        try:
            for (n, _), future in zip(calls, futures, strict=True):
                future.result()
                seen += n
                if progress is not None:
                    progress(seen, total)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # of what has not begun
    return streams


def _digest(bars: Sequence[Bars], knowledge: Knowledge) -> str:
    """Hash what the run reads: bars, and what was known at the close of each of them."""
    digest = hashlib.sha256()
    for i, one in enumerate(bars):
        digest.update(f"{one.symbol} {one.timeframe} {one.source} {len(one)}".encode())
        digest.update(one.time.data)
        digest.update(one.values.data)
        for detector in range(len(knowledge.inputs)):
            rows = knowledge.rows(detector, i, one.time, length_ms(str(one.timeframe)))
            if rows is not None:
                digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()
