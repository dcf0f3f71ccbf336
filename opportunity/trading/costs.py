"""What a fill costs and how large a position is made."""

import math
from dataclasses import dataclass
from typing import Final

from opportunity.errors import unknown
from opportunity.trading.bounds import check_number
from opportunity.trading.records import ALL_IN, BY_EQUITY, BY_NOTIONAL, BY_RISK

MOST_COST: Final = 0.1
"""Largest fee, slippage and spread: a tenth of the price is a typing error."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of every fill, as fractions per side.

    Parameters
    ----------
    fee : float
        Of the notional, [0, 0.1].
    slippage : float
        By which a fill is worse than the price it is made at, [0, 0.1].
    spread : float
        Between bid and ask; half of it makes a fill worse, [0, 0.1].

    Raises
    ------
    TypeError
        If one is no number.
    ValueError
        If one is out of its range.
    """

    fee: float = 0.0005
    slippage: float = 0.001
    spread: float = 0.0

    def __post_init__(self) -> None:
        for name in ("fee", "slippage", "spread"):
            value = getattr(self, name)
            check_number(name, value)
            if not 0.0 <= value <= MOST_COST:
                raise ValueError(
                    f"{name} must be a fraction per side in 0..{MOST_COST}, was {value}"
                )

    @property
    def slip(self) -> float:
        """How much worse a fill is than its reference, as a fraction."""
        return self.slippage + self.spread / 2.0


_KINDS: Final = {"risk": BY_RISK, "equity": BY_EQUITY, "notional": BY_NOTIONAL, "all_in": ALL_IN}


@dataclass(frozen=True, slots=True)
class Sizing:
    """How large an entry is before the limits cap it.

    Parameters
    ----------
    kind : str
        ``risk``: so much of the equity is lost at the stop; ``equity``: so much of the equity is
        the notional; ``notional``: so much quote currency; ``all_in``: all that nothing is held
        with yet, no limit caps.
    amount : float
        Fraction in (0, 1] for risk and equity, quote currency > 0 for notional; 1 for all_in.
    whole_units : bool
        Round down to whole units.

    Raises
    ------
    TypeError
        If the amount is no number.
    ValueError
        If the kind is unknown or the amount is out of its range.
    """

    kind: str = "risk"
    amount: float = 0.01
    whole_units: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(unknown("sizing", self.kind, _KINDS))
        check_number(f"amount of sizing by {self.kind}", self.amount)
        money = self.kind == "notional"
        if not (0.0 < self.amount < math.inf and (money or self.amount <= 1.0)):
            bound = "finite and > 0" if money else "in (0, 1]"
            raise ValueError(f"amount of sizing by {self.kind} must be {bound}, was {self.amount}")

    @classmethod
    def risk(cls, fraction: float = 0.01, whole_units: bool = False) -> "Sizing":
        """Risk a fraction of the equity at the stop."""
        return cls("risk", fraction, whole_units)

    @classmethod
    def fixed(cls, fraction: float, whole_units: bool = False) -> "Sizing":
        """Put a fixed fraction of the equity into each position."""
        return cls("equity", fraction, whole_units)

    @classmethod
    def notional(cls, amount: float, whole_units: bool = False) -> "Sizing":
        """Put a fixed amount of quote currency into each position."""
        return cls("notional", amount, whole_units)

    @classmethod
    def all_in(cls, whole_units: bool = False) -> "Sizing":
        """Put everything into one position; no limit caps it."""
        return cls("all_in", 1.0, whole_units)

    @property
    def code(self) -> int:
        """The kind as kernels know it."""
        return _KINDS[self.kind]
