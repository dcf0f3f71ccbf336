"""Under what somebody trades: rules, costs, size, limits and cash, as one frozen value."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from opportunity.trading.bounds import check_number, plain_values
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import UNLIMITED, RiskLimits, RiskRecord
from opportunity.trading.rules import TradeRecord, TradeRules
from opportunity.trading.terms import Records, terms_of

RulesLike = TradeRules | TradeRecord | None
RiskLike = RiskLimits | RiskRecord | None

_BEFORE: Final = {
    name: getattr(UNLIMITED, name)
    for name in ("max_volume", "max_volatility", "kelly", "payoff", "stale_bars", "max_var95",
                 "max_correlation")
}  # fmt: skip
"""Limits that a setup does not tell which was written before they were there: they were off."""


@dataclass(frozen=True, slots=True)
class TradeSetup:
    """What the live agent, a backtest and a sweep trade under.

    Parameters
    ----------
    rules : TradeRecord
        When to enter and how to leave.
    costs : Costs
        Of every fill.
    sizing : Sizing
        How large an entry is before the limits cap it.
    risk : RiskRecord
        The limits.
    cash : float
        At the start, quote currency, > 0.

    Raises
    ------
    TypeError
        If a part is of another kind.
    ValueError
        If the cash is not finite or not > 0.
    """

    rules: TradeRecord = field(default_factory=TradeRecord)
    costs: Costs = field(default_factory=Costs)
    sizing: Sizing = field(default_factory=Sizing)
    risk: RiskRecord = field(default_factory=RiskRecord)
    cash: float = 10_000.0

    def __post_init__(self) -> None:
        kinds = {"rules": TradeRecord, "costs": Costs, "sizing": Sizing, "risk": RiskRecord}
        for name, kind in kinds.items():
            if not isinstance(getattr(self, name), kind):
                raise TypeError(
                    f"{name} must be {kind.__name__}, was {type(getattr(self, name)).__name__}"
                )
        check_number("cash", self.cash)
        if not (math.isfinite(self.cash) and self.cash > 0):
            raise ValueError(f"cash must be finite and > 0, was {self.cash}")
        object.__setattr__(self, "cash", float(self.cash))

    def terms(self, target_mode: bool = False) -> Records:
        """Return all of it as the record that kernels read; see `terms_of`."""
        return terms_of(self.rules, self.costs, self.sizing, self.risk, target_mode)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        parts = {n: asdict(getattr(self, n)) for n in ("rules", "costs", "sizing", "risk")}
        return {n: plain_values(part) for n, part in parts.items()} | {"cash": self.cash}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TradeSetup":
        """Return the setup of which `as_dict` told.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a part is missing, unknown or out of its range.
        """
        rules = dict(values["rules"])
        for name in ("targets_r", "shares"):
            rules[name] = tuple(rules[name])
        return cls(
            TradeRecord(**rules), Costs(**values["costs"]), Sizing(**values["sizing"]),
            RiskRecord(**(_BEFORE | values["risk"])), float(values["cash"]),
        )


def rules_record(rules: RulesLike) -> TradeRecord:
    """Return the values of rules, the defaults for None."""
    if rules is None:
        return TradeRecord()
    return rules.record() if isinstance(rules, TradeRules) else rules


def risk_record(risk: RiskLike) -> RiskRecord:
    """Return the values of limits, the defaults for None."""
    if risk is None:
        return RiskRecord()
    return risk.record() if isinstance(risk, RiskLimits) else risk
