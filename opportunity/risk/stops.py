"""Where a position is given up: so many ATR away, or behind the nearest level."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STOP_ATR: Final = 1.5


@dataclass(frozen=True, slots=True)
class StopLoss:
    """A stop and what it came from; prices.

    Parameters
    ----------
    stop : float
        The tighter one: the nearest to the entry.
    basis : str
        ``atr`` or ``structure``.
    by_atr, by_structure : float or None
        Each by itself; None where it cannot be told.
    """

    stop: float
    basis: str
    by_atr: float | None
    by_structure: float | None


def stop_loss(
    entry: float, side: int, atr: float | None = None, levels: Sequence[float] = ()
) -> StopLoss:
    """Place a stop.

    Parameters
    ----------
    entry : float
        Price, > 0.
    side : {1, -1}
        Long or short.
    atr : float, optional
        Of the decision timeframe, price, > 0; the stop is 1.5 ATR away.
    levels : sequence of float
        Prices of supports and resistances; a long uses the highest below its entry, a short the
        lowest above, others are passed over.

    Returns
    -------
    StopLoss
        Of the two the one nearest to the entry.

    Raises
    ------
    ValueError
        If a number is out of its range, or neither gives a price above 0 on the right side.
    """
    require_price("entry", entry)
    require_side(side)
    for level in levels:
        require_price("level", level)
    by_atr: float | None = None
    if atr is not None:
        require_price("atr", atr)
        away = entry - side * STOP_ATR * atr
        by_atr = away if away > 0.0 and away != entry else None
    behind = [level for level in levels if side * (entry - level) > 0.0]
    by_structure = None if not behind else max(behind) if side > 0 else min(behind)
    found = [(abs(entry - p), i, p) for i, p in enumerate((by_atr, by_structure)) if p is not None]
    if not found:
        raise ValueError(_nothing(side, atr, levels))
    _, which, stop = min(found)
    return StopLoss(stop, ("atr", "structure")[which], by_atr, by_structure)


def require_price(name: str, value: float) -> None:
    """Refuse what is no price.

    Raises
    ------
    ValueError
        If it is not finite or not > 0.
    """
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{name} must be finite and > 0, was {value}")


def require_side(side: int) -> None:
    """Refuse what is neither 1 nor -1.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if side not in (1, -1):
        raise ValueError(f"side must be 1 (long) or -1 (short), was {side}")


def require_stop_side(entry: float, stop: float, side: int) -> None:
    """Refuse a stop that would be passed at once.

    Raises
    ------
    ValueError
        If it is not below the entry of a long, or not above that of a short.
    """
    if side * (entry - stop) <= 0.0:
        word, where = ("long", "below") if side > 0 else ("short", "above")
        raise ValueError(f"stop of a {word} must be {where} the entry {entry:g}, was {stop:g}")


def _nothing(side: int, atr: float | None, levels: Sequence[float]) -> str:
    where = "below the entry" if side > 0 else "above the entry"
    return (
        f"atr or structure levels must give a stop above 0 and {where}, "
        f"were {atr} and {list(levels)[:5]}"
    )
