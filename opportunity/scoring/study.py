"""`study`: what each detector, and the score, knew of the bars that came after.

Nothing here chooses or fits anything; it says how often each speaks and how often it is right,
with intervals that overlapping bars and symbols moving together make as wide as they have to be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.detectors import DETECTORS
from opportunity.detectors.base import DEAD_BAND
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.scoring.ensemble import WeightsLike, score
from opportunity.scoring.forward import (
    CELL_BARS,
    Deciles,
    Hindsight,
    Knowledge,
    deciles,
    forward_moves,
    knowledge,
)
from opportunity.scoring.scores import Scores
from opportunity.scoring.weights import Weights

HORIZONS: Final = (6, 24, 72)
SURE: Final = 0.7
"""Confidence above which a detector is called sure."""

N_DRAWS: Final = 500
TOGETHER: Final = "score"
"""Name of the column of the weighted score."""


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """How often detectors speak; arrays of shape (k,).

    Parameters
    ----------
    available : ndarray
        Share of the bars with a score.
    speaking : ndarray
        Share of the bars on which the score is at least `DEAD_BAND` in size.
    turns : ndarray
        How often a side is newly taken, per 1,000 bars.
    ceiling : ndarray
        Highest confidence seen.
    sure, sure_of_ceiling : ndarray
        Shares of the available bars with a confidence above 0.7, and above 0.7 of `ceiling`.
    """

    available: FloatArray
    speaking: FloatArray
    turns: FloatArray
    ceiling: FloatArray
    sure: FloatArray
    sure_of_ceiling: FloatArray


@dataclass(frozen=True, eq=False)
class Study:
    """What was measured; k scores follow `names`, the last of which is the weighted score.

    Parameters
    ----------
    names : tuple of str
        Detectors with any score in the bars, then ``score``.
    horizons : tuple of int
        Bars after a call at which it is judged.
    symbols : tuple of str
        Of the streams.
    n_bars : int
        Bars of all streams.
    habits : Habits
        How often each speaks, shape (k,).
    correlation : ndarray, shape (k, k)
        Of scores, over the bars where both are available; NaN where one never varies.
    knowledge : Knowledge
        Hit rates, moves and information coefficients, shape (n_horizons, k).
    """

    names: tuple[str, ...]
    horizons: tuple[int, ...]
    symbols: tuple[str, ...]
    n_bars: int
    habits: Habits
    correlation: FloatArray
    knowledge: Knowledge
    _streams: tuple[Hindsight, ...]
    _n_draws: int
    _seed: int

    def __repr__(self) -> str:
        return (
            f"<Study of {len(self.names)} scores over {self.n_bars} bars of "
            f"{len(self.symbols)} streams at {', '.join(map(str, self.horizons))} bars>"
        )

    @cached_property
    def deciles(self) -> dict[str, Deciles]:
        """Hit rate by confidence, by name, at the middle horizon."""
        i = len(self.horizons) // 2
        return {
            name: deciles(self._streams, i, j, self.horizons[i], self._n_draws, self._seed)
            for j, name in enumerate(self.names)
        }

    def to_frame(self, horizon: int | None = None) -> pd.DataFrame:
        """Return one row for each name; `horizon` defaults to the middle one.

        Raises
        ------
        ValueError
            If the horizon was not measured.
        """
        asked = self.horizons[len(self.horizons) // 2] if horizon is None else horizon
        if asked not in self.horizons:
            raise ValueError(f"horizon must be one of {self.horizons}, was {asked}")
        i, known = self.horizons.index(asked), self.knowledge
        columns: dict[str, Any] = {
            "available": self.habits.available, "speaking": self.habits.speaking,
            "turns": self.habits.turns, "sure": self.habits.sure,
            "calls": known.calls[i].astype(np.int64),
        }
        for name in ("hit_rate", "edge", "move", "information"):
            found = getattr(known, name)
            columns |= {
                name: found.value[i], f"{name}_low": found.low[i], f"{name}_high": found.high[i]
            }
        index = pd.Index(self.names, name="detector")
        return pd.DataFrame(columns | {"chance": known.chance[i]}, index=index)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(float_format="{:.3f}".format, border=0))


def study(
    bars: Bars | Scores | Sequence[Bars | Scores],
    horizons: Sequence[int] = HORIZONS,
    weights: WeightsLike | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Measure what detectors and score knew of the bars that came after.

    Parameters
    ----------
    bars : Bars, Scores, or a sequence of them
        Streams of one timeframe; scores are taken as they are.
    horizons : sequence of int
        Bars after which a call is judged, >= 1.
    weights : Weights, mapping or ndarray, optional
        Of the score; defaults to balanced.
    n_draws, seed : int
        Resamples behind the 95 % intervals.
    progress : callable, optional
        Called with streams scored and streams in all.

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        If there is no stream, the timeframes differ or are unknown, or a horizon is below 1.
    BarError
        As `score`.

    Notes
    -----
    Measured in sample, over many comparisons: an interval that leaves out chance is a reason to
    look closer, not a proven edge. Source: Künsch, The jackknife and the bootstrap for general
    stationary observations, Annals of Statistics, 1989 (blocks); Grinold and Kahn, Active
    Portfolio Management, 1999 (information coefficient).
    """
    several = [bars] if isinstance(bars, Bars | Scores) else list(bars)
    if not several:
        raise ValueError("bars must be of one stream or more, was none")
    held = weights if isinstance(weights, Weights | None) else Weights(**_named(weights))
    scored = []
    for i, stream in enumerate(several):
        scored.append(stream if isinstance(stream, Scores) else score(stream, held))
        if progress is not None:
            progress(i + 1, len(several))
    timeframes = {s.timeframe for s in scored}
    timeframe = timeframes.pop()
    if timeframes or timeframe is None:
        raise ValueError(f"bars must be of one known timeframe, was {timeframes | {timeframe}}")
    heard = np.any([np.isfinite(s.evidence.scores).any(axis=0) for s in scored], axis=0)
    cell_ms = CELL_BARS * length_ms(timeframe)
    origin = min(int(s.time[0]) for s in scored if len(s))
    streams = tuple(_judged(s, heard, horizons, origin, cell_ms) for s in scored if len(s))
    symbols = tuple(s.evidence.bars.symbol for s in scored)
    names = (*(d.name for d, h in zip(DETECTORS, heard, strict=True) if h), TOGETHER)
    known = knowledge(streams, horizons, n_draws, seed)
    return Study(
        names, tuple(horizons), symbols, sum(map(len, scored)), _habits(streams),
        _correlations(streams), known, streams, n_draws, seed,
    )


def _named(weights: Any) -> dict[str, float]:
    if isinstance(weights, np.ndarray):
        return dict(zip((d.name for d in DETECTORS), weights.tolist(), strict=True))
    return dict(weights)


def _judged(
    scores: Scores, heard: Any, horizons: Sequence[int], origin: int, cell_ms: int
) -> Hindsight:
    evidence = scores.evidence
    return Hindsight(
        (scores.time - origin) // cell_ms,
        np.column_stack([evidence.scores[:, heard], scores.net]),
        np.column_stack([evidence.confidences[:, heard], scores.confidence]),
        forward_moves(evidence.bars, evidence.atr, horizons),
    )


def _habits(streams: Sequence[Hindsight]) -> Habits:
    scores = np.concatenate([s.scores for s in streams])
    trust = np.concatenate([s.confidences for s in streams])
    there = np.isfinite(scores)
    speaks = np.abs(scores) >= DEAD_BAND
    n_turns = np.zeros(scores.shape[1])
    for stream in streams:
        side = np.where(np.abs(stream.scores) >= DEAD_BAND, np.sign(stream.scores), 0.0)
        n_turns += ((side[1:] != 0) & (side[1:] != side[:-1])).sum(axis=0)
    n = np.maximum(there.sum(axis=0), 1)
    ceiling = np.where(there, trust, 0.0).max(axis=0)
    return Habits(
        there.mean(axis=0), speaks.mean(axis=0), 1000.0 * n_turns / n, ceiling,
        (trust > SURE).sum(axis=0) / n, (trust > SURE * ceiling).sum(axis=0) / n,
    )


def _correlations(streams: Sequence[Hindsight]) -> FloatArray:
    scores = np.concatenate([s.scores for s in streams])
    k = scores.shape[1]
    found = np.eye(k)
    for i in range(k):
        for j in range(i):
            both = np.isfinite(scores[:, i]) & np.isfinite(scores[:, j])
            a, b = scores[both, i], scores[both, j]
            varied = a.size > 1 and a.std() > 0 and b.std() > 0
            found[i, j] = found[j, i] = np.corrcoef(a, b)[0, 1] if varied else np.nan
    return found
