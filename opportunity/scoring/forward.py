"""What came after a score: moves some bars later, and how much the score knew of them.

Everything is summed by cells of time first, over all symbols of a cell, and the cells are what
the bootstrap draws in blocks. So bars that overlap, and symbols that move together, stay
together in every resample, and an interval is as wide as that makes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.base import DEAD_BAND
from opportunity.market.bars import Bars, FloatArray
from opportunity.scoring.bootstrap import LEVEL, Draws, draw_blocks, interval
from opportunity.scoring.reliability import bins_of

CELL_BARS: Final = 24
LEAST_BLOCK: Final = 96
"""Bars of the shortest block: views last for days, so calls nearer than that are alike."""

HORIZONS_A_BLOCK: Final = 4
N_DECILES: Final = 10

CALLED, RIGHT, MOVED, LONG, UP, DOWN, THERE = range(7)
"""Columns of the sums of calls."""

ONE, X, Y, XX, YY, XY = range(6)
"""Columns of the sums of ranks."""


@dataclass(frozen=True, slots=True, eq=False)
class Hindsight:
    """Scores of one stream and what came after; k columns of scores.

    Parameters
    ----------
    cell : ndarray of int64, shape (n_bars,)
        Number of the cell of time that each bar lies in.
    scores, confidences : ndarray, shape (n_bars, k)
        NaN where unavailable.
    moves : ndarray, shape (n_horizons, n_bars)
        See `forward_moves`.
    """

    cell: NDArray[np.int64]
    scores: FloatArray
    confidences: FloatArray
    moves: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Bounded:
    """Numbers with the bounds of their bootstrap intervals; three arrays of one shape."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What scores knew of the moves after them; arrays of shape (n_horizons, k).

    Parameters
    ----------
    calls : ndarray
        Bars with a score of at least `DEAD_BAND` in size and a known move.
    hit_rate : Bounded
        Share of the calls whose side the price moved to; no move counts half.
    chance : ndarray
        Hit rate of as many calls to each side made blindly: not 0.5 in a market that drifts.
    edge : Bounded
        `hit_rate - chance`.
    move : Bounded
        Mean move to the called side, in ATR of the calling bar.
    information : Bounded
        Information coefficient: rank correlation (Spearman) of score and move, scores of 0
        included, mean over the streams.
    """

    calls: FloatArray
    hit_rate: Bounded
    chance: FloatArray
    edge: Bounded
    move: Bounded
    information: Bounded


def forward_moves(bars: Bars, atr: FloatArray, horizons: Sequence[int]) -> FloatArray:
    """Return how far the close moved, in ATR.

    Parameters
    ----------
    bars : Bars
        Closed bars; horizons count bars, also across gaps.
    atr : ndarray of shape (n_bars,)
        Quote currency; where it is NaN or 0 there is no move.
    horizons : sequence of int
        Bars, >= 1.

    Returns
    -------
    ndarray of shape (n_horizons, n_bars)
        (close h bars later - close) / ATR; NaN on the last h bars.
    """
    moves = np.full((len(horizons), len(bars)), np.nan)
    usable = np.where(atr > 0, atr, np.nan)
    for row, h in zip(moves, horizons, strict=True):
        if h < 1:
            raise ValueError(f"horizons must be >= 1 bar, was {h}")
        row[:-h] = (bars.close[h:] - bars.close[:-h]) / usable[:-h]
    return moves


def ranks(values: FloatArray) -> FloatArray:
    """Return ranks from 1, equal values sharing their mean rank; shape (n,)."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2.0)[place]


def knowledge(
    streams: Sequence[Hindsight], horizons: Sequence[int], n_draws: int, seed: int = 0
) -> Knowledge:
    """Measure what scores knew of the moves after them, with 95 % intervals.

    Parameters
    ----------
    streams : sequence of Hindsight
        All with the same k columns and horizons; their cells count from one origin.
    horizons : sequence of int
        Bars.
    n_draws, seed : int
        Of the block bootstrap; a block is at least four horizons long.
    """
    shape = len(horizons), streams[0].scores.shape[1]
    fields: list[list[FloatArray]] = []
    for i, horizon in enumerate(horizons):
        draws = _draws(streams, horizon, n_draws, seed)
        columns = [_column(streams, i, j, draws) for j in range(shape[1])]
        fields.append([np.array(values) for values in zip(*columns, strict=True)])
    calls, hit, chance, edge, move, known = (np.stack(f) for f in zip(*fields, strict=True))
    return Knowledge(calls, _bounded(hit), chance, _bounded(edge), _bounded(move), _bounded(known))


def _bounded(values: FloatArray) -> Bounded:
    return Bounded(*np.moveaxis(values, -1, 0))


def _draws(streams: Sequence[Hindsight], horizon: int, n_draws: int, seed: int) -> Draws:
    n_cells = 1 + max(int(s.cell.max()) for s in streams)
    block = max(LEAST_BLOCK, HORIZONS_A_BLOCK * horizon)
    return draw_blocks(n_cells, -(-block // CELL_BARS), n_draws, seed)


def _column(
    streams: Sequence[Hindsight], i: int, j: int, draws: Draws
) -> tuple[float, FloatArray, float, FloatArray, FloatArray, FloatArray]:
    """Measure one column at one horizon: value and bounds of everything in `Knowledge`."""
    calls = np.zeros((draws.n, 7))
    ordered = np.zeros((draws.n, len(streams), 6))
    for k, stream in enumerate(streams):
        score, move = stream.scores[:, j], stream.moves[i]
        there = np.isfinite(score) & np.isfinite(move)
        score, move, cell = score[there], move[there], stream.cell[there]
        calls += _sums(cell, draws.n, *_calls(score, move))
        if score.size:
            ordered[:, k] = _sums(cell, draws.n, *_ranked(score, move))
    whole = np.concatenate([calls.sum(axis=0)[None], draws.sums(calls)])
    together = draws.sums(ordered.reshape(draws.n, -1)).reshape(-1, len(streams), 6)
    together = np.concatenate([ordered.sum(axis=0)[None], together])
    with np.errstate(invalid="ignore", divide="ignore"):
        hit = whole[:, RIGHT] / whole[:, CALLED]
        long = whole[:, LONG] / whole[:, CALLED]
        chance = (long * whole[:, UP] + (1.0 - long) * whole[:, DOWN]) / whole[:, THERE]
        moved = whole[:, MOVED] / whole[:, CALLED]
        coefficient = _mean(_correlation(together))
    return (
        float(whole[0, CALLED]), _with_bounds(hit), float(chance[0]), _with_bounds(hit - chance),
        _with_bounds(moved), _with_bounds(coefficient),
    )


def _calls(score: FloatArray, move: FloatArray) -> tuple[FloatArray, ...]:
    """Return what is summed of each bar, in the order of CALLED ... THERE."""
    called = np.abs(score) >= DEAD_BAND
    side = np.where(called, np.sign(score), 0.0)
    right = np.where(called, 0.5 + 0.5 * side * np.sign(move), 0.0)
    up: FloatArray = 0.5 + 0.5 * np.sign(move)
    down = 1.0 - up
    long = (side > 0).astype(np.float64)
    return called.astype(np.float64), right, side * move, long, up, down, np.ones(move.size)


def _ranked(score: FloatArray, move: FloatArray) -> tuple[FloatArray, ...]:
    """Return what the correlation of ranks is made of, in the order of ONE ... XY."""
    # Ranks are centred and of size one, so that differences of sums keep their digits.
    x, y = (2.0 * ranks(values) / values.size - 1.0 for values in (score, move))
    return np.ones(x.size), x, y, x * x, y * y, x * y


def _sums(cell: NDArray[np.int64], n_cells: int, *columns: FloatArray) -> FloatArray:
    return np.stack([np.bincount(cell, column, n_cells) for column in columns], axis=1)


def _correlation(sums: FloatArray) -> FloatArray:
    """Pearson's coefficient from sums along the last axis; NaN where one side never varies."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = (n * xx - x * x) * (n * yy - y * y)
    safe = np.where(spread > 1e-12 * n**4, spread, np.nan)
    found: FloatArray = (n * xy - x * y) / np.sqrt(safe)
    return found


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the last axis, NaN aside; NaN where there is nothing."""
    there = np.isfinite(values)
    count = there.sum(axis=-1)
    total: FloatArray = np.where(there, values, 0.0).sum(axis=-1)
    return total / np.where(count > 0, count, np.nan)


def _with_bounds(values: FloatArray) -> FloatArray:
    """Return the first value and the interval of the others; NaN where nothing was drawn."""
    if not np.isfinite(values[1:]).any():
        return np.array([values[0], np.nan, np.nan])
    return np.array([values[0], *interval(values[1:], LEVEL)])


@dataclass(frozen=True, slots=True, eq=False)
class Deciles:
    """Hit rate by confidence; arrays of shape (n_bins,), the least confident tenth first.

    Fewer than ten where many calls share one confidence.
    """

    confidence: FloatArray
    hit_rate: Bounded
    calls: FloatArray


def deciles(
    streams: Sequence[Hindsight], i: int, j: int, horizon: int, n_draws: int, seed: int = 0
) -> Deciles:
    """Sort the calls of column `j` by confidence into tenths and measure each at horizon `i`."""
    draws = _draws(streams, horizon, n_draws, seed)
    cells, trust, right = [], [], []
    for stream in streams:
        score, move = stream.scores[:, j], stream.moves[i]
        called = (np.abs(score) >= DEAD_BAND) & np.isfinite(move)
        cells.append(stream.cell[called])
        trust.append(stream.confidences[called, j])
        right.append(0.5 + 0.5 * np.sign(score[called]) * np.sign(move[called]))
    cell, confidence, hit = (np.concatenate(c) for c in (cells, trust, right))
    if not cell.size:
        nothing = np.empty(0)
        return Deciles(nothing, Bounded(nothing, nothing, nothing), nothing)
    place = bins_of(confidence, N_DECILES)
    n = int(place.max()) + 1
    count = np.bincount(place, minlength=n).astype(float)
    both = np.stack([
        np.bincount(cell * n + place, weights, draws.n * n).reshape(draws.n, n)
        for weights in (None, hit)
    ], axis=1).astype(float)
    drawn = draws.sums(both.reshape(draws.n, -1)).reshape(-1, 2, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = interval(drawn[:, 1] / drawn[:, 0], LEVEL)
    return Deciles(
        np.bincount(place, confidence) / count,
        Bounded(np.bincount(place, hit) / count, low, high), count,
    )
