"""Wire models of the market: the newest price of a symbol, and its closed bars."""

from typing import Final

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Query, TimeframeName

MOST_BARS: Final = 1_000
LATEST: Final = 2**53
"""Times in a request lie before it, so that every client can hold them exactly."""


class Candle(Answer):
    """A bar."""

    timestamp: int = Field(description="opening time, ms UTC")
    open: float
    high: float
    low: float
    close: float
    volume: float = Field(description="base currency")


class PriceAnswer(Answer):
    """The newest price of a symbol, and its last 24 hours."""

    symbol: str
    id: str
    price: float
    change_24h: Number = Field(description="fraction of the price 24 h ago; null: not known")
    volume_24h: Number = Field(description="quote currency; null: not known")
    timestamp: int = Field(description="market time of the price, ms UTC")
    bar: Candle | None = Field(description="the unfinished bar; null before its first print")
    source: str


class OhlcvQuery(Query):
    """Which bars: the newest ones that had closed by `end`."""

    interval: TimeframeName = "1h"
    limit: int = Field(100, ge=1, le=MOST_BARS)
    end: int | None = Field(
        None, ge=0, lt=LATEST, description="closed by then, ms UTC; default: now"
    )


class OhlcvAnswer(Answer):
    """Closed bars, oldest first."""

    symbol: str
    id: str
    interval: TimeframeName
    data: list[Candle]
    next: int | None = Field(
        description="`end` of the page before this one; null: nothing is older"
    )
    source: str
