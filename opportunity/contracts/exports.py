"""Wire models of exports: what can be downloaded, and rows that are flat."""

from typing import Final, Literal, get_args

from pydantic import Field

from opportunity.contracts.base import (
    Answer,
    Direction,
    Number,
    Query,
    RiskLevel,
    Signed,
    SymbolText,
    Unit,
)
from opportunity.contracts.journal import BarrierName
from opportunity.contracts.market import LATEST
from opportunity.contracts.portfolio import FillItem, OrderItem, TradeItem

What = Literal[
    "signals", "scanner", "trades", "fills", "orders", "equity", "decisions", "journal"
]
WHATS: Final[tuple[What, ...]] = get_args(What)
MOST_ROWS: Final = 100_000


class ExportPath(Query):
    """Of what."""

    what: What


class ExportQuery(Query):
    """How, and which rows; `since` and `until` do not apply to signals and scanner."""

    format: Literal["csv", "json", "parquet"] = "csv"
    symbol: SymbolText | None = Field(None, description="not for equity")
    since: int = Field(0, ge=0, lt=LATEST, description="from then on, market time, ms UTC")
    until: int | None = Field(None, ge=0, lt=LATEST, description="before that, ms UTC")
    limit: int = Field(10_000, ge=1, le=MOST_ROWS, description="newest rows at most")


class SignalRow(Answer):
    """A signal that stands now."""

    symbol: str
    id: str
    direction: Direction
    confidence: Unit
    score: Unit
    risk_level: RiskLevel
    success: Unit
    trust: Unit
    trust_note: str
    ts: int
    source: str


class ScannerRow(Answer):
    """A row of the ranking under the shared weights and rules."""

    rank: int
    symbol: str
    id: str
    price: Number
    change_24h: Number
    volume_24h: Number
    direction: Direction
    final_score: Unit
    confidence: Unit
    consensus_strength: Unit
    advice: str
    risk: Unit
    risk_level: RiskLevel
    success: Unit
    entry: Number
    stop: Number
    target_1: Number
    target_2: Number
    target_3: Number
    patterns: str
    trust: Unit
    scanned_at: int
    source: str


class TradeRow(TradeItem):
    """A trade that ended."""

    source: str


class FillRow(FillItem):
    """A fill."""

    source: str


class OrderRow(OrderItem):
    """An order."""

    source: str


class EquityRow(Answer):
    """A point of the equity curve."""

    time: int
    equity: float
    cash: float
    gross: float
    drawdown: float
    source: str


class DecisionRow(Answer):
    """A decision without its outcomes."""

    id: int
    time: int
    symbol: str
    timeframe: str
    side: Literal["BULLISH", "BEARISH"]
    action: str
    stopped_by: str
    why: str
    score: Unit
    net: Signed
    confidence: Unit
    consensus: Unit
    disagreement: Unit
    trust: Unit
    success: Unit
    risk_level: str
    price: float
    atr: Number
    order: int | None
    order_status: str | None
    source: str


class JournalRow(Answer):
    """What became of a decision at one horizon."""

    decision: int
    time: int
    symbol: str
    side: Literal["BULLISH", "BEARISH"]
    action: str
    score: Unit
    confidence: Unit
    success: Unit
    horizon: int
    known: int
    barrier: BarrierName
    right: bool | None
    r: Number
    move: Number
    move_atr: Number
    best: Number
    worst: Number
    source: str
