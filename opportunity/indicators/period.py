"""The one rule about periods that all indicators share."""

import operator
from typing import Final

LONGEST: Final = 100_000
"""Longest period, as in TA-Lib: a longer one is a mistake in units, not a wish."""


def require_period(period: int, least: int = 2, name: str = "period") -> int:
    """Check a number of bars and return it as a plain int.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is not in [least, `LONGEST`].
    """
    if isinstance(period, bool):
        raise TypeError(f"{name} must be an integer, was {period!r}")
    try:
        n_bars = operator.index(period)
    except TypeError as e:
        raise TypeError(f"{name} must be an integer, was {period!r}") from e
    if not least <= n_bars <= LONGEST:
        raise ValueError(f"{name} must be in [{least}, {LONGEST}], was {n_bars}")
    return n_bars
