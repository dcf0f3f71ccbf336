"""What a sweep reads of a history: the evidence of every decision, laid out for sixteen at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.history import History
from opportunity.backtest.sweep_exact import GATES
from opportunity.backtest.sweep_score import CONFIDENCE_PART, LANES, NET_PART, SQUARE_PART
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import NotSweepable
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.scoring.combination import gated_score
from opportunity.scoring.consensus import timeframe_weights as weights_of
from opportunity.scoring.trust import symbol_trust

BLOCK: Final = 2_048
"""Decisions that are scored and traded at a time: what they read stays in the cache."""

LEAST_CONFIDENCE: Final = 1e-15
"""Confidences above 0 below this would vanish among single-precision products."""

Ints = NDArray[np.int64]

_KEPT: Final[WeakKeyDictionary[History, dict[tuple[Any, ...], "SweepTables"]]] = (
    WeakKeyDictionary()
)
_LOCK: Final = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class SweepTables:
    """The decisions of one symbol before any weight and rule; n of them, m timeframes.

    Parameters
    ----------
    at, time : ndarray of int64, shape (n,)
        Batch at whose end each decision falls, and when that is, ms UTC.
    atr : ndarray, shape (n,)
    flagged : ndarray of int8, shape (n,)
    volume : ndarray, shape (n,)
        Traded in the 24 hours before, quote currency; NaN where unknown.
    seen : tuple
        What `exact_side` reads.
    trust : ndarray, shape (n,)
        Of the symbol, NaN where nothing scored.
    shares, trusted : ndarray of float32, shape (m, n)
        Weight of each timeframe among those that scored, and that times its trust.
    starts : ndarray of int64, shape (n_blocks + 1,)
        First decision of each block; the same detectors exist all through a block.
    local : ndarray of int32, shape (m, n)
        Row that a decision reads, counted from the first one of its block and timeframe.
    first, count : ndarray of int64, shape (m, n_blocks)
        Groups of each timeframe and block.
    groups : ndarray of float32, shape (n_groups, 27, 16)
        c, c h and c h h of each detector, 0 where unavailable.
    wild : ndarray of bool, shape (n,)
        Decisions that single precision cannot hold; they are always settled exactly.
    """

    at: Ints
    time: Ints
    atr: FloatArray
    flagged: NDArray[np.int8]
    volume: FloatArray
    seen: tuple[Any, ...]
    trust: FloatArray
    shares: NDArray[np.float32]
    trusted: NDArray[np.float32]
    starts: Ints
    local: NDArray[np.int32]
    first: Ints
    count: Ints
    groups: NDArray[np.float32]
    wild: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.at.size

    @property
    def n_timeframes(self) -> int:
        """Timeframes that are scored."""
        return int(self.local.shape[0])

    @property
    def exists(self) -> NDArray[np.bool_]:
        """Sets of detectors that exist together, shape (n_sets, n_detectors)."""
        return np.asarray(self.seen[3])


def tables_of(
    history: History, timeframe_weights: Mapping[str, float] | None = None
) -> SweepTables:
    """Return `sweep_tables`, made on first use and kept as long as the history is."""
    key = tuple(weights_of(history.timeframes, timeframe_weights).tolist())
    with _LOCK:
        kept = _KEPT.setdefault(history, {})
        if key not in kept:
            kept[key] = sweep_tables(history, timeframe_weights)
        return kept[key]


def sweep_tables(
    history: History, timeframe_weights: Mapping[str, float] | None = None, block: int = BLOCK
) -> SweepTables:
    """Lay out the evidence of a history.

    Parameters
    ----------
    history : History
        Of one symbol.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.
    block : int
        Decisions of a block, a multiple of 16.

    Raises
    ------
    NotSweepable
        If there are several symbols.

    Notes
    -----
    About 60 ns and 110 bytes for each decision and timeframe.
    """
    if len(history.symbols) != 1:
        raise NotSweepable(
            f"symbols of a sweep must be one, was {len(history.symbols)}: "
            "backtest a portfolio one vector at a time"
        )
    joined = history.joined
    by_frame = weights_of(history.timeframes, timeframe_weights)
    rows, evidence = _evidence(history)
    trust = np.ascontiguousarray(joined.trust.T)
    sets, exists = _sets(history)
    scored = np.zeros(rows.shape, np.bool_)
    find_scored(rows, sets, exists, evidence[0], evidence[1], scored)
    starts = _starts(sets, block)
    local, first, count = plan(rows, starts)
    groups = np.zeros((int(count.sum()), 3 * len(DETECTOR_NAMES), LANES), np.float32)
    wild = np.zeros(len(joined), np.bool_)
    fill_groups((rows, sets, exists, *evidence, GATES), starts, local, first, groups, wild)
    total = np.where(scored, by_frame[:, None], 0.0).sum(axis=0)
    shares = np.where(scored & (total > 0), by_frame[:, None] / np.where(total > 0, total, 1), 0.0)
    return SweepTables(
        joined.batch, joined.time, joined.atr, joined.flagged.astype(np.int8), joined.volume,
        (rows, trust, sets, exists, *evidence, GATES, by_frame),
        symbol_trust(joined.trust, np.where(scored.T, 0.0, np.nan), by_frame),
        shares.astype(np.float32), (shares * trust).astype(np.float32),
        starts, local, first, count, groups, wild,
    )  # fmt: skip


def _evidence(history: History) -> tuple[Ints, tuple[FloatArray, ...]]:
    """Return the rows that decisions read, and of each row what is known of it."""
    streams, rows = history.streams[0], np.ascontiguousarray(history.joined.rows.T)
    if len(streams) == 1:
        one = streams[0]
        return rows, (one.scores, one.confidences, one.trend, one.volatility)
    parts, begin = [], 0
    for f, stream in enumerate(streams):
        used = np.unique(rows[f][rows[f] >= 0])  # of a short timeframe only few are ever read
        rows[f] = np.where(rows[f] >= 0, begin + np.searchsorted(used, rows[f]), -1)
        begin += used.size
        parts.append([
            stream.scores[used], stream.confidences[used], stream.trend[used],
            stream.volatility[used],
        ])  # fmt: skip
    return rows, tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _sets(history: History) -> tuple[Ints, NDArray[np.bool_]]:
    """Give numbers to the sets of detectors that exist together, by decision."""
    changes = np.unique(history.exists_from)
    sets = np.searchsorted(changes, history.joined.time, side="right").astype(np.int64)
    exists = np.zeros((changes.size + 1, history.exists_from.size), np.bool_)
    for i, change in enumerate(changes.tolist()):
        exists[i + 1] = history.exists_from <= change
    return sets, exists


def _starts(sets: Ints, block: int) -> Ints:
    cuts = [0, *(np.flatnonzero(np.diff(sets)) + 1).tolist(), sets.size]
    parts = [np.arange(a, z, block) for a, z in pairwise(cuts)]
    return np.concatenate([*parts, [sets.size]]).astype(np.int64)


@kernel
def find_scored(
    rows: Any, sets: Any, exists: Any, scores: Any, confidences: Any, scored: Any
) -> None:
    """Tell for each timeframe and decision whether any detector is available."""
    for f in range(rows.shape[0]):
        for d in range(rows.shape[1]):
            row = rows[f, d]
            for i in range(scores.shape[1]):
                if (
                    row >= 0 and exists[sets[d], i]
                    and np.isfinite(scores[row, i]) and np.isfinite(confidences[row, i])
                ):
                    scored[f, d] = True


def plan(rows: Ints, starts: Ints) -> tuple[NDArray[np.int32], Ints, Ints]:
    """Give each block room for the rows that its decisions read: local rows, groups, counts."""
    local = np.zeros(rows.shape, np.int32)
    count = np.zeros((rows.shape[0], starts.size - 1), np.int64)
    place_rows(rows, starts, local, count)
    first = (np.cumsum(count) - count.reshape(-1)).reshape(count.shape)
    return local, first, count


@kernel
def place_rows(rows: Any, starts: Any, local: Any, count: Any) -> None:
    """Count the rows of each block anew; a single timeframe has a row for each decision."""
    n_frames = rows.shape[0]
    for f in range(n_frames):
        for k in range(starts.size - 1):
            n = 0
            for d in range(starts[k], starts[k + 1]):
                if d == starts[k] or n_frames == 1 or rows[f, d] != rows[f, d - 1]:
                    n += 1
                local[f, d] = n - 1
            count[f, k] = (n + LANES - 1) // LANES


@kernel
def fill_groups(seen: Any, starts: Any, local: Any, first: Any, groups: Any, wild: Any) -> None:
    """Write c, c h and c h h of every row that is read, and find what is too small for them."""
    rows, sets, exists, scores, confidences, trend, volatility, gates = seen
    n = scores.shape[1]
    for f in range(rows.shape[0]):
        for k in range(starts.size - 1):
            for d in range(starts[k], starts[k + 1]):
                row = rows[f, d]
                if row < 0:
                    continue
                g = first[f, k] + local[f, d] // LANES
                r = local[f, d] % LANES
                for i in range(n):
                    s = scores[row, i]
                    c = confidences[row, i]
                    if exists[sets[d], i] and np.isfinite(s) and np.isfinite(c):
                        h = gated_score(s, trend[row], volatility[row], gates[i])
                        groups[g, CONFIDENCE_PART + i, r] = c
                        groups[g, NET_PART + i, r] = c * h
                        groups[g, SQUARE_PART + i, r] = c * (h * h)
                        if c != 0.0 and not LEAST_CONFIDENCE <= c <= 1.0:
                            wild[d] = True
