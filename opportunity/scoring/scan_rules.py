"""The rules of a scan as the Param object that people turn."""

from typing import Any, Final

import param

from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol
from opportunity.scoring.consensus import checked_weights
from opportunity.scoring.rules import RISK_LEVELS, RULE_TYPES, SIDES, Rules
from opportunity.scoring.trust import MIN_TRUST
from opportunity.shared import Shared

# Measured by tests/benchmarks/measure_confidence.py: 95 Binance spot symbols, balanced weights,
# 1h, 4h and 1d together, at each of the last 3,500 hourly closes of every symbol (314,504 rows).
SCAN_CONFIDENCE: Final = 0.190
"""Confidence that the best third of scored symbols reach: the default of a scan."""

TRADE_CONFIDENCE: Final = 0.200
"""Confidence that the best fifth of scored symbols reach: the default of an entry."""


class ScanRules(Shared):
    """What counts as an opportunity, as somebody turns it; `record()` is the value of a moment."""

    type: Any = param.Selector(
        default="majority", objects=list(RULE_TYPES),
        doc="How the timeframes must reach the threshold: any, all, majority of them, or their "
        "weighted mean (threshold).",
    )
    threshold = param.Number(
        0.6, bounds=(0, 1), doc="Least final score along the symbol's direction, 0..1."
    )
    min_confidence = param.Number(
        SCAN_CONFIDENCE, bounds=(0, 1), doc="Least mean confidence of a symbol, 0..1."
    )
    max_risk: Any = param.Selector(
        default="MEDIUM", objects=list(RISK_LEVELS), doc="Highest risk level let through."
    )
    exclude_neutral = param.Boolean(True, doc="Drop symbols without a direction.")
    min_volume_usd = param.Number(
        1_000_000, bounds=(0, None), doc="Least traded value of 24 hours, quote currency."
    )
    exclude_symbols = param.List(
        default=[], item_type=str, doc="Symbols never ranked, such as BTC/USDT."
    )
    direction: Any = param.Selector(
        default=None, objects=[None, *SIDES], doc="Let only one side through; None for both."
    )
    min_trust = param.Number(
        MIN_TRUST, bounds=(0, 1), doc="Least trust in the data of a symbol, 0..1."
    )
    timeframe_weights = param.Dict(
        default={}, allow_None=False,
        doc="Weights across timeframes, such as {'1h': 0.4}; those not named are as by default.",
    )

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.param:
            raise AttributeError(unknown("scan rule", name, [n for n in self.param]))
        if name == "exclude_symbols" and isinstance(value, list):
            for symbol in value:  # told now: `record` could only fail later, for others
                parse_symbol(str(symbol))
        if name == "timeframe_weights" and isinstance(value, dict):
            value = checked_weights(value)
        super().__setattr__(name, value)

    def record(self) -> Rules:
        """Return the present values, frozen."""
        return Rules(
            type=self.type, threshold=float(self.threshold),
            min_confidence=float(self.min_confidence), max_risk=self.max_risk,
            exclude_neutral=self.exclude_neutral, min_volume_usd=float(self.min_volume_usd),
            exclude_symbols=frozenset(parse_symbol(s) for s in self.exclude_symbols),
            direction=self.direction,
            min_trust=float(self.min_trust),
            timeframe_weights=tuple(sorted(checked_weights(self.timeframe_weights).items())),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values by name."""
        return self.record().as_dict()
