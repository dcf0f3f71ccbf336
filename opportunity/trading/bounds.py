"""What a number that somebody gives must be: a number, in its range, whole where it counts."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Final

import numpy as np

Bounds = Mapping[str, tuple[float, float]]

WHOLE: Final = frozenset({"time_stop", "max_positions", "max_losses", "stale_bars"})
"""Numbers that count something."""


def check_number(name: str, value: Any) -> None:
    """Refuse what is no number; a bool is none.

    Raises
    ------
    TypeError
        With name and value.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, was {value!r}")


def check_bounds(values: Mapping[str, Any], bounds: Bounds) -> None:
    """Refuse numbers outside their bounds, both ends included.

    Raises
    ------
    TypeError
        If one is no number.
    ValueError
        If one is out of its bounds, or not whole where it must be.
    """
    for name, (low, high) in bounds.items():
        value = values[name]
        check_number(name, value)
        if not low <= value <= high:
            raise ValueError(f"{name} must be in {low:g}..{high:g}, was {value}")
        if name in WHOLE and value != int(value):
            raise ValueError(f"{name} must be a whole number, was {value}")


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked values by name as JSON holds them, whatever kind of number they came as."""
    return {name: _plain(value, name in WHOLE) for name, value in values.items()}


def _plain(value: Any, whole: bool = False) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Real):
        return int(float(value)) if whole else float(value)
    return value
