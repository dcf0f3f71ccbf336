"""Surroundings made to order."""

from collections.abc import Sequence

import numpy as np

from opportunity.detectors.news_inputs import NewsItem
from opportunity.live.context import Context
from opportunity.live.surroundings import FLOW, N_HOURS, LargePrint, Surroundings, Told
from opportunity.market.observations import FearGreed

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 20_000 * DAY
SYMBOLS = ("BTC/USDT", "ETH/USDT")
NAN = float("nan")


def around(
    moods: Sequence[int] = (), fear_greed: float = NAN, change: float = NAN,
    symbols: Sequence[str] = SYMBOLS, flow: np.ndarray | None = None,
    prints: Sequence[LargePrint] = (), headlines: Sequence[Told] = (), problem: str = "",
) -> Surroundings:  # fmt: skip
    """Moods are of the days before `NOW`, the last known at it."""
    contexts = tuple(
        Context(s, "simulated", NOW, fear_greed=fear_greed, fear_greed_change=change, funding=0.5)
        for s in symbols
    )
    first = NOW - len(moods) * DAY
    days = tuple(
        FearGreed(first + i * DAY, first + (i + 1) * DAY, "test", v) for i, v in enumerate(moods)
    )
    hours = NOW - HOUR * np.arange(N_HOURS - 1, -1, -1, dtype=np.int64)
    empty = np.full((len(symbols), N_HOURS, len(FLOW)), np.nan)
    return Surroundings(
        "simulated", NOW, contexts, tuple(headlines), hours, empty if flow is None else flow,
        tuple(prints), days, problem,
    )  # fmt: skip


def told(title: str = "Bitcoin soars", tone: float = 0.5, impact: float = 0.6, *names: str) -> Told:
    """A headline that became known at `NOW`."""
    return Told(NewsItem(title, "Desk", tone, impact, 1.0, 0.4, 2, NOW, NOW - HOUR), names)
