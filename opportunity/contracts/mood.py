"""Wire models of what is known besides bars: the market's mood, and what large traders do."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Signed, Unit

Mood = Literal["extreme fear", "fear", "neutral", "greed", "extreme greed"]
Trend = Literal["rising", "steady", "falling"]


class SentimentOverview(Answer):
    """The mood of the market as a whole; null where nothing is known."""

    overall_score: Unit = Field(
        description="mean over the symbols of what the sentiment detector says, 0.5 is neutral"
    )
    sentiment: Mood | None = Field(description="class of `fear_greed`")
    confidence: Unit = Field(description="of the sentiment detector, mean over the same symbols")
    fear_greed: Number = Field(description="Fear & Greed, 0 to 100")
    fear_greed_change: Number = Field(description="points in seven days")
    trend: Trend | None = Field(description="by `fear_greed_change`; steady within 5 points")
    news_sentiment: Unit = Field(
        description="mean over the symbols of what the news detector says, 0.5 is neutral"
    )
    symbols: int = Field(description="symbols that `overall_score` is made of")
    timestamp: int = Field(description="market time, ms UTC")
    source: str


class SentimentAnswer(Answer):
    """The mood about a symbol; null where nothing is known."""

    symbol: str
    id: str
    score: Unit = Field(description="what the sentiment detector says, 0.5 is neutral")
    fear_greed: Number = Field(description="of the whole market, 0 to 100")
    fear_greed_change: Number = Field(description="points in seven days")
    mood: Mood | None = Field(description="class of `fear_greed`")
    funding: Signed = Field(description="rank of the funding rate in its own last 90 days")
    open_interest: Number = Field(description="standard deviations from usual")
    long_short: Number = Field(description="standard deviations from usual")
    news_score: Unit = Field(description="what the news detector says, 0.5 is neutral")
    timestamp: int = Field(description="market time, ms UTC")
    source: str


class WhalesAnswer(Answer):
    """What takers did in the last 24 hours, base currency; null where nothing is known."""

    symbol: str
    id: str
    score: Unit = Field(description="what the whales detector says, 0.5 is neutral")
    bought: Number
    sold: Number
    large_bought: Number = Field(description="prints above the 99th percentile")
    large_sold: Number
    large_net: Number = Field(description="`large_bought` less `large_sold`")
    large_share: Unit = Field(description="of large prints in all that was traded")
    vpin: Unit = Field(description="how one-sided volume is")
    imbalance: Signed = Field(
        description="of the book near the price, median of the last day's minutes; + more bids"
    )
    timestamp: int = Field(description="market time, ms UTC")
    source: str
