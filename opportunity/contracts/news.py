"""Wire models of the headlines about a symbol."""

from pydantic import Field

from opportunity.contracts.base import Answer, Query, SymbolText

MOST_HEADLINES = 100


class NewsQuery(Query):
    """Whose headlines, and how many."""

    symbol: SymbolText
    limit: int = Field(20, ge=1, le=MOST_HEADLINES)


class HeadlineItem(Answer):
    """A headline as it counts for one symbol."""

    title: str = Field(description="as its publisher wrote it: text, never markup")
    publisher: str
    tone: float = Field(ge=-1, le=1)
    impact: float = Field(ge=0, le=1)
    link: float = Field(ge=0, le=1, description="1 names the coin, 0.4 is about the market")
    trust: float = Field(ge=0, le=1, description="weight of the publisher")
    n_publishers: int = Field(ge=1, description="who had told it by now")
    known_at: int = Field(description="when it became known, ms UTC")
    event_time: int = Field(description="when its publisher says it was written, ms UTC")


class NewsResponse(Answer):
    """Headlines of the last four days, newest first."""

    symbol: str
    id: str
    ts: int = Field(description="market time of the answer, ms UTC")
    headlines: list[HeadlineItem]
    source: str
