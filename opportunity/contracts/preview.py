"""Wire models of a preview: what the unfinished bar of a stream would score if it closed now."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Direction, Number, Query, Signed, TimeframeName, Unit
from opportunity.contracts.scanner import Component


class PreviewQuery(Query):
    """Which stream of the symbol."""

    timeframe: TimeframeName = "1h"


class PreviewResponse(Answer):
    """A look ahead: it changes with every print, and no signal, rank or record comes of it."""

    preview: Literal[True] = True
    symbol: str
    id: str
    timeframe: TimeframeName
    bar_open: int = Field(description="opening time of the unfinished bar, ms UTC")
    bar_close: int = Field(description="when it will close, ms UTC")
    price: Number
    final_score: Unit
    net: Signed
    direction: Direction
    confidence: Unit
    disagreement: Unit
    coverage: Unit
    trend: Literal["UP", "RANGING", "DOWN"]
    volatility: Unit = Field(description="rank of the ATR in its own last 500 bars")
    components: list[Component]
    source: str
