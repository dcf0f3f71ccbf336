"""The paper account in five figures, for a glance from the Live page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import param

from app.components.island import Island, dumps, module, style
from opportunity.live.portfolio import PortfolioState


@dataclass(frozen=True, slots=True)
class DayRisk:
    """What may be lost in a day on one day in twenty, as a fraction of the equity; NaN: unknown."""

    part: float
    note: str = ""


def tiles_state(
    state: PortfolioState | None, limits: Mapping[str, Any], risk: DayRisk | None = None
) -> dict[str, Any]:
    """Return the figures; nothing but `opening` before there is an account.

    Parameters
    ----------
    state : PortfolioState or None
    limits : mapping
        Risk limits by name.
    risk : DayRisk, optional
        None while it is not known.
    """
    if state is None:
        return {"opening": True}
    open_breakers = [line.name for line in state.breakers if line.state == "open"]
    return {
        "simulated": "simulated" in state.source,
        "equity": state.equity, "day": state.day_pnl_pct,
        "since": state.equity / state.start_cash - 1,
        "open": len(state.positions), "open_limit": limits.get("max_positions"),
        "exposure": state.exposure, "leverage": state.leverage,
        "drawdown": state.drawdown, "drawdown_limit": limits.get("max_drawdown"),
        "day_limit": limits.get("max_daily_loss"),
        "risk": None if risk is None else risk.part, "risk_note": "" if risk is None else risk.note,
        "trades": state.n_trades, "wins": state.wins, "breakers": open_breakers,
        "why_not": "" if state.can_trade else state.why_not or "breaker open",
        "storage": "" if state.storage == "ok" else state.storage,
    }  # fmt: skip


class PaperTiles(Island):
    """Show `tiles_state`."""

    state = param.String("{}", doc="What is shown, JSON; {} while it is loading.")

    _fill = "stretch_width"
    _esm = module("paper_tiles")
    _stylesheets: ClassVar[list[str]] = [style("paper_tiles")]

    def draw(self, state: Mapping[str, Any]) -> None:
        """Show another state."""
        text = dumps(state)
        if text != self.state:
            self.state = text
