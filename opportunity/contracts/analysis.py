"""Wire model of everything that is known of a symbol, in one answer."""

from typing import Final

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Query, Signed, TimeframeName, Unit
from opportunity.contracts.market import Candle
from opportunity.contracts.mood import SentimentAnswer, WhalesAnswer
from opportunity.contracts.news import HeadlineItem
from opportunity.contracts.portfolio import PositionItem
from opportunity.contracts.scanner import ScanItem

MOST_ANALYSED: Final = 500


class AnalysisQuery(Query):
    """Which chart, and how much of it."""

    timeframe: TimeframeName = "1h"
    bars: int = Field(50, ge=1, le=MOST_ANALYSED)


class ScoredCandle(Candle):
    """A closed bar with the score that it had under the shared weights."""

    final_score: Unit
    net: Signed
    confidence: Unit


class ChartEvent(Answer):
    """What a detector saw on the chart."""

    id: str
    detector: str
    kind: str
    text: str
    direction: int = Field(ge=-1, le=1)
    state: str
    time: int = Field(description="open of the bar at whose close it became known, ms UTC")
    quality: Unit
    points: list[tuple[int, Number, str]] = Field(description="time in ms UTC, price, label")
    zone: tuple[Number, Number] | None = Field(description="top and bottom price")


class AnalysisRisk(Answer):
    """How the paper account stands to the symbol."""

    can_trade: bool
    why_not: str
    position: PositionItem | None


class AnalysisAnswer(Answer):
    """A symbol: price, chart, score, events, mood, flow, headlines and what is held of it."""

    symbol: str
    id: str
    timeframe: TimeframeName
    timestamp: int = Field(description="market time, ms UTC")
    price: Number
    change_24h: Number
    volume_24h: Number
    atr: Number = Field(description="ATR14 of the timeframe; null where it is not scored live")
    signal: ScanItem | None = Field(description="over all timeframes; null: nothing scored")
    stopped_by: list[str] = Field(description="shared rules that keep it from being ranked")
    candles: list[ScoredCandle] = Field(description="closed bars, oldest first")
    events: list[ChartEvent] = Field(description="within these bars, newest first, at most 100")
    sentiment: SentimentAnswer
    whales: WhalesAnswer
    news: list[HeadlineItem] = Field(description="newest first, at most 5")
    risk: AnalysisRisk | None = Field(description="null before the paper account is open")
    source: str
