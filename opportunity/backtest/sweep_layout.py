"""Rules and weight vectors as the kernels of a sweep read them, and room for what they write."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.sweep_exact import exact_room
from opportunity.backtest.sweep_score import LANES, SIDED
from opportunity.backtest.sweep_tables import SweepTables
from opportunity.market.bars import FloatArray
from opportunity.trading.bounding import kelly_fraction
from opportunity.trading.records import FILL, ORDER, TRADE
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SMALLEST_SHARE: Final = 1e-12
"""A weight above 0 that is less of the sum would vanish among single-precision products."""

_SIDES: Final = {None: 0, "BULLISH": 1, "BEARISH": -1}
_ANY: Final = np.float32(4.0)
"""More than any variance or disagreement."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Rules, laid out for the kernels; as tuples of arrays and numbers.

    Parameters
    ----------
    fast : tuple
        Least |net|, least confidence and most disagreement or variance, float32; wanted side;
        and of each decision 2 x least confidence / trust, inf where nothing may be entered.
    exact : tuple
        What `exact_side` asks.
    shares, trusted : ndarray of float32, shape (m, n)
        As in `SweepTables`, 0 where nothing may be entered.
    """

    fast: tuple[Any, ...]
    exact: tuple[Any, ...]
    shares: NDArray[np.float32]
    trusted: NDArray[np.float32]


def hangs_on_confidence(setup: TradeSetup) -> bool:
    """Tell whether the size of an entry may hang on its confidence: whether Kelly may hold it.

    It cannot where even the least confidence that the rules let through allows more than the
    sizing asks for.
    """
    risk, rules, sizing = setup.risk, setup.rules, setup.sizing
    if risk.kelly == 0 or rules.stop_atr == 0 or sizing.kind == "all_in":
        return False
    fraction = float(kelly_fraction(risk.payoff, rules.min_confidence))
    never = sizing.kind == "risk" and risk.kelly * fraction > sizing.amount * (1 + 1e-9)
    return not never


def question(tables: SweepTables, rules: TradeRecord) -> Question:
    """Lay out rules for the decisions of `tables`."""
    enterable = tables.trust >= rules.min_trust  # False where nothing scored
    least = np.float32(2.0 * rules.min_score - 1.0)
    widest = np.float32(rules.max_disagreement) if rules.max_disagreement < 1 else _ANY
    needs = np.full(len(tables) + LANES, np.inf, np.float32)
    if tables.n_timeframes == 1:
        least, widest = max(least, SIDED), widest * widest
        with np.errstate(divide="ignore", invalid="ignore"):
            asked = 2.0 * rules.min_confidence / tables.seen[1][0]
        needs[: len(tables)] = np.where(
            enterable, asked if rules.min_confidence > 0 else 0.0, np.inf
        )
    wanted = _SIDES[rules.direction]
    return Question(
        (least, np.float32(rules.min_confidence), widest, wanted, needs),
        (rules.min_score, rules.min_confidence, rules.max_disagreement, wanted, enterable),
        tables.shares * enterable, tables.trusted * enterable,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Weight vectors, laid out for the kernels.

    Parameters
    ----------
    matrix : ndarray, shape (n, n_detectors)
    normal : ndarray of float32, shape (n_sets, n, n_detectors)
        Weights over the sum of those that exist, 0 where a detector does not.
    wild : ndarray of bool, shape (n,)
        Vectors that single precision cannot hold; all their decisions are settled exactly.
    """

    matrix: FloatArray
    normal: NDArray[np.float32]
    wild: NDArray[np.bool_]


def vectors(tables: SweepTables, matrix: FloatArray) -> Vectors:
    """Lay out weight vectors, (n, n_detectors), finite and >= 0."""
    there = np.where(tables.exists[:, None, :], matrix[None], 0.0)
    with np.errstate(over="ignore"):
        everything = there.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = np.where(everything > 0, there / everything, 0.0)
    huge = ~(everything < 1e290) | ((everything > 0) & (everything < 1e-290))
    small = (there > 0) & (normal < SMALLEST_SHARE)
    wild = (huge[..., 0] | small.any(axis=2)).any(axis=0)
    return Vectors(
        np.ascontiguousarray(matrix), np.nan_to_num(normal).astype(np.float32), wild
    )


def layout(tables: SweepTables, asked: Question) -> tuple[Any, ...]:
    """Return what `code_block` reads of tables and rules."""
    odd = np.array([tables.wild[a:z].any() for a, z in pairwise(tables.starts.tolist())])
    return (
        tables.starts, tables.local, tables.first, tables.count, tables.groups, tables.wild, odd,
        asked.exact[-1], asked.shares, asked.trusted,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What a thread writes to."""

    words: NDArray[np.int64]
    scores: tuple[Any, ...]
    exact: tuple[Any, ...]
    logs: tuple[Any, ...]


def room(tables: SweepTables, n_bars: int) -> Room:
    """Make room for one thread over `n_bars` bars."""
    longest = int(np.diff(tables.starts).max(initial=0)) + LANES
    rows = (int(tables.count.max(initial=0)) + 1) * LANES
    f, n = tables.n_timeframes, tables.exists.shape[1]
    return Room(
        np.zeros(longest // 8 + 2, np.int64),
        (_arrays(3, rows), _arrays(4, longest), _arrays(3, longest)),
        exact_room(f, n),
        (
            (np.zeros(0, FILL), np.zeros(0, TRADE)), np.zeros(0, ORDER),
            np.zeros(n_bars, np.int64),
        ),
    )  # fmt: skip


def _arrays(n: int, size: int) -> tuple[Any, ...]:
    return tuple(np.zeros((n, size), np.float32))
