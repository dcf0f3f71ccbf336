"""The nine detectors, in weight order."""

from typing import Final

from opportunity.detectors.base import Detection, Detector
from opportunity.detectors.events import Event
from opportunity.detectors.fibonacci import Fibonacci
from opportunity.detectors.pending import Elliott, Harmonic, News, Sentiment, Smc, Whales
from opportunity.detectors.price_action import PriceAction
from opportunity.detectors.sar import Sar

DETECTORS: Final[tuple[type[Detector], ...]] = (
    Harmonic,
    Elliott,
    Smc,
    Fibonacci,
    PriceAction,
    Sar,
    Sentiment,
    News,
    Whales,
)
"""In the order of `contracts.DETECTOR_NAMES`."""

__all__ = [
    "DETECTORS",
    "Detection",
    "Detector",
    "Elliott",
    "Event",
    "Fibonacci",
    "Harmonic",
    "News",
    "PriceAction",
    "Sar",
    "Sentiment",
    "Smc",
    "Whales",
]
