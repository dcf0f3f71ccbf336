"""What is known besides bars: the market's mood, and what large traders do."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import warming
from app.api.symbols import watched
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.mood import (
    Mood,
    SentimentAnswer,
    SentimentOverview,
    Trend,
    WhalesAnswer,
)
from opportunity.contracts.paths import SymbolPath
from opportunity.live.context import Context
from opportunity.market.symbols import compact
from opportunity.strategy import Evaluation

STEADY = 5.0
"""Points of Fear & Greed in seven days below which the mood is steady."""


async def known_of(services: Services, symbol: str, most: int = 0) -> tuple[Evaluation, Context]:
    """Return the newest ranking, and what is known of a symbol; 503 before there is any."""
    found, known = services.evaluation(), await services.context(symbol, most)
    if found is None or known is None:
        raise warming()
    return found, known


def sentiment_of(found: Evaluation, known: Context) -> SentimentAnswer:
    """Return the mood about a symbol as it travels."""
    return SentimentAnswer(
        symbol=known.symbol, id=compact(known.symbol),
        score=_says(found, known.symbol, "sentiment"), fear_greed=known.fear_greed,
        fear_greed_change=known.fear_greed_change, mood=_mood(known), funding=known.funding,
        open_interest=known.open_interest, long_short=known.long_short,
        news_score=_says(found, known.symbol, "news"), timestamp=known.time, source=known.source,
    )  # fmt: skip


def whales_of(found: Evaluation, known: Context) -> WhalesAnswer:
    """Return what large traders did as it travels."""
    traded, large = known.bought + known.sold, known.large_bought + known.large_sold
    return WhalesAnswer(
        symbol=known.symbol, id=compact(known.symbol),
        score=_says(found, known.symbol, "whales"), bought=known.bought, sold=known.sold,
        large_bought=known.large_bought, large_sold=known.large_sold,
        large_net=known.large_bought - known.large_sold,
        large_share=large / traded if traded > 0 else None, vpin=known.vpin,
        imbalance=known.imbalance, timestamp=known.time, source=known.source,
    )  # fmt: skip


class OverviewHandler(BaseHandler):
    """The mood of the market."""

    @operation(Role.VIEWER, answer=SentimentOverview)
    async def get(self) -> None:
        """Return Fear & Greed and what the detectors of mood and news say of all symbols."""
        services = self.services
        if not services.symbols:
            raise warming()
        found, known = await known_of(services, services.symbols[0])
        mood, sure = _together(found, "sentiment")
        self.send(SentimentOverview(
            overall_score=_mean(mood), sentiment=_mood(known), confidence=_mean(sure),
            fear_greed=known.fear_greed, fear_greed_change=known.fear_greed_change,
            trend=_trend(known.fear_greed_change),
            news_sentiment=_mean(_together(found, "news")[0]), symbols=len(mood),
            timestamp=known.time, source=known.source,
        ))  # fmt: skip


class SentimentHandler(BaseHandler):
    """The mood about a symbol."""

    @operation(
        Role.VIEWER, answer=SentimentAnswer, path=SymbolPath
    )
    async def get(self, symbol: str) -> None:
        """Return Fear & Greed, funding, positions, and what the detectors make of them."""
        name = watched(self.places(SymbolPath).symbol, self.services.symbols)
        self.send(sentiment_of(*await known_of(self.services, name)))


class WhalesHandler(BaseHandler):
    """What large traders do."""

    @operation(Role.VIEWER, answer=WhalesAnswer, path=SymbolPath)
    async def get(self, symbol: str) -> None:
        """Return what takers bought and sold in the last 24 hours, and the large prints of it."""
        name = watched(self.places(SymbolPath).symbol, self.services.symbols)
        self.send(whales_of(*await known_of(self.services, name)))


def _says(found: Evaluation, symbol: str, detector: str) -> float | None:
    names = found.snapshot.symbols
    if symbol not in names:
        return None
    said = found.consensus.components[names.index(symbol), DETECTOR_NAMES.index(detector)]
    return float((1.0 + said) / 2.0)


def _mood(known: Context) -> Mood | None:
    return cast(Mood, known.mood) if known.mood else None


def _trend(change: float) -> Trend | None:
    if change != change:
        return None
    return "steady" if abs(change) < STEADY else "rising" if change > 0 else "falling"


def _together(found: Evaluation, detector: str) -> tuple[list[float], list[float]]:
    """Return what a detector says of each symbol, in [0, 1], and how sure it is."""
    column = DETECTOR_NAMES.index(detector)
    said = found.consensus.components[:, column]
    scored = np.isfinite(said)
    sure = found.snapshot.confidences[scored, :, column]
    rows = [float(np.nanmean(row)) for row in sure if np.isfinite(row).any()]
    return ((1.0 + said[scored]) / 2.0).tolist(), rows


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


routes = [
    ("/api/sentiment", OverviewHandler),
    ("/api/sentiment/{symbol}", SentimentHandler),
    ("/api/whales/{symbol}", WhalesHandler),
]
