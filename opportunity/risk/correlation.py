"""Whether a new position would only repeat what is held already."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opportunity.errors import CoverageError
from opportunity.market.bars import Bars
from opportunity.risk.covariance import correlations, sample_covariance
from opportunity.risk.returns import returns_of

Side = int


@dataclass(frozen=True, slots=True)
class Pair:
    """A position held beside the new one.

    Parameters
    ----------
    symbol : str
    side : int
        1 long, -1 short.
    correlation : float
        Of the two assets' returns, [-1, 1]; NaN where unknown.
    together : float
        Of the two positions' P&L: the same with the sides, so that a hedge is below 0.
    note : str
        Why it is unknown; empty otherwise.
    """

    symbol: str
    side: Side
    correlation: float
    together: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class CorrelationCheck:
    """What the limit says about a new position.

    Parameters
    ----------
    allowed : bool or None
        None where nothing known is above the limit and something is unknown.
    highest : float
        Highest `together`; 0 when nothing is held, NaN when nothing is known.
    limit : float
    pairs : tuple of Pair
        All of them, most alike first.
    """

    allowed: bool | None
    highest: float
    limit: float
    pairs: tuple[Pair, ...]

    @property
    def above(self) -> tuple[Pair, ...]:
        """The pairs above the limit."""
        return tuple(pair for pair in self.pairs if pair.together > self.limit)

    @property
    def reason(self) -> str:
        """The outcome in one line."""
        if self.above:
            most = self.above[0]
            return (
                f"correlation with {most.symbol} must be at most {self.limit:g}, "
                f"was {most.together:.2f}"
            )
        if self.allowed is None:
            unknown = [pair.symbol for pair in self.pairs if math.isnan(pair.together)]
            return f"correlation is not known with {', '.join(unknown)}"
        if not self.pairs:
            return "nothing else is held"
        return f"highest correlation is {self.highest:.2f}, at most {self.limit:g} is allowed"


def check_correlation(
    new: tuple[str, Side],
    existing: Sequence[tuple[str, Side]],
    bars: Mapping[str, Bars],
    limit: float,
) -> CorrelationCheck:
    """Hold a new position against those that are held.

    Parameters
    ----------
    new : tuple of str and int
        Symbol and side.
    existing : sequence of tuples
        The same of each position held.
    bars : mapping
        By symbol; each pair is joined by itself, so a young market shortens only its own rows.
    limit : float
        Highest correlation of two positions' P&L, [0, 1].
    """
    pairs = [_pair(new, other, bars) for other in existing]
    pairs.sort(key=lambda p: (math.isnan(p.together), -p.together, p.symbol))
    known = [pair.together for pair in pairs if not math.isnan(pair.together)]
    highest = max(known) if known else 0.0 if not pairs else math.nan
    allowed: bool | None = not any(value > limit for value in known)
    if allowed and len(known) < len(pairs):
        allowed = None
    return CorrelationCheck(allowed, highest, limit, tuple(pairs))


def _pair(new: tuple[str, Side], other: tuple[str, Side], bars: Mapping[str, Bars]) -> Pair:
    symbol, side = other
    found, note = 1.0, ""
    if symbol != new[0]:
        found, note = _correlation(new[0], symbol, bars)
    return Pair(symbol, side, found, found * side * new[1], note)


def _correlation(one: str, other: str, bars: Mapping[str, Bars]) -> tuple[float, str]:
    for symbol in (one, other):
        if symbol not in bars:
            return math.nan, f"{symbol} has no bars"
    try:
        values = returns_of([bars[one], bars[other]]).values
        found = float(correlations(sample_covariance(values))[0, 1])
    except (CoverageError, ValueError) as error:
        return math.nan, str(error)
    return found, "" if math.isfinite(found) else "one of them never moved"
