"""What goes over the wire: pydantic models, and the names that every layer agrees on."""

from typing import Final

DETECTOR_NAMES: Final[tuple[str, ...]] = (
    "harmonic",
    "elliott",
    "smc",
    "fibonacci",
    "price_action",
    "sar",
    "sentiment",
    "news",
    "whales",
)
"""The nine detectors in weight order; a test holds this equal to `detectors.DETECTORS`."""
