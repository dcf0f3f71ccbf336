"""Wire models of one scan: what to scan under which rules, and the ranked rows.

Three older shapes of the request are still in use: flat rule names (`mode`,
`any_tf_threshold`, ...), a `rules` object with `min_score` and `max_risk_level`, and the
builder's `rules` with `any_tf` and `majority_tf`. `resolve_rules` reads them all as one.
"""

from typing import Any, Final, Literal

from pydantic import Field

from opportunity.contracts.agent import RulesBody, RuleType
from opportunity.contracts.base import (
    Answer,
    Body,
    Direction,
    Fraction,
    Number,
    RiskLevel,
    Signed,
    SymbolText,
    TimeframeName,
    Unit,
)
from opportunity.contracts.weights import WeightConfig

Mode = Literal["conservative", "aggressive", "full", "any", "majority", "all"]

MODES: Final[dict[str, RuleType]] = {
    "aggressive": "any", "any": "any",
    "conservative": "majority", "majority": "majority",
    "full": "all", "all": "all",
}  # fmt: skip

MAX_SYMBOLS: Final = 2_000
"""Most symbols that a request may name at all; `max_symbols` of the settings is lower."""

Action = Literal["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"]


class RequestRules(RulesBody):
    """Rules of this request; the older names mean what stands behind them."""

    min_score: Fraction | None = Field(None, description="older name of threshold")
    max_risk_level: RiskLevel | None = Field(None, description="older name of max_risk")
    quick_scan: bool | None = Field(None, description="older name of quick")
    mode: Mode | None = Field(None, description="older name of type")
    any_tf: Fraction | None = Field(None, description="threshold if type is any")
    majority_tf: Fraction | None = Field(None, description="threshold if type is majority or all")


class ScanRequest(Body):
    """What to scan; everything may be left out."""

    symbols: list[SymbolText] | None = Field(
        None, min_length=1, max_length=MAX_SYMBOLS, description="default: the watched universe"
    )
    timeframes: list[TimeframeName] = Field(
        default=["15m", "1h", "4h"], min_length=1, max_length=11
    )
    weights: WeightConfig | None = Field(None, description="of this request only")
    rules: RequestRules | None = None
    quick: bool | None = Field(None, description="only what the agent has scored already")
    mode: Mode | None = Field(None, description="older name of rules.type")
    any_tf_threshold: Fraction | None = Field(None, description="threshold if type is any")
    majority_tf_threshold: Fraction | None = Field(
        None, description="threshold if type is majority or all"
    )
    min_confidence: Fraction | None = Field(None, description="older place of the rule")
    exclude_neutral: bool | None = Field(None, description="older place of the rule")

    def is_quick(self) -> bool:
        """Tell whether only existing scores shall be used.

        Raises
        ------
        ValueError
            If both names of the flag are given.
        """
        older = self.rules.quick_scan if self.rules else None
        return bool(_once("quick", {"quick": self.quick, "rules.quick_scan": older}))

    def resolve_rules(self) -> dict[str, Any]:
        """Return the rules that are given, by the names of `strategy.ScanRules`.

        Raises
        ------
        ValueError
            If one rule is given under two names.
        """
        rules = self.rules or RequestRules()
        older: dict[str, dict[str, Any]] = {
            "min_confidence": {"min_confidence": self.min_confidence},
            "exclude_neutral": {"exclude_neutral": self.exclude_neutral},
            "max_risk": {"rules.max_risk_level": rules.max_risk_level},
            "min_volume_usd": {},
            "exclude_symbols": {},
            "direction": {},
            "min_trust": {},
            "timeframe_weights": {},
        }
        given = {
            name: _once(name, {f"rules.{name}": getattr(rules, name)} | names)
            for name, names in older.items()
        }
        given["type"], given["threshold"] = self._type_and_threshold(rules)
        both_sides = {"direction": None} if "direction" in rules.model_fields_set else {}
        return both_sides | {name: value for name, value in given.items() if value is not None}

    def _type_and_threshold(self, rules: RequestRules) -> tuple[RuleType | None, float | None]:
        named = _once(
            "type", {"rules.type": rules.type, "mode": self.mode, "rules.mode": rules.mode}
        )
        kind: RuleType | None = MODES.get(named, named) if named else None
        any_tf = _once(
            "any_tf_threshold",
            {"any_tf_threshold": self.any_tf_threshold, "rules.any_tf": rules.any_tf},
        )
        most_tf = _once(
            "majority_tf_threshold",
            {
                "majority_tf_threshold": self.majority_tf_threshold,
                "rules.majority_tf": rules.majority_tf,
            },
        )
        if kind is None:
            if rules.min_score is not None:
                kind = "threshold"
            elif any_tf is not None or most_tf is not None:
                kind = "majority"  # what the older request means without a mode
        per_mode = any_tf if kind == "any" else most_tf
        threshold = _once(
            "threshold",
            {
                "rules.threshold": rules.threshold,
                "rules.min_score": rules.min_score,
                "the threshold of the mode": per_mode,
            },
        )
        return kind, threshold


def _once(rule: str, given: dict[str, Any]) -> Any:
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) > 1:
        raise ValueError(f"{rule} must be given once, was given as {' and '.join(named)}")
    return next(iter(named.values()), None)


class Component(Answer):
    """What one detector says about one stream."""

    detector: str
    score: Signed = Field(description="null: the detector has nothing to go by")
    confidence: Unit
    direction: Direction
    gated: Signed = Field(description="score after the gate of trend and volatility")
    weight: Number = Field(description="configured weight")
    contribution: Number = Field(description="signed share of the net score")


class TimeframeBreakdown(Answer):
    """The combined score of one timeframe."""

    final_score: Unit
    direction: Direction
    confidence: Unit
    disagreement: Unit
    coverage: Unit
    advice: Literal["BUY", "SELL", "HOLD"]
    success: Unit = Field(description="calibrated probability of the direction; null: not known")
    bar_close: int | None = Field(description="close time of the newest closed bar, ms UTC")
    flagged: bool = Field(description="the newest bar follows a gap")
    trust: Unit = Field(description="trust in the bars; it has lowered `confidence` already")
    trust_note: str = Field(description="why `trust` is below 1; else ''")
    components: list[Component]


class Levels(Answer):
    """Prices to trade the idea at: a stop 1.5 ATR away, targets at 1, 2 and 3 times that."""

    entry: Number
    stop: Number
    targets: list[Number]


class ScanItem(Answer):
    """One ranked symbol."""

    rank: int
    symbol: str
    id: str = Field(description="compact spelling, e.g. BTCUSDT")
    price: Number
    change_24h: Number = Field(description="fraction of the price 24 h ago")
    volume_24h: Number = Field(description="quote currency")
    direction: Direction
    overall_direction: Direction
    final_score: Unit
    overall_score: Unit
    net: Signed
    strength: Unit
    confidence: Unit
    consensus_strength: Unit
    disagreement: Unit
    coverage: Unit
    recommended_action: Action
    advice: str = Field(description="e.g. `BUY - Risk: MEDIUM`")
    risk: Unit
    risk_level: RiskLevel
    levels: Levels | None
    success: Unit = Field(description="calibrated probability of the direction; null: not known")
    success_note: str = Field(description="why it is not known, e.g. `uncalibrated: ...`; else ''")
    whales: Unit
    smc: Unit
    elliott: Unit
    price_action: Unit
    ict: Unit
    components: dict[str, Unit] = Field(
        description="every detector over all timeframes, 0.5 is neutral, null: not available"
    )
    timeframes: dict[TimeframeName, Unit] = Field(description="final score by timeframe")
    timeframe_breakdown: dict[TimeframeName, TimeframeBreakdown]
    tf_count: int = Field(description="timeframes that scored")
    signal_count: int = Field(description="timeframes that point somewhere")
    patterns: list[str] = Field(max_length=3)
    flagged: bool = Field(description="a newest bar follows a gap")
    trust: Unit = Field(description="trust in the data, mean over the timeframes that scored")
    trust_note: str = Field(description="why `trust` is below 1; else ''")
    scanned_at: int = Field(description="feed time, ms UTC")
    source: str


class ScanError(Answer):
    """A symbol, or one of its timeframes, that could not be scanned, and why."""

    symbol: str
    message: str


class ScanMeta(Answer):
    """How the scan went."""

    consensus: Unit = Field(description="mean consensus of the rows")
    duration_ms: float
    cache_hits: int = Field(description="symbols answered from the agent's own scores")
    rule: RuleType
    errors: int


class ScannerResponse(Answer):
    """The ranked rows of a scan; partial failures are in `errors`."""

    status: Literal["success"] = "success"
    scan_time: str = Field(description="feed time, ISO 8601 UTC")
    symbols_scanned: int
    opportunities_found: int
    results: list[ScanItem]
    stale: list[str] = Field(description="streams whose bars are too old to rank")
    errors: list[ScanError]
    meta: ScanMeta
    source: str
