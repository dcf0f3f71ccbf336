"""Why a bar has its score: every number that went into it, ready to be shown or sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np

from opportunity.detectors.sightings import Sighting, Sightings
from opportunity.scoring.combination import HIGH_VOLATILITY, LOW_VOLATILITY
from opportunity.scoring.trust import MIN_TRUST
from opportunity.scoring.wording import headline, markup, text

Direction = Literal["BEARISH", "NEUTRAL", "BULLISH"]
Advice = Literal["SELL", "HOLD", "BUY"]
Trend = Literal["DOWN", "RANGING", "UP"]
Volatility = Literal["LOW", "NORMAL", "HIGH"]

DIRECTIONS: Final[tuple[Direction, ...]] = ("BEARISH", "NEUTRAL", "BULLISH")
ADVICES: Final[tuple[Advice, ...]] = ("SELL", "HOLD", "BUY")
TRENDS: Final[tuple[Trend, ...]] = ("DOWN", "RANGING", "UP")

NO_DATA: Final = "no data"
WARMING_UP: Final = "100 bars are needed"
"""Why a detector is not available."""


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
    gate : float
        What the state of the market multiplied the score with, before the cut to [-1, 1].
    reason : str
        Why it is not available; empty when it is.
    sightings : tuple of Sighting
        What it sees on the side of its score, strongest first; empty where nobody looked.
    remark : str
        What it goes by, where it sees no one thing; empty where that is not known.
    """

    detector: str
    available: bool
    score: float
    gated: float
    confidence: float
    weight: float
    contribution: float
    gate: float = float("nan")
    reason: str = ""
    sightings: tuple[Sighting, ...] = ()
    remark: str = ""

    @property
    def direction(self) -> Direction:
        """Side of the detector itself."""
        return direction_name(0 if np.isnan(self.score) else int(np.sign(self.score)))


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of one bar of one stream, taken apart; NaN where nothing was available.

    Times are ms UTC; `volatility` is the rank of ATR14 in its own last 500 bars. `price` and
    `atr` are in quote currency, `rsi` in [0, 100]; they and the sightings of the components are
    there when bars were at hand (`opportunity.explain`, `Scores.explain`), else NaN and empty.
    `success` is the calibrated probability that the direction is right, NaN where not known.
    `trust` says how far the bars can be trusted, [0, 1]; `confidence` is lowered by it already,
    and `trust_note` says why it is below 1.
    `str` gives the reasons in words and a table, a notebook shows the same as HTML.
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
    symbol: str = ""
    price: float = float("nan")
    atr: float = float("nan")
    rsi: float = float("nan")
    success: float = float("nan")
    trust: float = 1.0
    trust_note: str = ""

    @property
    def volatility_level(self) -> Volatility:
        """HIGH above a rank of 0.8, LOW below 0.2."""
        if self.volatility > HIGH_VOLATILITY:
            return "HIGH"
        return "LOW" if self.volatility < LOW_VOLATILITY else "NORMAL"

    @property
    def headline(self) -> str:
        """The reasons in one paragraph, the heaviest contribution first."""
        return headline(self)

    def __str__(self) -> str:
        """Say it in words, then in a table."""
        return text(self)

    def _repr_html_(self) -> str:
        return markup(self)

    def told(
        self, seen: Sightings, remarks: Mapping[str, str] = MappingProxyType({})
    ) -> "Explanation":
        """Return the same with what each detector sees on the side of its score, or goes by."""
        parts = tuple(
            replace(
                c, sightings=seen.get((c.detector, int(np.sign(c.score))), ()),
                remark=remarks.get(c.detector, ""),
            )
            if c.available else c
            for c in self.components
        )
        return replace(self, components=parts)

    def trusted(self, trust: float, note: str) -> "Explanation":
        """Return the same with the trust in its bars; `confidence` must be lowered already.

        Too little trust makes HOLD of any advice: nobody shall act on such bars.
        """
        advice: Advice = self.advice if trust >= MIN_TRUST else "HOLD"
        return replace(self, trust=trust, trust_note=note if trust < 1 else "", advice=advice)

    def because(self, reason: str) -> "Explanation":
        """Return the same with a reason for every detector that is not available."""
        parts = tuple(
            replace(c, reason=reason) if c.reason == NO_DATA else c for c in self.components
        )
        return replace(self, components=parts)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, None where a number is undefined."""
        body = asdict(self)
        body["volatility_level"] = self.volatility_level
        body |= {"headline": self.headline, "symbol": self.symbol or None}
        for record, component in zip(body["components"], self.components, strict=True):
            record["direction"] = component.direction
        return dict(plain(body))
