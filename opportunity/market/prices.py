"""Prices in words: with the digits that their size needs and thousands apart."""

import math
from typing import Final

DIGITS: Final = 4
"""Figures that count, of a price below 1."""


def price_text(price: float) -> str:
    """Write a price as traders do: ``64,210``, ``103,412.5``, ``71.25``, ``0.00001234``.

    Parameters
    ----------
    price : float
        Quote currency.

    Returns
    -------
    str
        One decimal from 1,000 on, two from 10 on, three from 1 on, below that four figures that
        count and never a power of ten; zeros at the end are left out. NaN gives ``nan``.
    """
    if not math.isfinite(price):
        return f"{float(price)}"
    size = abs(price)
    if size >= 1:
        decimals = 1 if size >= 1000 else 2 if size >= 10 else 3
    else:
        decimals = DIGITS - 1 - math.floor(math.log10(size)) if size else 0
    text = f"{float(price):,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Price(float):
    """A number that formats itself as a price, for templates such as ``at {price}``.

    A format that asks for general notation (``{price:.6g}``) gets the price's own digits too;
    any other format is a float's.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return price_text(self)

    def __format__(self, spec: str) -> str:
        return price_text(self) if not spec or spec.endswith("g") else super().__format__(spec)
