"""How much two tellings of the same bar differ."""

from typing import Final

from opportunity.market.notes import Values

MATERIAL_BP: Final = 5.0
MATERIAL_VOLUME: Final = 0.01
_PRICE_NOISE: Final = 1e-9
_VOLUME_NOISE: Final = 1e-6


def same(first: Values, second: Values) -> bool:
    """Tell whether two tellings agree but for the noise of writing numbers down.

    Noise is 1e-9 of a price and 1e-6 of the volume: some venues round one channel more than the
    other.
    """
    if first == second:
        return True
    return change(first, second) <= _PRICE_NOISE and volume_change(first, second) <= _VOLUME_NOISE


def change(first: Values, second: Values) -> float:
    """Return the largest relative change of a price, >= 0; the prices must be > 0."""
    return max(abs(b / a - 1.0) for a, b in zip(first[:4], second[:4], strict=True))


def volume_change(first: Values, second: Values) -> float:
    """Return the change of volume relative to the larger one, in [0, 1]."""
    larger = max(first[4], second[4])
    return abs(first[4] - second[4]) / larger if larger > 0.0 else 0.0


def change_bp(first: Values, second: Values) -> float:
    """Return the largest change of a price in basis points, >= 0."""
    return change(first, second) * 1e4


def material(first: Values, second: Values) -> bool:
    """Tell whether scores should be computed again: > 5 bp of a price or > 1 % of volume."""
    return change_bp(first, second) > MATERIAL_BP or volume_change(first, second) > MATERIAL_VOLUME
