"""Wire models of the paper account: what it holds, did and earned, and commands by hand."""

from typing import Any, Final, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Body, Number, Query, SymbolText

MOST_PAGE: Final = 1_000
Side = Literal["LONG", "SHORT"]
State = Literal["CLOSED", "OPEN", "HALF_OPEN"]


class PositionItem(Answer):
    """A position; money in quote currency."""

    symbol: str
    id: str
    side: Side
    quantity: float
    entry: Number
    mark: Number
    stop: Number = Field(description="null: none")
    targets: list[Number]
    targets_reached: int
    notional: Number
    pnl: Number = Field(description="unrealised, after the fees paid so far")
    pnl_r: Number = Field(description="the same by what was at risk at the entry; null: no stop")
    opened: int = Field(description="feed time, ms UTC")
    bars: int = Field(description="decision bars held")
    score: Number
    confidence: Number
    leaving: str = Field(description="why it is left at its next open; '': it is not")


class OrderItem(Answer):
    """An order; `side` is that of the fill."""

    number: int
    time: int
    symbol: str
    id: str
    side: Literal["BUY", "SELL"]
    reason: str
    status: str = Field(description="placed, filled, expired, or what refused it")
    limit: Number = Field(description="null: at the market")
    size_by: str = Field("", description="the bound that held its size; '' for none")


class FillItem(Answer):
    """A fill."""

    number: int
    time: int
    symbol: str
    id: str
    side: Literal["BUY", "SELL"]
    reason: str
    quantity: float
    reference: Number = Field(description="the price without slippage and spread")
    price: Number
    fee: Number
    slippage: Number
    trade: int


class TradeItem(Answer):
    """A trade that ended."""

    number: int
    symbol: str
    id: str
    side: Side
    opened: int
    closed: int
    entry: Number
    exit: Number
    quantity: float
    pnl: Number = Field(description="after fees, slippage and funding")
    fees: Number
    slippage: Number
    funding: Number
    r: Number
    mae: Number
    mfe: Number
    bars: int
    reason: str
    score: Number
    confidence: Number


class BreakerItem(Answer):
    """A breaker; what is not CLOSED holds entries back."""

    name: str
    state: State
    until: int | None = Field(description="feed time at which it is asked again; null: open end")
    tripped: int | None = Field(description="feed time of the newest trip; null: never")
    n_trips: int
    text: str


class PortfolioAnswer(Answer):
    """The paper account as it was committed last; nothing of it is real money."""

    paper: Literal[True] = True
    book: str
    epoch: int
    time: int = Field(description="feed time up to which bars are worked in, ms UTC")
    source: str
    begun: int
    start_cash: float
    cash: Number
    equity: Number
    peak: Number
    drawdown: Number = Field(description="fraction of the peak")
    day_pnl: Number = Field(description="since midnight UTC")
    day_pnl_pct: Number = Field(description="the same as a fraction")
    exposure: Number = Field(description="net notional by equity")
    gross: Number
    leverage: Number
    fees: Number
    slippage: Number
    funding: Number
    n_trades: int
    wins: int
    losses_in_row: int
    positions: list[PositionItem]
    waiting: list[OrderItem]
    breakers: list[BreakerItem]
    can_trade: bool
    why_not: str
    storage: str = Field(description="'ok', or why nothing can be stored now")


class PositionsAnswer(Answer):
    """What is held."""

    paper: Literal[True] = True
    positions: list[PositionItem]
    time: int
    source: str


class PageQuery(Query):
    """Which page: newest first, `after` is the `next` of the page before."""

    limit: int = Field(100, ge=1, le=MOST_PAGE)
    after: int | None = Field(None, ge=0, lt=2**53)
    symbol: SymbolText | None = None


class OrdersAnswer(Answer):
    """Orders, newest first."""

    paper: Literal[True] = True
    orders: list[OrderItem]
    next: int | None
    source: str


class FillsAnswer(Answer):
    """Fills, newest first."""

    paper: Literal[True] = True
    fills: list[FillItem]
    next: int | None
    source: str


class TradesAnswer(Answer):
    """Trades that ended, newest first."""

    paper: Literal[True] = True
    trades: list[TradeItem]
    next: int | None
    source: str


class EquityQuery(Query):
    """Which part of the curve, thinned to at most so many points."""

    since: int = Field(0, ge=0, lt=2**53)
    until: int | None = Field(None, ge=0, lt=2**53)
    most: int = Field(1_000, ge=2, le=10_000)


class EquityAnswer(Answer):
    """The curve, oldest first; lists of one length."""

    paper: Literal[True] = True
    time: list[int]
    equity: list[Number]
    cash: list[Number]
    gross: list[Number]
    drawdown: list[Number]
    source: str


class SymbolLine(Answer):
    """What the trades of one symbol came to."""

    symbol: str
    trades: int
    wins: int
    pnl: float


class PerformanceAnswer(Answer):
    """What the account earned; ratios are null while trades are too few to say."""

    paper: Literal[True] = True
    since: int = Field(description="feed time at which the account began")
    realised: float = Field(description="of trades that ended, after all costs")
    unrealised: float = Field(description="of what is held")
    fees: float
    slippage: float
    funding: float
    trades: int
    wins: int
    enough: bool = Field(description="false: too few trades for the ratios")
    least_trades: int
    win_rate: Number
    profit_factor: Number
    expectancy: Number = Field(description="mean of a trade, quote currency")
    mean_r: Number
    by_symbol: list[SymbolLine]
    cut: bool = Field(description="only the newest trades were counted")
    time: int
    source: str


class Command(Body):
    """What every command by hand may carry."""

    why: str = Field("", max_length=200, description="for the audit")


class CloseBody(Command):
    """Leave one position."""

    symbol: SymbolText


class FlattenBody(Command):
    """Leave everything."""


class ResetBody(Command):
    """Begin anew; `confirm` must be the word RESET."""

    cash: float = Field(gt=0, le=1e12)
    confirm: str = Field("", max_length=20)


class Ordered(Answer):
    """Orders that leave at the next open of each symbol."""

    status: Literal["success"] = "success"
    paper: Literal[True] = True
    orders: list[int]
    message: str


class ResetAnswer(Answer):
    """A new epoch has begun."""

    status: Literal["success"] = "success"
    paper: Literal[True] = True
    cash: float
    message: str


class AuditQuery(Query):
    """Which page of the audit."""

    kind: Literal[
        "hand", "reset", "limits", "rules", "weights", "preset", "agent", "shadow", "audit"
    ] | None = None
    limit: int = Field(100, ge=1, le=MOST_PAGE)
    after: int | None = Field(None, ge=0, lt=2**53)


class AuditItem(Answer):
    """Who changed what."""

    id: int
    at: int = Field(description="wall time, ms UTC")
    time: int = Field(description="feed time, ms UTC")
    kind: str
    what: str = Field(description="what was changed, or done")
    by: str
    why: str
    before: Any
    after: Any
    more: dict[str, Any] = Field(description="what else is known, e.g. symbols and orders")


class AuditAnswer(Answer):
    """The audit, newest first."""

    entries: list[AuditItem]
    next: int | None
