"""Wire models of the data itself: how far each stream's bars can be trusted, and why."""

from typing import Annotated

from pydantic import Field

from opportunity.contracts.base import Answer, Query, SymbolText, TimeframeName, Unit

MOST_STREAMS = 1_000


class TrustQuery(Query):
    """Whose trust; all streams unless said otherwise."""

    symbol: SymbolText | None = None
    timeframe: TimeframeName | None = None
    limit: int = Field(100, ge=1, le=MOST_STREAMS)


class StreamTrust(Answer):
    """The trust in the bars of one stream."""

    symbol: str
    id: str
    timeframe: TimeframeName
    trust: Unit = Field(description="product of the factors; the confidence is multiplied by it")
    factors: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        description="each in [0, 1], 1: nothing wrong"
    )
    note: str = Field(description="what is wrong, in one line; else ''")
    bar_close: int | None = Field(description="close time of the newest bar, ms UTC")


class TrustResponse(Answer):
    """The trust in the market's data, and that of single streams."""

    ts: int = Field(description="market time of the answer, ms UTC")
    min_trust: Unit = Field(description="symbols below it are not ranked")
    lowest: Unit = Field(description="of the symbols that scored")
    median: Unit
    vetoed: int = Field(description="symbols that scored and lack trust")
    symbols: int = Field(description="symbols that scored")
    streams: list[StreamTrust] = Field(description="least trusted first")
    total: int = Field(description="streams asked about; the answer holds `limit` of them")
    source: str
