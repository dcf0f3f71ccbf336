"""How large a position may be: by the risk at its stop, and under every limit.

The bounds are those of the trading core (`trading.bounding`), so the calculator and the agent
never disagree. Prices and money are in quote currency.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from opportunity.risk.stops import require_price, require_side, require_stop_side
from opportunity.risk.wording import bound_text
from opportunity.trading.bounding import Asked, binding, entry_bounds
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import BOUNDS
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.terms import terms_of

TARGETS_R: Final = (1.0, 2.0, 3.0)
"""How far the targets are, in distances of the stop."""

_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Ticket:
    """A position that somebody thinks of.

    Parameters
    ----------
    entry, stop : float
        Prices, > 0; the stop lies below the entry of a long and above that of a short.
    equity : float
        Of the account, > 0.
    risk : float
        Fraction of the equity that is lost at the stop, (0, 1].
    side : int
        1 long, -1 short, 0: as the stop says.
    gross : float
        Notional of all that is held already, >= 0.
    atr : float
        Of the decision timeframe, price; NaN where unknown.
    volume : float
        Of 24 h, quote currency; NaN where unknown.
    confidence : float
        Of the signal, [0, 1]; NaN where unknown.
    step : float
        Smallest step of the quantity; 0: any quantity.
    min_notional : float
        Smallest notional that the market takes; 0: any.

    Raises
    ------
    ValueError
        If one is out of its range, or the stop on the wrong side.
    """

    entry: float
    stop: float
    equity: float
    risk: float = 0.01
    side: int = 0
    gross: float = 0.0
    atr: float = math.nan
    volume: float = math.nan
    confidence: float = math.nan
    step: float = 0.0
    min_notional: float = 0.0

    def __post_init__(self) -> None:
        require_price("entry", self.entry)
        require_price("stop", self.stop)
        require_price("equity", self.equity)
        if not 0.0 < self.risk <= 1.0:
            raise ValueError(f"risk must be a fraction in (0, 1], was {self.risk}")
        for name in ("gross", "step", "min_notional"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} must be finite and >= 0, was {value}")
        for name in ("atr", "volume"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{name} must be >= 0, was {getattr(self, name)}")
        if not math.isnan(self.confidence) and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence must be in [0, 1], was {self.confidence}")
        if self.stop == self.entry:
            raise ValueError(f"stop must differ from the entry, both were {self.entry:g}")
        side = self.side or (1 if self.stop < self.entry else -1)
        require_side(side)
        require_stop_side(self.entry, self.stop, side)
        object.__setattr__(self, "side", side)

    @property
    def distance(self) -> float:
        """Distance of the stop, price."""
        return abs(self.entry - self.stop)


@dataclass(frozen=True, slots=True)
class Bound:
    """How large one rule lets the position be.

    Parameters
    ----------
    name : str
        One of `trading.records.BOUNDS`.
    units, notional : float
        Infinite where it holds nothing.
    text : str
        Why, one line.
    """

    name: str
    units: float
    notional: float
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the position is.

    Parameters
    ----------
    ticket : Ticket
        With its side settled.
    units : float
        By the risk alone.
    bounds : tuple of Bound
        All of them, in the order of `BOUNDS`.
    binding : str
        The name of the least.
    capped : float
        The least of all bounds, rounded down to the step; 0 where it is below the smallest
        notional.
    targets : tuple of float
        Prices 1, 2 and 3 distances of the stop away; those of a short above 0 only.
    r_multiple : float
        What the second target wins by what the stop loses.
    reason : str
        Why `capped` is 0; empty otherwise.
    """

    ticket: Ticket
    units: float
    bounds: tuple[Bound, ...]
    binding: str
    capped: float
    targets: tuple[float, ...]
    r_multiple: float
    reason: str = ""

    @property
    def notional(self) -> float:
        """Notional of `units`."""
        return self.units * self.ticket.entry

    @property
    def capped_notional(self) -> float:
        """Notional of `capped`."""
        return self.capped * self.ticket.entry


def plan_position(ticket: Ticket, limits: RiskRecord) -> Plan:
    """Size a position under the limits.

    Parameters
    ----------
    ticket : Ticket
    limits : RiskRecord

    Notes
    -----
    The risk is measured from entry to stop; fees, slippage and gaps through the stop come on top.
    """
    terms = terms_of(TradeRecord(), Costs(0.0, 0.0), Sizing.risk(ticket.risk), limits)
    units = entry_bounds(
        Asked(ticket.equity, ticket.gross), terms, ticket.entry, ticket.distance, ticket.atr,
        ticket.volume, ticket.confidence,
    )  # fmt: skip
    bounds = tuple(
        Bound(name, float(n), float(n) * ticket.entry, bound_text(name, float(n), ticket, limits))
        for name, n in zip(BOUNDS, units, strict=True)
    )
    least = bounds[binding(units)]
    capped, reason = _rounded(max(least.units, 0.0), ticket)
    if least.units <= 0.0:
        reason = f"{least.name}: {least.text}"
    return Plan(
        ticket, bounds[0].units, bounds, least.name, capped, _targets(ticket), TARGETS_R[1], reason
    )


def round_down(units: float, step: float) -> float:
    """Round a quantity down to a multiple of the step; 0 keeps it as it is.

    A quantity that misses a multiple by no more than the rounding of floats counts as that
    multiple; one of so many steps that floats do not tell them apart stays as it is.
    """
    if step == 0.0 or units / step > 1.0 / _ROUNDING:
        return units
    one = Decimal(repr(step))
    return float(Decimal(repr(units * (1.0 + _ROUNDING))) // one * one)


def _rounded(units: float, ticket: Ticket) -> tuple[float, str]:
    rounded = round_down(units, ticket.step)
    if rounded == 0.0:
        return 0.0, f"size must be at least one step of {ticket.step:g}, was {units:.8g}"
    if rounded * ticket.entry < ticket.min_notional:
        return 0.0, (
            f"notional must be at least {ticket.min_notional:g}, "
            f"was {rounded * ticket.entry:.8g}"
        )
    return rounded, ""


def _targets(ticket: Ticket) -> tuple[float, ...]:
    away = (ticket.entry + ticket.side * r * ticket.distance for r in TARGETS_R)
    return tuple(price for price in away if price > 0.0)
