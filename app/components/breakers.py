"""The breakers: where each one stands, what trips it, and closing one by hand."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from app.components.account import Commanding
from app.components.account_words import BREAKER_LIMITS, BREAKERS, words
from app.components.figures import figured_module, figured_style
from app.components.language import phrase
from app.components.risk_words import LIMITS
from opportunity.live.portfolio import BreakerLine, PortfolioState

STATES: Final = ("CLOSED", "OPEN", "HALF_OPEN")
_AFTER: Final = {
    "daily_loss": phrase("Opens at the limit; closes when the UTC day is over."),
    "drawdown": phrase("Opens at the limit; half open after the cool-down, until a trade has won."),
    "losing_streak": phrase(
        "Opens at the limit; half open after the cool-down, until a trade has won."
    ),
    "stale_data": phrase("Opens when bars stay away; closes when they are back."),
}


class BreakerPanel(Commanding):
    """Each breaker with its states; closing one by hand takes a second press."""

    _esm = figured_module("breakers")
    _stylesheets: ClassVar[list[str]] = [figured_style("breakers")]


def breakers_state(state: PortfolioState | None, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the breakers of an account; before there is one, none."""
    if state is None:
        return {"missing": True, "breakers": []}
    now = {
        "daily_loss": max(0.0, -state.day_pnl_pct), "drawdown": state.drawdown,
        "losing_streak": state.losses_in_row,
    }  # fmt: skip
    return {
        "time": state.time,
        "can_trade": state.can_trade,
        "breakers": [_line(line, limits, now.get(line.name)) for line in state.breakers],
    }


def _line(line: BreakerLine, limits: Mapping[str, Any], value: float | None) -> dict[str, Any]:
    name = BREAKER_LIMITS.get(line.name, "")
    return {
        "name": line.name, "title": words(BREAKERS, line.name), "state": line.state,
        "until": line.until or None, "tripped": line.tripped or None, "trips": line.n_trips,
        "text": line.text, "value": value, "limit": limits.get(name),
        "unit": LIMITS[name].unit if name in LIMITS else "number",
        "after": _AFTER.get(line.name, ""),
    }  # fmt: skip
