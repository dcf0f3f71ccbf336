"""Wire models of lists of signals: those that stand now, and those of past decision closes."""

from typing import Final, Literal

from pydantic import Field

from opportunity.contracts.base import (
    Answer,
    Direction,
    Fraction,
    Query,
    RiskLevel,
    SymbolText,
    TimeframeName,
    Unit,
)
from opportunity.contracts.journal import MOST_DECISIONS, ActionName
from opportunity.contracts.market import LATEST

MOST_SIGNALS: Final = 2_000


class LiveQuery(Query):
    """Which signals; neutral ones only when asked for."""

    direction: Literal["BULLISH", "BEARISH"] | None = None
    min_confidence: Fraction = 0.0
    exclude_neutral: bool = True
    limit: int = Field(100, ge=1, le=MOST_SIGNALS)


class LiveSignal(Answer):
    """The newest judgement of a symbol, as the stream gives it."""

    symbol: str
    id: str
    direction: Direction
    confidence: Unit
    score: Unit = Field(description="0.5 is neutral")
    risk_level: RiskLevel
    success: Unit = Field(description="calibrated probability of the direction; null: not known")
    timeframes: dict[TimeframeName, Unit] = Field(description="score by timeframe")
    trust: Unit = Field(description="trust in the data; below 1 it lowers `confidence`")
    trust_note: str = Field(description="why `trust` is below 1; else ''")
    ts: int = Field(description="market time of the judgement, ms UTC")


class LiveSignals(Answer):
    """Signals that stand now, strength by confidence, the strongest first."""

    enabled: bool = Field(description="false: the agent is off, and these are of before")
    signals: list[LiveSignal]
    count: int = Field(description="signals in this answer")
    total: int = Field(description="signals that were asked for; `limit` of them are here")
    timestamp: int | None = Field(description="market time of the newest one; null: there is none")
    source: str


class HistoryQuery(Query):
    """Which past signals, and how many."""

    symbol: SymbolText | None = None
    since: int = Field(0, ge=0, lt=LATEST, description="from then on, ms UTC")
    until: int | None = Field(None, ge=0, lt=LATEST, description="before that, ms UTC")
    limit: int = Field(100, ge=1, le=MOST_DECISIONS)
    after: int | None = Field(None, ge=0, lt=LATEST, description="`next` of the page before")


class PastSignal(Answer):
    """What was signalled at a decision close."""

    symbol: str
    id: str
    direction: Literal["BULLISH", "BEARISH"]
    confidence: Unit
    score: Unit
    risk_level: RiskLevel | Literal["UNKNOWN"]
    success: Unit = Field(description="as it was stated then; null: not known")
    timeframe: TimeframeName = Field(description="of the decision")
    price: float
    ts: int = Field(description="the decision close, ms UTC")
    action: ActionName = Field(description="what the paper account made of it")
    decision: int = Field(description="its `id` in /api/decisions, which says why")


class SignalHistory(Answer):
    """Past signals, newest first."""

    signals: list[PastSignal]
    count: int
    next: int | None = Field(description="`after` of the next page; null: these are the last")
    source: str
