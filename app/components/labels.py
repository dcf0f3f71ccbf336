"""Names of the detectors as people read them, and one line on what each looks at."""

from typing import Final

LABELS: Final[dict[str, str]] = {
    "harmonic": "Harmonic",
    "elliott": "Elliott",
    "smc": "SMC",
    "fibonacci": "Fibonacci",
    "price_action": "Price action",
    "sar": "SAR",
    "sentiment": "Sentiment",
    "news": "News",
    "whales": "Whales",
}

HINTS: Final[dict[str, str]] = {
    "harmonic": "Harmonic patterns: Gartley, Bat, Butterfly, Crab and kin",
    "elliott": "Elliott wave counts with their weights",
    "smc": "Smart-money concepts: structure breaks, order blocks, fair value gaps",
    "fibonacci": "Reactions at retracements and extensions of recent legs",
    "price_action": "Candle patterns in context, breakouts, support and resistance",
    "sar": "Wilder's parabolic stop, weighed by ADX",
    "sentiment": "Fear & Greed, funding, social tone",
    "news": "Headlines and their tone",
    "whales": "Large prints and order-flow imbalance",
}

BADGES: Final[dict[str, str]] = {
    "bounce": "Fib bounce",
    "extension": "Fib extension",
    "cluster": "Fib cluster",
    "head_shoulders": "Head & shoulders",
    "double": "Double top/bottom",
    "soldiers": "Three bars",
    "failed_breakout": "Failed breakout",
    "level": "At a level",
}
"""What a kind of event is called beside a symbol, where its name does not read well."""

UNTOLD: Final = frozenset({"leg", "levels", "targets"})
"""Kinds that only carry lines for the chart and are no news."""


def badge(kind: str) -> str:
    """Return the words for a kind of event: ``inside_bar`` becomes ``Inside bar``."""
    words = kind.replace("_", " ")
    return BADGES.get(kind) or words[:1].upper() + words[1:]
