"""The nine detectors, in weight order."""

from typing import Final

from opportunity.detectors.base import Detection, Detector
from opportunity.detectors.elliott import Elliott
from opportunity.detectors.events import Event
from opportunity.detectors.fibonacci import Fibonacci
from opportunity.detectors.harmonic import Harmonic
from opportunity.detectors.news import News
from opportunity.detectors.price_action import PriceAction
from opportunity.detectors.sar import Sar
from opportunity.detectors.sentiment import Sentiment
from opportunity.detectors.smc import Smc
from opportunity.detectors.whales import Whales

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
