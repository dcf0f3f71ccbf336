"""What a person should know of a portfolio, and what he could do about it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.risk.assessment import HIGH, RiskScore
from opportunity.risk.components import Components
from opportunity.risk.exposure import Exposure
from opportunity.risk.held import Held
from opportunity.risk.portfolio import PortfolioLike
from opportunity.risk.wording import percent
from opportunity.trading.risk import RiskRecord

Severity = Literal["MEDIUM", "HIGH", "CRITICAL"]

NEAR: Final = 0.8
"""From this share of a limit on it is told that it comes near."""

LONGEST_EXIT_H: Final = 24.0
"""A position that takes longer to leave cannot be left on the day that it must be."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A limit that is passed, or nearly, or something that is not known.

    Parameters
    ----------
    code : str
        Stable short name, e.g. ``VAR_LIMIT_EXCEEDED``.
    severity : str
    message : str
        One line.
    value, limit : float
        What was measured and what it is held against; NaN where there is none.
    advice : str
        What would help, one line; empty where there is nothing to do.
    """

    code: str
    severity: Severity
    message: str
    value: float = math.nan
    limit: float = math.nan
    advice: str = ""


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Measured:
    """All that alerts are made of.

    Parameters
    ----------
    portfolio : PortfolioLike
    held : Held
    limits : RiskRecord
    score : RiskScore
    var95 : float
        Of one day, as a fraction of the equity; NaN where unknown.
    exposure : Exposure
    parts : Components or None
        Of the same value at risk.
    pair : tuple or None
        The two positions most alike, and how much.
    hours : ndarray of shape (n_positions,)
        To leave each.
    """

    portfolio: PortfolioLike
    held: Held
    limits: RiskRecord
    score: RiskScore
    var95: float
    exposure: Exposure
    parts: Components | None
    pair: tuple[str, str, float] | None
    hours: FloatArray


def alerts_of(seen: Measured) -> tuple[Alert, ...]:
    """Return what is wrong, the worst first."""
    order = ("CRITICAL", "HIGH", "MEDIUM")
    found = [*_losses(seen), *_tail(seen), *_make_up(seen)]
    return tuple(sorted(found, key=lambda alert: order.index(alert.severity)))


def _losses(seen: Measured) -> Iterator[Alert]:
    for breaker in seen.portfolio.breakers:
        if breaker.state != "CLOSED":
            stays = "no entries until it closes" if breaker.state == "OPEN" else "one entry at most"
            yield Alert(
                "BREAKER_OPEN", "HIGH", f"breaker {breaker.name} is {breaker.state}: {stays}"
            )
    limits = seen.limits
    day = max(-seen.portfolio.day_pnl_pct, 0.0)
    for code, what, value, limit in (
        ("DRAWDOWN_HIGH", "drawdown", seen.portfolio.drawdown, limits.max_drawdown),
        ("DAILY_LOSS_HIGH", "loss of the day", day, limits.max_daily_loss),
    ):
        if value >= NEAR * limit:
            passed = value >= limit
            yield Alert(
                code, "CRITICAL" if passed else "MEDIUM",
                f"{what} is {percent(value)}, the limit is {percent(limit)}", value, limit,
                "" if passed else "Enter smaller: the breaker is near.",
            )  # fmt: skip


def _tail(seen: Measured) -> Iterator[Alert]:
    if seen.score.total > HIGH:
        yield Alert(
            "PORTFOLIO_RISK_HIGH", "CRITICAL",
            f"risk score is {seen.score.total:.0f} of 100, above {HIGH:.0f}",
            seen.score.total, HIGH, "Take the largest positions down.",
        )
    if not seen.held.known:
        told = "; ".join(f"{s}: {why}" for s, why in seen.held.missing.items())
        yield Alert(
            "RISK_UNKNOWN", "HIGH", f"value at risk is not known: {told or 'no history'}"
        )
    limit = seen.limits.max_var95
    if seen.var95 > limit:
        yield Alert(
            "VAR_LIMIT_EXCEEDED", "HIGH",
            f"value at risk of a day at 95 % is {percent(seen.var95)} of the equity, "
            f"the limit is {percent(limit)}",
            seen.var95, limit, _take_down(seen),
        )


def _take_down(seen: Measured) -> str:
    """Say by how much the position that adds most must shrink, to first order."""
    if seen.parts is None or not seen.held.equity > 0.0:
        return "Take positions down."
    row = int(seen.parts.parts.argmax())
    slope = abs(float(seen.parts.marginal[row]))
    excess = seen.parts.var - seen.limits.max_var95 * seen.held.equity
    size = abs(float(seen.held.notionals[row]))
    amount = size if slope == 0.0 else min(excess / slope, size)
    whole = "all" if amount >= size else f"about {amount:,.0f}"
    return f"Take {whole} of {size:,.0f} out of {seen.held.symbols[row]}, which adds most."


def _make_up(seen: Measured) -> Iterator[Alert]:
    limits, held = seen.limits, seen.held
    if held.leverage > limits.max_leverage:
        yield Alert(
            "LEVERAGE_HIGH", "HIGH",
            f"leverage is {held.leverage:.2f}, the limit is {limits.max_leverage:g}",
            held.leverage, limits.max_leverage, "Take positions down.",
        )
    if seen.exposure.largest > limits.max_position:
        name = next(iter(seen.exposure.by_asset))
        yield Alert(
            "CONCENTRATION_HIGH", "MEDIUM",
            f"{name} is {percent(seen.exposure.largest)} of the equity, "
            f"the limit of an entry is {percent(limits.max_position)}",
            seen.exposure.largest, limits.max_position, f"Take {name} down.",
        )
    if seen.pair is not None and seen.pair[2] > limits.max_correlation:
        one, other, value = seen.pair
        yield Alert(
            "CORRELATION_HIGH", "MEDIUM",
            f"{one} and {other} win and lose together: correlation {value:.2f}, "
            f"the limit is {limits.max_correlation:g}",
            value, limits.max_correlation, f"Hold one of {one} and {other}, or smaller ones.",
        )
    yield from _slow(seen)


def _slow(seen: Measured) -> Iterator[Alert]:
    known = np.where(np.isnan(seen.hours), -np.inf, seen.hours)
    if known.size and known.max() > LONGEST_EXIT_H:
        row = int(known.argmax())
        name = seen.held.symbols[row]
        yield Alert(
            "LIQUIDITY_LOW", "MEDIUM",
            f"leaving {name} takes {known[row]:.0f} hours at the share of the volume allowed",
            float(known[row]), LONGEST_EXIT_H, f"Leave {name} in parts, early.",
        )
