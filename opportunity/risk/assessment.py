"""How risky a portfolio is, as one number of four that are measured."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from opportunity.risk.exposure import Exposure, mean_correlation
from opportunity.risk.held import Held
from opportunity.risk.value_at_risk import Tail

Level = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]

POINTS: Final = {"var": 30.0, "concentration": 25.0, "correlation": 25.0, "drawdown": 20.0}
"""Most points of each part; they add up to 100."""

FULL_VAR: Final = 0.1
"""Value at risk of a day at 0.95, as a fraction of the equity, from which all points are given."""

FULL_DRAWDOWN: Final = 0.2
"""The same of the drawdown."""

HIGH: Final = 75.0
"""Scores above it raise an alert."""

_LEVELS: Final[tuple[tuple[float, Level], ...]] = (
    (25.0, "LOW"), (50.0, "MEDIUM"), (HIGH, "HIGH"), (math.inf, "CRITICAL"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RiskScore:
    """The score and what it is made of.

    Parameters
    ----------
    parts : dict
        Points by the names of `POINTS`; NaN where something is not known.
    """

    parts: dict[str, float]

    @property
    def total(self) -> float:
        """Sum of the parts, [0, 100]; NaN when one is not known."""
        return sum(self.parts.values())

    @property
    def level(self) -> Level | None:
        """LOW below 25, MEDIUM below 50, HIGH below 75, else CRITICAL; None when not known."""
        return level_of(self.total)


def level_of(score: float) -> Level | None:
    """Return the name of a score; None for NaN."""
    if math.isnan(score):
        return None
    return next(name for bound, name in _LEVELS if score < bound)


def score_of(held: Held, tail: Tail, exposure: Exposure, drawdown: float) -> RiskScore:
    """Score a portfolio.

    Parameters
    ----------
    held : Held
    tail : Tail
        Of one day at 0.95; NaN where unknown.
    exposure : Exposure
    drawdown : float
        Fraction of the peak lost, >= 0.

    Notes
    -----
    - var: linear up to 10 % of the equity;
    - concentration: Herfindahl index times min(leverage, 1), so that one small position in a
      large account is no concentration;
    - correlation: mean correlation of the P&L of pairs of positions where above 0, times
      min(leverage, 1);
    - drawdown: linear up to 20 %.
    """
    used = min(held.leverage, 1.0)
    correlation = math.nan
    if exposure.correlation is not None:
        correlation = max(mean_correlation(held.notionals, exposure.correlation), 0.0) * used
    shares = {
        "var": _share(fraction_of(tail.var, held.equity), FULL_VAR),
        "concentration": exposure.herfindahl * used,
        "correlation": correlation,
        "drawdown": _share(drawdown, FULL_DRAWDOWN),
    }
    return RiskScore({name: POINTS[name] * share for name, share in shares.items()})


def fraction_of(amount: float, equity: float) -> float:
    """Return an amount as a fraction of the equity; without equity 0 stays 0, all else infinite."""
    if equity > 0.0 or math.isnan(amount):
        return amount / equity if equity > 0.0 else amount
    return 0.0 if amount == 0.0 else math.copysign(math.inf, amount)


def highest_pair(held: Held, exposure: Exposure) -> tuple[str, str, float] | None:
    """Return the two positions whose P&L moves most alike; None with fewer than two known."""
    if exposure.correlation is None or len(held.symbols) < 2:
        return None
    sides = np.sign(held.notionals)
    together = np.triu(exposure.correlation * np.outer(sides, sides), 1)
    upper = np.triu(np.ones(together.shape, dtype=bool), 1) & np.isfinite(together)
    if not upper.any():
        return None
    row, column = divmod(int(np.where(upper, together, -np.inf).argmax()), len(held.symbols))
    return held.symbols[row], held.symbols[column], float(together[row, column])


def _share(value: float, full: float) -> float:
    return value if math.isnan(value) else min(max(value / full, 0.0), 1.0)
