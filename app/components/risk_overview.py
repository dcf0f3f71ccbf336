"""The head of the Risk page: each measure against its limit, the score, and what is wrong."""

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from app.components.language import phrase
from app.components.risk_words import ALERTS, LEVELS, PARTS
from opportunity.live.portfolio import PortfolioState
from opportunity.risk.alerts import LONGEST_EXIT_H, NEAR
from opportunity.risk.assessment import POINTS, fraction_of
from opportunity.risk.held import Held
from opportunity.risk.manager import Assessment
from opportunity.trading.risk import RiskRecord

SAFE, WARNING, CRITICAL, UNKNOWN = "safe", "warning", "critical", "unknown"
STOPPED: Final = "stopped"
"""Of the whole account: a breaker is open, so no entry is let through."""
_ORDER: Final = (SAFE, UNKNOWN, WARNING, CRITICAL)


class RiskOverview(Commanding):
    """Tiles of value against limit, the risk score, alerts with advice."""

    _esm = figured_module("risk_overview")
    _stylesheets: ClassVar[list[str]] = [figured_style("risk_overview")]


def status(value: float, limit: float, near: float = NEAR, reached: bool = False) -> str:
    """Return how a value stands against its limit.

    Parameters
    ----------
    value, limit : float
        Of one unit; a NaN value is not known.
    near : float
        Share of the limit from which it comes near.
    reached : bool
        Whether the limit itself is too much already.
    """
    if math.isnan(value):
        return UNKNOWN
    if value > limit or (reached and value >= limit):
        return CRITICAL
    return WARNING if value > 0 and value >= near * limit else SAFE


def overview_state(
    state: PortfolioState, held: Held, found: Assessment, limits: RiskRecord
) -> dict[str, Any]:
    """Return an assessed account as the page shows it."""
    tiles = list(_tiles(state, held, found, limits))
    return {
        "source": state.source,
        "simulated": "simulated" in state.source,
        "time": state.time,
        "empty": not state.positions,
        "standing": _standing(state, tiles),
        "score": found.score.total,
        "level": found.score.level,
        "level_text": LEVELS[found.score.level],
        "parts": [
            {"name": name, "title": PARTS[name], "points": found.score.parts[name], "most": most}
            for name, most in POINTS.items()
        ],
        "tiles": tiles,
        "alerts": [
            {"code": a.code, "severity": a.severity.lower(), "title": ALERTS.get(a.code, a.code),
             "message": a.message, "advice": a.advice}
            for a in found.alerts
        ],
        "rows": 0 if held.returns is None else len(held.returns),
        "timeframe": None if held.returns is None else held.returns.timeframe,
    }  # fmt: skip


def _standing(state: PortfolioState, tiles: list[dict[str, Any]]) -> str:
    """Return how the account stands as a whole: stopped, or the gravest of the tiles."""
    states = {line.state for line in state.breakers}
    if "OPEN" in states:
        return STOPPED
    found = max((tile["status"] for tile in tiles), key=_ORDER.index)
    return WARNING if "HALF_OPEN" in states and found != CRITICAL else str(found)


def _tiles(
    state: PortfolioState, held: Held, found: Assessment, limits: RiskRecord
) -> Iterator[dict[str, Any]]:
    loss = max(0.0, -state.day_pnl_pct)
    shortfall = fraction_of(found.tail95.es, held.equity)
    yield _tile(
        "var95", phrase("VaR 95 %, a day"), found.var95, limits.max_var95,
        status(found.var95, limits.max_var95), also=shortfall,
        hint=phrase("Exceeded one day in twenty; below it the mean of those days. Warned of only."),
    )
    yield _tile(
        "drawdown", phrase("Drawdown"), state.drawdown, limits.max_drawdown,
        status(state.drawdown, limits.max_drawdown, reached=True),
        hint=phrase("Below the highest equity since the breaker closed. At the limit it trips."),
    )
    yield _tile(
        "day", phrase("Loss of the day"), loss, limits.max_daily_loss,
        status(loss, limits.max_daily_loss, reached=True),
        hint=phrase("Since midnight UTC; 0 for a gain. At the limit the day's entries end."),
    )
    yield _tile(
        "leverage", phrase("Leverage"), held.leverage, limits.max_leverage,
        status(held.leverage, limits.max_leverage), "times",
        hint=phrase("Notional of longs and shorts together, by the equity."),
    )
    n = len(state.positions)
    yield _tile(
        "positions", phrase("Positions"), n, limits.max_positions,
        status(n, limits.max_positions, 1.0), "count",
        hint=phrase("Held now. At the limit no entry is let through."),
    )
    largest = found.exposure.largest
    yield _tile(
        "largest", phrase("Largest position"), largest, limits.max_position,
        _soft(status(largest, limits.max_position, 0.95)),
        hint=phrase("Notional by the equity. The limit holds entries; a winner may outgrow it."),
    )
    alike = math.nan if found.pair is None else found.pair[2]
    known = held.known and n < 2
    yield _tile(
        "alike", phrase("Most alike"), alike, limits.max_correlation,
        SAFE if known else _soft(status(alike, limits.max_correlation)), "number",
        names=[] if found.pair is None else list(found.pair[:2]),
        hint=phrase("Highest correlation of two positions' P&L; a hedge is below 0. Warned of."),
    )
    hours = [value for value in found.hours.tolist() if not math.isnan(value)]
    longest = max(hours) if len(hours) == n and hours else math.nan
    yield _tile(
        "exit", phrase("Longest exit"), longest, LONGEST_EXIT_H,
        SAFE if n == 0 else _soft(status(longest, LONGEST_EXIT_H)), "hours",
        hint=phrase("To leave a position at the share of the volume that is allowed."),
    )


def _soft(standing: str) -> str:
    """Return how grave it is to stand so at a limit that nothing is stopped by."""
    return WARNING if standing == CRITICAL else standing


def _tile(
    name: str, title: dict[str, Any], value: float, limit: float, standing: str,
    unit: str = "share", **more: Any,
) -> dict[str, Any]:
    return {"name": name, "title": title, "value": value, "limit": limit, "status": standing,
            "unit": unit, **more}  # fmt: skip
