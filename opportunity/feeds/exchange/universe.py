"""Which symbols of a venue are watched."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from opportunity.errors import unknown
from opportunity.market.symbols import Symbol, parse_symbol

QUOTES: Final = ("USDT", "USD", "USDC", "EUR", "BTC")
"""Currencies that are tried as the quote when none is asked for, best first."""

LEAST_MARKETS: Final = 20
"""Markets that make a currency the venue's usual quote."""

LEEWAY: Final = 1.5
"""How far down the ranking a symbol of the last time may stand, as a multiple of their number."""

PEGGED: Final = frozenset({
    "USDT", "USDC", "USD", "EUR", "GBP", "DAI", "TUSD", "FDUSD", "USDE", "USDD", "USDP", "PYUSD",
    "BUSD", "EURI", "AEUR", "RLUSD", "USD1", "XUSD", "BFUSD", "EURC", "USDS", "USDG",
})  # fmt: skip
"""Bases that hardly move against a quote of their kind: nothing to find there."""


class Listed(Protocol):
    """What is asked of a market."""

    @property
    def symbol(self) -> str:
        """Name, e.g. ``BTC/USDT``."""
        ...

    @property
    def base(self) -> str:
        """Base currency."""
        ...

    @property
    def quote(self) -> str:
        """Quote currency."""
        ...

    @property
    def active(self) -> bool:
        """Whether it is traded."""
        ...


def chosen(venue: str, markets: Mapping[str, Listed], wanted: Iterable[str]) -> tuple[Symbol, ...]:
    """Return the wanted symbols in our spelling.

    Raises
    ------
    ValueError
        If one is malformed, named twice, not a market of the venue or not traded.
    """
    names = tuple(parse_symbol(s) for s in wanted)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"symbols must be a non-empty list without repeats, was {names}")
    for name in names:
        if name not in markets:
            raise ValueError(unknown(f"symbol of {venue}", name, markets))
        if not markets[name].active:
            raise ValueError(f"symbol must be traded on {venue}, was {name}, which is not now")
    return names


def largest(
    markets: Mapping[str, Listed],
    turnover: Mapping[str, float],
    n: int,
    quote: str = "",
    before: Sequence[str] = (),
) -> tuple[Symbol, ...]:
    """Return the symbols with the largest turnover of 24 hours.

    Parameters
    ----------
    markets : mapping
        By symbol.
    turnover : mapping of str to float
        Traded value in quote currency by symbol; a symbol without one comes last.
    n : int
        How many, at most.
    quote : str
        Quote currency; empty takes the first of `QUOTES` with enough markets.
    before : sequence of str
        Those of the last time: they stay, and in their places, while they are among the largest
        `LEEWAY` times `n`. A rank that changes by a hair would else cost all that was worked out.

    Returns
    -------
    tuple of str
        Those that stay, then the others, largest first.

    Raises
    ------
    ValueError
        If no traded market has that quote.
    """
    traded = [m for m in markets.values() if m.active and m.base not in PEGGED]
    wanted = quote.upper() or usual_quote(traded)
    found = [m.symbol for m in traded if m.quote == wanted]
    if not found:
        there = sorted({m.quote for m in traded})
        raise ValueError(unknown("quote", wanted, there))
    found.sort(key=lambda s: (-turnover.get(s, 0.0), s))
    near = set(found[: int(n * LEEWAY)])
    stay = [s for s in dict.fromkeys(before) if s in near][:n]
    return tuple((stay + [s for s in found if s not in set(stay)])[:n])


def usual_quote(markets: Iterable[Listed]) -> str:
    """Return the quote of `QUOTES` that a venue trades most naturally in."""
    counts: dict[str, int] = {}
    for market in markets:
        counts[market.quote] = counts.get(market.quote, 0) + 1
    for quote in QUOTES:
        if counts.get(quote, 0) >= LEAST_MARKETS:
            return quote
    return max(counts, key=lambda q: (counts[q], q), default=QUOTES[0])
