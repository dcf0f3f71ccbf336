"""Why a bar has its score: every number that went into it, ready to be shown or sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from opportunity.scoring.combination import HIGH_VOLATILITY, LOW_VOLATILITY

Direction = Literal["BEARISH", "NEUTRAL", "BULLISH"]
Advice = Literal["SELL", "HOLD", "BUY"]
Trend = Literal["DOWN", "RANGING", "UP"]
Volatility = Literal["LOW", "NORMAL", "HIGH"]

DIRECTIONS: Final[tuple[Direction, ...]] = ("BEARISH", "NEUTRAL", "BULLISH")
ADVICES: Final[tuple[Advice, ...]] = ("SELL", "HOLD", "BUY")
TRENDS: Final[tuple[Trend, ...]] = ("DOWN", "RANGING", "UP")


def direction_name(side: int) -> Direction:
    """Return the word for +1, 0 or -1."""
    return DIRECTIONS[side + 1]


def unit(score: float) -> float:
    """Map a signed number from [-1, 1] to [0, 1]; NaN stays NaN."""
    return (1.0 + score) / 2.0


def plain(value: Any) -> Any:
    """Return `value` as plain JSON values: NaN and infinities become None, records dicts."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


@dataclass(frozen=True, slots=True)
class Component:
    """One detector's part in a score; numbers are NaN where it is not available.

    Parameters
    ----------
    detector : str
        Name.
    available : bool
        False without data: the other weights then count for more.
    score : float
        What the detector said, [-1, 1].
    gated : float
        The same after the gate of the market's state, [-1, 1].
    confidence : float
        [0, 1].
    weight : float
        As set, >= 0.
    contribution : float
        Its share in `net`; the contributions added in this order are `net`.
    """

    detector: str
    available: bool
    score: float
    gated: float
    confidence: float
    weight: float
    contribution: float

    @property
    def direction(self) -> Direction:
        """Side of the detector itself."""
        return direction_name(0 if np.isnan(self.score) else int(np.sign(self.score)))


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of one bar of one stream, taken apart; NaN where nothing was available.

    Times are ms UTC; `volatility` is the rank of ATR14 in its own last 500 bars.
    """

    timeframe: str
    closed: int
    final: float
    net: float
    strength: float
    direction: Direction
    advice: Advice
    confidence: float
    disagreement: float
    coverage: float
    bull_mass: float
    bear_mass: float
    trend: Trend
    volatility: float
    flagged: bool
    components: tuple[Component, ...]

    @property
    def volatility_level(self) -> Volatility:
        """HIGH above a rank of 0.8, LOW below 0.2."""
        if self.volatility > HIGH_VOLATILITY:
            return "HIGH"
        return "LOW" if self.volatility < LOW_VOLATILITY else "NORMAL"

    def __str__(self) -> str:
        """Say it in words, the heaviest contribution first."""
        if np.isnan(self.net):
            return "No score: no detector is available."
        parts = sorted(
            (c for c in self.components if c.available), key=lambda c: -abs(c.contribution)
        )
        said = ", ".join(f"{c.detector} {c.contribution:+.3f}" for c in parts)
        absent = ", ".join(c.detector for c in self.components if not c.available)
        return (
            f"{self.direction} {self.final:.3f}, confidence {self.confidence:.2f}: "
            f"net {self.net:+.3f} = {said}" + (f"; not available: {absent}" if absent else "")
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, None where a number is undefined."""
        body = asdict(self)
        body["volatility_level"] = self.volatility_level
        for record, component in zip(body["components"], self.components, strict=True):
            record["direction"] = component.direction
        return dict(plain(body))
