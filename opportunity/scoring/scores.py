"""The scores of a stream's bars: what the detectors said, what came of it, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors import DETECTORS
from opportunity.detectors.base import WARMUP
from opportunity.detectors.inputs import Observed, RecordsAbout, records_about
from opportunity.detectors.sightings import look
from opportunity.display import GLYPHS, bar_rows, card, line
from opportunity.errors import unknown
from opportunity.indicators.rsi import rsi
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.continuity import facts_of
from opportunity.market.observations import Record
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms
from opportunity.market.trust import weigh
from opportunity.scoring.combination import Combined, SideArray, gate_factor, gate_table
from opportunity.scoring.explanation import (
    ADVICES,
    DIRECTIONS,
    NO_DATA,
    TRENDS,
    WARMING_UP,
    Component,
    Explanation,
)
from opportunity.scoring.trust import trust_note
from opportunity.scoring.weights import Weights

_GATES: Final = gate_table()


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What detectors and context say about each bar, before any weight is applied.

    Parameters
    ----------
    bars : Bars
        What was looked at.
    scores, confidences : ndarray, shape (n_bars, n_detectors)
        NaN where unavailable.
    trend, volatility, atr : ndarray, shape (n_bars,)
        +1, 0, -1; rank; quote currency.
    exists : ndarray of bool, shape (n_detectors,)
        Detectors that had what they read.
    outputs : mapping of str to dict of str to ndarray of shape (n_bars,)
        Auxiliary outputs of the detectors that read records, by detector and name.
    """

    bars: Bars
    scores: FloatArray
    confidences: FloatArray
    trend: FloatArray
    volatility: FloatArray
    atr: FloatArray
    exists: NDArray[np.bool_]
    outputs: Mapping[str, dict[str, FloatArray]] = field(default_factory=dict)


Records = Iterable[Record] | RecordsAbout | Mapping[str, Observed] | None
"""What was known besides bars: records, or by detector what is joined with the bars already."""


def known_about(bars: Bars, given: Records) -> list[Record] | Mapping[str, Observed]:
    """Return what was given as observations, read once and checked.

    Raises
    ------
    TypeError
        If it is neither records nor what is joined already, by detector.
    ValueError
        If it names an unknown detector, or a folder is asked about bars without a symbol.
    """
    if not isinstance(given, Mapping):
        return records_about(bars, given)
    for name, joined in given.items():
        if name not in DETECTOR_NAMES:
            raise ValueError(unknown("detector in observations", name, DETECTOR_NAMES))
        if not isinstance(joined, Observed):
            raise TypeError(
                f"observations[{name!r}] must be Observed, as Detector.observe gives it, "
                f"was {type(joined).__name__}"
            )
    return given


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The score of every bar with all that led to it; attributes of `Combined` pass through."""

    evidence: Evidence
    combined: Combined
    weights: Weights

    @property
    def time(self) -> TimeArray:
        """Opening times of the bars, ms UTC."""
        return self.evidence.bars.time

    @property
    def timeframe(self) -> Timeframe | None:
        """Length of the bars that were scored."""
        return self.evidence.bars.timeframe

    @property
    def final(self) -> FloatArray:
        """Score in [0, 1], 0.5 neutral, NaN before the warm-up; shape (n_bars,)."""
        return self.combined.final

    @property
    def net(self) -> FloatArray:
        """Score in [-1, 1], NaN before the warm-up; shape (n_bars,)."""
        return self.combined.net

    @property
    def strength(self) -> FloatArray:
        """|net|; shape (n_bars,)."""
        return self.combined.strength

    @property
    def confidence(self) -> FloatArray:
        """How much the score deserves, [0, 1]; shape (n_bars,)."""
        return self.combined.confidence

    @property
    def disagreement(self) -> FloatArray:
        """Weighted standard deviation of the detectors, [0, 1]; shape (n_bars,)."""
        return self.combined.disagreement

    @property
    def coverage(self) -> FloatArray:
        """Share of the weight that was available, [0, 1]; shape (n_bars,)."""
        return self.combined.coverage

    @property
    def contributions(self) -> FloatArray:
        """Shares in `net`, NaN where unavailable; shape (n_bars, n_detectors)."""
        return self.combined.contributions

    @property
    def side(self) -> SideArray:
        """Direction as +1, 0, -1; shape (n_bars,)."""
        return self.combined.direction

    @property
    def direction(self) -> NDArray[np.str_]:
        """BULLISH, NEUTRAL or BEARISH; shape (n_bars,)."""
        return np.array(DIRECTIONS)[self.combined.direction + 1]

    @property
    def advice(self) -> NDArray[np.str_]:
        """BUY, HOLD or SELL of this timeframe alone; shape (n_bars,)."""
        return np.array(ADVICES)[self.combined.advice + 1]

    def __repr__(self) -> str:
        if not len(self) or np.isnan(self.net[-1]):
            return f"<Scores of {len(self)} bars>"
        newest = f"{self.direction[-1]} {self.final[-1]:.3f}, confidence {self.confidence[-1]:.2f}"
        return f"<Scores of {len(self)} bars, newest: {newest}>"

    def _repr_html_(self) -> str:
        of = self.evidence.bars
        title = f"Scores of {len(self)} bars, {of.symbol or 'bars'} {of.timeframe or ''}".strip()
        if not len(self) or np.isnan(self.net[-1]):
            return card(title, of.source)
        facts = [
            ("Newest", f"{GLYPHS[str(self.direction[-1])]} {self.final[-1]:.3f}"),
            ("Confidence", f"{self.confidence[-1]:.2f}"), ("Advice", str(self.advice[-1])),
        ]
        parts = zip(DETECTOR_NAMES, self.contributions[-1].tolist(), strict=True)
        told = [(n, v, f"{v:+.3f}" if np.isfinite(v) else "no data") for n, v in parts]
        pictures = line(self.final, "Score of each bar", 0.5) + bar_rows(told)
        return card(title, of.source, facts, pictures)

    def __len__(self) -> int:
        return len(self.evidence.bars)

    def explain(self, bar: int = -1, observations: Records = None) -> Explanation:
        """Take the score of one bar apart, with what each detector sees.

        Parameters
        ----------
        bar : int
            Which one; negative numbers count from the end.
        observations : optional
            Those that were scored, for the words of the detectors that read them.

        Raises
        ------
        IndexError
            If there is no such bar.
        TypeError, ValueError
            As `known_about`.
        """
        n = len(self)
        if not -n <= bar < n:
            bound = f"from {-n} to {n - 1}" if n else "one of none"
            raise IndexError(f"bar must be {bound}, was {bar}")
        known = known_about(self.evidence.bars, observations)
        numbers = self._numbers(bar)
        if np.isnan(numbers.net):
            return numbers
        return numbers.told(look(self.evidence.bars, bar, known), self._remarks(bar))

    def _remarks(self, bar: int) -> dict[str, str]:
        seen = self.evidence.outputs
        return {
            d.name: d().remark({name: float(values[bar]) for name, values in seen[d.name].items()})
            for d in DETECTORS if d.name in seen
        }

    def _numbers(self, bar: int) -> Explanation:
        bars, evidence = self.evidence.bars, self.evidence
        at = range(len(bars))[bar]
        told = explain(
            self.combined.take(at), evidence.scores[at], evidence.confidences[at],
            self.weights.as_array(), evidence.trend[at], evidence.volatility[at],
            timeframe=bars.timeframe or "",
            closed=int(bars.time[at]) + (length_ms(bars.timeframe) if bars.timeframe else 0),
        )
        if at < WARMUP - 1:
            told = told.because(WARMING_UP)
        facts = facts_of(bars[: at + 1])
        trust = float(weigh(facts)[1])
        told = replace(told, confidence=told.confidence * trust)
        told = told.trusted(trust, trust_note(facts, bars.timeframe or ""))
        return replace(
            told, symbol=bars.symbol, price=float(bars.close[at]), atr=float(evidence.atr[at]),
            rsi=float(rsi(bars[: at + 1])[-1]),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return scores and contributions by tz-aware opening time in UTC."""
        numbers = ("final", "net", "confidence", "disagreement", "coverage", "bull", "bear")
        columns: dict[str, Any] = {n: getattr(self.combined, n) for n in numbers}
        columns |= {"direction": self.direction, "advice": self.advice}
        for i, name in enumerate(DETECTOR_NAMES):
            columns[name] = self.contributions[:, i]
        index = pd.DatetimeIndex(pd.to_datetime(self.time, unit="ms", utc=True), name="time")
        return pd.DataFrame(columns, index=index)


def explain(
    row: Combined, scores: FloatArray, confidences: FloatArray, weights: FloatArray,
    trend: float, volatility: float, timeframe: str, closed: int, flagged: bool = False,
) -> Explanation:
    """Word one row: `row` holds scalars, `scores` and `confidences` are (n_detectors,)."""
    components = tuple(
        Component(
            kind.name, bool(np.isfinite(part)), float(s), float(h), float(c), float(w), float(part),
            gate=float(gate_factor(s, trend, volatility, gate)) if np.isfinite(part) else np.nan,
            reason="" if np.isfinite(part) else NO_DATA,
        )
        for kind, s, h, c, w, part, gate in zip(
            DETECTORS, scores, row.gated, confidences, weights, row.contributions, _GATES,
            strict=True,
        )
    )
    return Explanation(
        timeframe=timeframe, closed=closed, final=float(row.final), net=float(row.net),
        strength=float(row.strength), direction=DIRECTIONS[int(row.direction) + 1],
        advice=ADVICES[int(row.advice) + 1], confidence=float(row.confidence),
        disagreement=float(row.disagreement), coverage=float(row.coverage),
        bull_mass=float(row.bull), bear_mass=float(row.bear),
        trend=TRENDS[1 if np.isnan(trend) else int(trend) + 1], volatility=float(volatility),
        flagged=flagged, components=components,
    )
