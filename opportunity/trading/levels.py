"""Price levels of a signal: where to enter, where it is wrong, where to take profit."""

from dataclasses import dataclass
from typing import Final

import numpy as np

STOP_ATR: Final = 1.5
"""Distance of the stop from the entry, in ATR14."""

TARGETS_R: Final = (1.0, 2.0, 3.0)
"""Targets in multiples of the distance to the stop (R)."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices in quote currency."""

    entry: float
    stop: float
    targets: tuple[float, ...]

    @property
    def risk(self) -> float:
        """Distance from entry to stop, quote currency per unit."""
        return abs(self.entry - self.stop)


def levels(direction: int, entry: float, atr: float) -> Levels | None:
    """Place stop and targets around an entry.

    Parameters
    ----------
    direction : int
        +1 long, -1 short, 0 neither.
    entry : float
        Entry price, > 0.
    atr : float
        ATR14 in quote currency, > 0.

    Returns
    -------
    Levels or None
        None where no levels exist: no direction, no price, no range, or a stop or target that
        would lie at or below a price of 0.

    Raises
    ------
    ValueError
        If the direction is not +1, 0 or -1.
    """
    if direction not in (-1, 0, 1):
        raise ValueError(f"direction must be -1, 0 or 1, was {direction}")
    if direction == 0 or not (np.isfinite(entry) and np.isfinite(atr)):
        return None
    if entry <= 0 or atr <= 0:
        return None
    distance = STOP_ATR * atr
    stop = entry - direction * distance
    targets = tuple(entry + direction * r * distance for r in TARGETS_R)
    if min(stop, *targets) <= 0:
        return None
    return Levels(entry, stop, targets)
