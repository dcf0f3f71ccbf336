"""How tables of results are printed: within the width there is, however many columns they have."""

import os
from collections.abc import Mapping
from typing import Any, Final

PIPED: Final = 200
"""Columns of a pipe that names none in COLUMNS: it has no width, so nothing is cut."""

SHORT: Final[dict[str, str]] = {
    "harmonic": "harm", "elliott": "ell", "fibonacci": "fib", "price_action": "price",
    "sentiment": "sent", "whales": "whale",
}
"""Of detectors whose names are long."""

SHARES: Final = frozenset({"total_return", "cagr", "volatility", "max_drawdown", "exposure",
                           "win_rate"})  # fmt: skip
LEAST: Final = 0.005
"""Weights below are not worded: they round to nothing."""


def console(width: int = PIPED) -> Any:
    """Return a console as wide as the terminal, as COLUMNS says, or `width` for a pipe."""
    from rich.console import Console

    made = Console()
    if not made.is_terminal and not os.environ.get("COLUMNS", "").isdecimal():
        made.width = width
    return made


def number(name: str, value: float | None) -> str:
    """Word a metric by its name."""
    if value is None or value != value:
        return "-"
    if name in SHARES:
        return percent(value)
    if name.endswith("_ms"):
        return f"{value / 3_600_000:,.1f} h"
    if name == "trades":
        return f"{round(value):,}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def percent(value: float) -> str:
    """Word a fraction; nothing has no sign."""
    return f"{value:.2%}".replace("-0.00%", "0.00%")


def trials(n: int) -> str:
    """Word how often this data was asked."""
    return f"{n:,} {'trial' if n == 1 else 'trials'} on this data so far"


def short_weights(weights: Mapping[str, float]) -> str:
    """Word weights for people, largest first, e.g. ``smc .30 sar .10``."""
    shown = sorted(((w, name) for name, w in weights.items() if w >= LEAST), key=lambda p: -p[0])
    return " ".join(
        f"{SHORT.get(name, name)} {f'{w:.2f}'.removeprefix('0')}" for w, name in shown
    )
