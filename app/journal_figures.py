"""What the journal says of judged candidates, as plain records: no clock, no database.

Everything is of candidates only, the ideas with a direction: what a detector said where the whole
score had none is not in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.entries import ENTRY_STOPS
from opportunity.market.bars import FloatArray
from opportunity.scoring.aftermath import r_of, winner
from opportunity.scoring.averages import (
    LEAST_BLOCKS,
    LEAST_OUTCOMES,
    Average,
    average,
    rank_correlation,
)
from opportunity.scoring.reliability import Reliability, reliability
from opportunity.storage.samples import Samples

N_DRAWS: Final = 300
SCORE: Final = "score"
"""Name of the weighted score among the detectors."""

Rows = NDArray[np.bool_]
Groups = Mapping[tuple[str, tuple[str, ...]], int]
"""Number of candidates by action and all that stopped them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How ideas turned out.

    Parameters
    ----------
    name : str
    hit_rate, mean_r, move_atr : Average
        Share that was right, and what they made in R and moved in ATR, without costs.
    """

    name: str
    hit_rate: Average
    mean_r: Average
    move_atr: Average


@dataclass(frozen=True, slots=True)
class DetectorVerdict:
    """How the sign of a detector's contribution turned out.

    `agreed` is the share of the candidates it spoke on whose side was its own; `information` the
    rank correlation of its contribution and the move of the price, NaN for too few.
    """

    verdict: Verdict
    agreed: float
    information: float


@dataclass(frozen=True, slots=True)
class Gate:
    """What a rule, a limit or a state kept from being traded.

    Parameters
    ----------
    name : str
    kind : str
        ``rule``, ``limit`` or ``action``.
    n, n_alone : int
        Candidates that it stopped, and those that nothing else stopped.
    all, alone : Verdict
        What these would have made; `alone` is what the rule itself costs.
    """

    name: str
    kind: str
    n: int
    n_alone: int
    all: Verdict
    alone: Verdict


def verdict(samples: Samples, rows: Rows, name: str) -> Verdict:
    """Say how some of the candidates turned out."""
    r = r_of(samples.barrier[rows], samples.right[rows], samples.move_atr[rows])
    return _verdict(samples, rows, name, (samples.right[rows], r, samples.move_atr[rows]))


def by_name(samples: Samples, names: NDArray[Any]) -> list[Verdict]:
    """Say how candidates turned out by a name, most candidates first."""
    found, counts = np.unique(names, return_counts=True)
    order = np.lexsort((found, -counts))
    return [verdict(samples, names == found[i], str(found[i])) for i in order]


def detectors(samples: Samples) -> list[DetectorVerdict]:
    """Say how each detector's own side turned out, and the score's."""
    won = winner(samples.barrier, samples.side, samples.move_atr)
    moved = samples.side * samples.move_atr
    columns = [*samples.contributions.T, samples.net]
    names = (*DETECTOR_NAMES, SCORE)
    return [
        _detector(samples, name, column, won, moved)
        for name, column in zip(names, columns, strict=True)
    ]


def reliability_of(samples: Samples, stated: FloatArray) -> Reliability | None:
    """Judge probabilities by outcomes; None for too few."""
    known, block = np.isfinite(stated), 2 * samples.horizon
    if np.count_nonzero(known) < LEAST_OUTCOMES:
        return None
    at = samples.time[known]
    found = reliability(stated[known], samples.right[known], at, block=block, n_draws=N_DRAWS)
    if np.unique(at).size >= LEAST_BLOCKS * block:
        return found
    return _without_bounds(found)


def _without_bounds(found: Reliability) -> Reliability:
    """Take out what drawing so few blocks anew cannot tell: bounds would be far too narrow."""
    nothing = np.full(found.low.shape, np.nan)
    none = float("nan"), float("nan")
    return replace(
        found, low=nothing, high=nothing, ece_chance=float("nan"),
        intervals=dict.fromkeys(found.intervals, none),
    )


def gates(samples: Samples, counts: Groups) -> list[Gate]:
    """Say what each rule, limit and state kept from being traded, the most frequent first.

    Parameters
    ----------
    samples : Samples
        What was judged.
    counts : mapping
        Of all candidates of the same time, `DecisionRepository.counts`.
    """
    rules = [_gate(samples, counts, n, "rule", "filtered") for n in ENTRY_STOPS]
    limits = sorted({n for (action, names) in counts if action == "refused" for n in names})
    found = [*rules, *(_gate(samples, counts, n, "limit", "refused") for n in limits)]
    for action in ("entered", "held", "off"):
        n = sum(count for (made, _), count in counts.items() if made == action)
        whole = verdict(samples, samples.actions == action, action)
        found.append(Gate(action, "action", n, n, whole, whole))
    return sorted((gate for gate in found if gate.n), key=lambda gate: -gate.n)


def _gate(samples: Samples, counts: Groups, name: str, kind: str, action: str) -> Gate:
    def rows(fits: Callable[[Sequence[str]], bool]) -> Rows:
        named = np.array([fits(names) for names in samples.stopped_by], np.bool_)
        made: Rows = (samples.actions == action) & named
        return made

    some = [(names, n) for (made, names), n in counts.items() if made == action and name in names]
    return Gate(
        name, kind, sum(n for _, n in some), sum(n for names, n in some if len(names) == 1),
        verdict(samples, rows(lambda names: name in names), name),
        verdict(samples, rows(lambda names: tuple(names) == (name,)), name),
    )  # fmt: skip


def _detector(
    samples: Samples, name: str, column: FloatArray, won: NDArray[np.int64], moved: FloatArray
) -> DetectorVerdict:
    side = np.sign(column)
    rows = np.isfinite(column) & (side != 0)
    mine = side[rows]
    right = (mine == won[rows]).astype(np.float64)
    move = mine * moved[rows]
    told = _verdict(samples, rows, name, (right, r_of(samples.barrier[rows], right, move), move))
    there = np.isfinite(column)
    enough = np.count_nonzero(there) >= LEAST_OUTCOMES
    return DetectorVerdict(
        told,
        float((mine == samples.side[rows]).mean()) if rows.any() else float("nan"),
        rank_correlation(column[there], moved[there]) if enough else float("nan"),
    )


def _verdict(
    samples: Samples, rows: Rows, name: str, columns: tuple[FloatArray, FloatArray, FloatArray]
) -> Verdict:
    block = 2 * samples.horizon  # moments: outcomes further apart share no bar
    hit, r, move = (average(values, samples.time[rows], block, N_DRAWS) for values in columns)
    return Verdict(name, hit, r, move)
