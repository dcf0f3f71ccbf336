"""Which symbols count as opportunities: the tests of a scan, as plain values on arrays.

Every test treats both sides alike: a score is measured along the symbol's own direction, so a
bearish idea passes exactly where its mirror image would.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.scoring.combination import Combined, SideArray
from opportunity.scoring.consensus import Consensus, checked_weights
from opportunity.scoring.trust import MIN_TRUST

RuleType = Literal["any", "all", "majority", "threshold"]
RiskLevel = Literal["LOW", "MEDIUM", "HIGH"]
Side = Literal["BULLISH", "BEARISH"]

RULE_TYPES: Final[tuple[RuleType, ...]] = get_args(RuleType)
RISK_LEVELS: Final[tuple[RiskLevel, ...]] = get_args(RiskLevel)
SIDES: Final[tuple[Side, ...]] = get_args(Side)

MEDIUM_FROM: Final = 0.33
HIGH_FROM: Final = 0.66

STOPS: Final = (
    "unscored", "excluded", "neutral", "direction", "strength", "confidence", "risk", "volume",
    "trust",
)
"""What can stop a symbol, in the order in which it is named; bit i of a stop mask is STOPS[i]."""

Mask = NDArray[np.uint16]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a symbol must fulfil to be ranked.

    Parameters
    ----------
    type : str
        How the timeframes must reach `threshold`: at least one (`any`), every one that scored
        (`all`), at least half of them (`majority`), or their weighted mean (`threshold`).
    threshold : float
        Least final score along the symbol's direction, [0, 1].
    min_confidence : float
        Least mean confidence, [0, 1].
    max_risk : str
        Highest risk level let through.
    exclude_neutral : bool
        Drop symbols without a direction.
    min_volume_usd : float
        Least traded value of 24 hours, in quote currency; unknown volume fails unless this is 0.
    exclude_symbols : frozenset of str
        Symbols never ranked, as ``BTC/USDT``.
    direction : str or None
        Let only one side through.
    min_trust : float
        Least trust in the data of a symbol, [0, 1].
    timeframe_weights : tuple of (str, float)
        Weights across timeframes that replace the default ones, by timeframe.
    """

    type: RuleType
    threshold: float
    min_confidence: float
    max_risk: RiskLevel
    exclude_neutral: bool
    min_volume_usd: float
    exclude_symbols: frozenset[str]
    direction: Side | None
    min_trust: float = MIN_TRUST
    timeframe_weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.type not in RULE_TYPES:
            raise ValueError(unknown("rule", self.type, RULE_TYPES))
        if self.max_risk not in RISK_LEVELS:
            raise ValueError(unknown("max_risk", self.max_risk, RISK_LEVELS))
        if self.direction is not None and self.direction not in SIDES:
            raise ValueError(unknown("direction", self.direction, SIDES))
        for name in ("threshold", "min_confidence", "min_trust"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be in 0..1, was {value}")
        if not self.min_volume_usd >= 0:
            raise ValueError(f"min_volume_usd must be >= 0, was {self.min_volume_usd}")
        checked_weights(dict(self.timeframe_weights))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {
            "exclude_symbols": sorted(self.exclude_symbols),
            "timeframe_weights": dict(self.timeframe_weights),
        }


def risk_level(risk: FloatArray) -> NDArray[np.int64]:
    """Return the index in `RISK_LEVELS` of each risk; -1 where the risk is NaN."""
    level = (risk >= MEDIUM_FROM).astype(np.int64) + (risk >= HIGH_FROM)
    return np.where(np.isnan(risk), -1, level)


def along(net: FloatArray, side: SideArray) -> FloatArray:
    """Return final scores seen from the symbol's side: mirrored for a bearish symbol.

    Without a side the stronger one counts. `side` broadcasts against `net`.
    """
    return (1.0 + np.where(side == 0, np.abs(net), side * net)) / 2.0


def strong_enough(rules: Rules, combined: Combined, consensus: Consensus) -> Flags:
    """Test the strength of each symbol by `rules.type`; False where nothing scored."""
    overall: Flags = along(consensus.net, consensus.direction) >= rules.threshold
    if rules.type == "threshold":
        return overall
    reached: Flags = along(combined.net, consensus.direction[:, None]) >= rules.threshold
    n_reached: NDArray[np.int64] = reached.sum(axis=1)
    n_scored = consensus.count
    least = n_scored if rules.type == "all" else (n_scored + 1) // 2
    if rules.type == "any":
        least = np.ones_like(n_scored)
    enough: Flags = (n_reached >= least) & (n_scored > 0)
    return enough


def stops(
    rules: Rules, symbols: tuple[str, ...], combined: Combined, consensus: Consensus,
    risk: FloatArray, volume: FloatArray, trust: FloatArray | None = None,
) -> Mask:
    """Return for each symbol a mask of what stops it; 0 means that it is ranked.

    Parameters
    ----------
    rules : Rules
        What is asked.
    symbols : tuple of str
        Names, for `exclude_symbols`.
    combined, consensus : Combined, Consensus
        Of shape (n_symbols, n_timeframes) and (n_symbols,).
    risk, volume : ndarray, shape (n_symbols,)
        [0, 1]; quote currency of 24 hours. NaN where unknown.
    trust : ndarray, shape (n_symbols,), optional
        [0, 1]; full unless given.
    """
    scored, side = consensus.count > 0, consensus.direction
    excluded = np.zeros(len(symbols), np.bool_)
    if rules.exclude_symbols:
        excluded[:] = [symbol in rules.exclude_symbols for symbol in symbols]
    wanted = {None: 0, "BULLISH": 1, "BEARISH": -1}[rules.direction]
    level = risk_level(risk)
    failed = (
        ~scored,
        excluded,
        scored & (side == 0) & rules.exclude_neutral,
        scored & (side != wanted) & (wanted != 0),
        scored & ~strong_enough(rules, combined, consensus),
        scored & ~(consensus.confidence >= rules.min_confidence),
        scored & ((level < 0) | (level > RISK_LEVELS.index(rules.max_risk))),
        scored & (rules.min_volume_usd > 0) & ~(volume >= rules.min_volume_usd),
        scored & ~((np.ones(len(symbols)) if trust is None else trust) >= rules.min_trust),
    )
    mask = np.zeros(len(symbols), np.uint16)
    for bit, condition in enumerate(failed):
        mask |= condition.astype(np.uint16) << np.uint16(bit)
    return mask
