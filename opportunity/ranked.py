"""A row of a ranking: what is known of one symbol, ranked or not."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from opportunity.scoring.explanation import Direction, Explanation, plain
from opportunity.trading.levels import Levels


class Breakable(Protocol):
    """What a row asks for its details: the ranking that it is of."""

    def breakdown(self, i: int) -> dict[str, Explanation]:
        """Take the score of symbol `i` apart, by timeframe that scored."""
        ...


@dataclass(frozen=True)
class Opportunity:
    """One symbol of a scan; numbers are NaN where they are undefined.

    Parameters
    ----------
    rank : int or None
        From 1; None for a symbol that a rule stopped (`stopped_by` says which).
    price, change_24h, volume_24h : float
        Quote currency; fraction; quote currency.
    final_score, net, strength : float
        [0, 1] with 0.5 neutral; [-1, 1]; |net|. Means over the timeframes by their weight.
    confidence, consensus, disagreement, coverage : float
        [0, 1].
    risk, risk_level : float, str
        [0, 1]; LOW, MEDIUM, HIGH or UNKNOWN.
    success : float
        Calibrated probability that the direction is right; NaN where it is not known.
    success_note : str
        Why not; empty where it is. Starts with ``uncalibrated:`` where there is a direction.
    timeframes : dict of str to float
        Final score of each timeframe that scored.
    components : dict of str to float
        What each detector says over all timeframes, in [0, 1] with 0.5 neutral; and `ict`.
    levels : Levels or None
        Entry, stop and targets; None without a direction.
    scanned_at : int
        Feed time of the scan, ms UTC.
    trust : float
        How far its data can be trusted, [0, 1]: the mean over the timeframes that scored, by
        weight. It has lowered `confidence` already.
    trust_note : str
        Why it is below 1; empty where it is not.
    """

    rank: int | None
    symbol: str
    price: float
    change_24h: float
    volume_24h: float
    final_score: float
    net: float
    strength: float
    direction: Direction
    confidence: float
    consensus: float
    disagreement: float
    coverage: float
    recommended_action: str
    risk: float
    risk_level: str
    success: float
    success_note: str
    tf_count: int
    timeframes: dict[str, float]
    components: dict[str, float]
    patterns: tuple[str, ...]
    levels: Levels | None
    flagged: bool
    scanned_at: int
    source: str
    stopped_by: tuple[str, ...]
    trust: float
    trust_note: str
    _evaluation: Breakable = field(repr=False, compare=False)
    _row: int = field(repr=False)

    @property
    def advice(self) -> str:
        """The action with its risk, e.g. ``BUY - Risk: MEDIUM``."""
        return f"{self.recommended_action} - Risk: {self.risk_level}"

    @property
    def overall_score(self) -> float:
        """Another name of `final_score`."""
        return self.final_score

    @property
    def overall_direction(self) -> Direction:
        """Another name of `direction`."""
        return self.direction

    @property
    def consensus_strength(self) -> float:
        """Another name of `consensus`."""
        return self.consensus

    @cached_property
    def timeframe_breakdown(self) -> dict[str, Explanation]:
        """The score of each timeframe that scored, taken apart; made on first use."""
        return self._evaluation.breakdown(self._row)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values with the breakdown, None where a number is undefined."""
        body = {
            name: value for name, value in vars(self).items()
            if not name.startswith("_") and name not in ("levels", "timeframe_breakdown")
        }
        body |= {
            "advice": self.advice,
            "levels": None if self.levels is None else {
                "entry": self.levels.entry, "stop": self.levels.stop,
                "targets": self.levels.targets,
            },
            "timeframe_breakdown": {
                t: e.as_dict() for t, e in self.timeframe_breakdown.items()
            },
        }
        return dict(plain(body))
