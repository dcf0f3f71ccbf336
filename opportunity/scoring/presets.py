"""Named weight vectors that ship with the product; each sums to 1."""

from typing import Final

PRESETS: Final[dict[str, dict[str, float]]] = {
    "balanced": {
        "harmonic": 0.15, "elliott": 0.15, "smc": 0.20, "fibonacci": 0.10, "price_action": 0.15,
        "sar": 0.10, "sentiment": 0.10, "news": 0.03, "whales": 0.02,
    },
    "aggressive": {
        "harmonic": 0.12, "elliott": 0.12, "smc": 0.25, "fibonacci": 0.08, "price_action": 0.18,
        "sar": 0.12, "sentiment": 0.08, "news": 0.03, "whales": 0.02,
    },
    "conservative": {
        "harmonic": 0.18, "elliott": 0.18, "smc": 0.15, "fibonacci": 0.12, "price_action": 0.12,
        "sar": 0.08, "sentiment": 0.12, "news": 0.03, "whales": 0.02,
    },
}
"""The starting points; presets that people save live in storage, beside these."""

PROTECTED: Final = frozenset(PRESETS)
"""Presets that cannot be deleted or overwritten."""
