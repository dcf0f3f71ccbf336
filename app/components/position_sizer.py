"""How large a position may be: entry, stop and side in; size, value and every bound out."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import param

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from app.components.island import dumps
from app.components.risk_words import BOUND_WORDS
from opportunity.risk.correlation import CorrelationCheck
from opportunity.risk.sizing import Plan


class PositionSizer(Commanding):
    """A calculator; what is typed is asked for as ``{"type": "size", "n": 4, ...}``."""

    plan = param.String("{}", doc="The newest answer, JSON: see `plan_state`, or an error.")
    together = param.String("{}", doc="How it fits what is held, JSON; see `together_state`.")

    _esm = figured_module("position_sizer")
    _stylesheets: ClassVar[list[str]] = [figured_style("position_sizer")]

    def offer(self, symbols: Sequence[str], chosen: str) -> None:
        """Name the symbols that can be sized."""
        self.draw({"symbols": list(symbols), "chosen": chosen})

    def tell_plan(self, told: Mapping[str, Any]) -> None:
        """Show what a size came to."""
        self.plan = dumps(told)

    def tell_together(self, told: Mapping[str, Any]) -> None:
        """Show how it fits what is held."""
        self.together = dumps(told)


def plan_state(plan: Plan) -> dict[str, Any]:
    """Return a size with all of its bounds; what holds nothing is null."""
    ticket = plan.ticket
    return {
        "entry": ticket.entry, "stop": ticket.stop, "side": ticket.side, "equity": ticket.equity,
        "risk": ticket.risk, "atr": ticket.atr, "confidence": ticket.confidence,
        "gross": ticket.gross, "distance": ticket.distance / ticket.entry,
        "size": plan.capped, "value": plan.capped_notional,
        "share": plan.capped_notional / ticket.equity, "lost": plan.capped * ticket.distance,
        "lost_share": plan.capped * ticket.distance / ticket.equity,
        "plain": plan.units, "plain_value": plan.notional, "targets": list(plan.targets),
        "binding": plan.binding, "reason": plan.reason,
        "bounds": [
            {"name": one.name, "title": BOUND_WORDS[one.name], "units": one.units,
             "notional": one.notional, "text": one.text}
            for one in plan.bounds
        ],
    }  # fmt: skip


def together_state(found: CorrelationCheck) -> dict[str, Any]:
    """Return how a new position would move with those that are held."""
    return {
        "allowed": found.allowed, "highest": found.highest, "limit": found.limit,
        "pairs": len(found.pairs), "with": found.pairs[0].symbol if found.pairs else "",
    }  # fmt: skip
