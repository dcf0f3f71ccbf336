"""What holds a size, in one line for people."""

import math
from typing import TYPE_CHECKING

from opportunity.trading.risk import RiskRecord

if TYPE_CHECKING:
    from opportunity.risk.sizing import Ticket


def bound_text(name: str, units: float, ticket: "Ticket", limits: RiskRecord) -> str:
    """Say where a bound comes from, or why it holds nothing.

    Parameters
    ----------
    name : str
        One of `trading.records.BOUNDS`.
    units : float
        What it allows; infinite where it is off or its input is unknown.
    ticket : Ticket
    limits : RiskRecord
    """
    if math.isinf(units):
        return _off(name, limits)
    if name == "risk":
        return f"{percent(ticket.risk)} of the equity is lost at the stop, {ticket.distance:g} away"
    if name == "notional":
        return f"one symbol may be {percent(limits.max_position)} of the equity"
    if name == "leverage":
        return (
            f"all positions may be {limits.max_leverage:g} times the equity, "
            f"{ticket.gross:.8g} is held already"
        )
    if name == "liquidity":
        return f"one position may be {percent(limits.max_volume)} of the 24 h volume"
    if name == "volatility":
        return f"one ATR of {ticket.atr:g} may move the equity by {percent(limits.max_volatility)}"
    return (
        f"{percent(limits.kelly)} of the Kelly fraction at a confidence of {ticket.confidence:g} "
        f"and a payoff of {limits.payoff:g}"
    )


def percent(fraction: float) -> str:
    """Write a fraction in percent."""
    return f"{100.0 * fraction:.4g} %"


def _off(name: str, limits: RiskRecord) -> str:
    switch = {
        "liquidity": limits.max_volume, "volatility": limits.max_volatility, "kelly": limits.kelly,
    }.get(name, 1.0)  # fmt: skip
    if switch == 0.0:
        return "off"
    needs = {"liquidity": "24 h volume", "volatility": "ATR", "kelly": "confidence"}
    return f"holds nothing: the {needs.get(name, 'input')} is not known"
