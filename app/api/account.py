"""How the paper account travels: rows of the agent and of the ledger as wire models."""

from dataclasses import asdict
from typing import Literal

from app.performance import LEAST_TRADES, Earned
from opportunity.contracts.portfolio import (
    AuditItem,
    BreakerItem,
    FillItem,
    OrderItem,
    PerformanceAnswer,
    PortfolioAnswer,
    PositionItem,
    SymbolLine,
    TradeItem,
)
from opportunity.live.portfolio import BreakerLine, OrderLine, PortfolioState, PositionLine
from opportunity.market.symbols import compact
from opportunity.storage.events import StoredEvent
from opportunity.storage.ledger_pages import StoredFill, StoredOrder, StoredTrade


def portfolio_of(state: PortfolioState) -> PortfolioAnswer:
    """Return the account as it travels."""
    plain = {n: getattr(state, n) for n in PortfolioState.__dataclass_fields__}
    return PortfolioAnswer(
        **plain
        | {
            "positions": [position_of(line) for line in state.positions],
            "waiting": [waiting_of(line) for line in state.waiting],
            "breakers": [breaker_of(line) for line in state.breakers],
        }
    )


def position_of(line: PositionLine) -> PositionItem:
    """Return a position as it travels."""
    named = {"id": compact(line.symbol), "side": side_name(line.side)}
    return PositionItem(**asdict(line) | named | {"targets": list(line.targets)})


def waiting_of(line: OrderLine) -> OrderItem:
    """Return an order that waits as it travels."""
    return OrderItem(**asdict(line) | {"id": compact(line.symbol), "side": fill_name(line.side)})


def breaker_of(line: BreakerLine) -> BreakerItem:
    """Return a breaker as it travels."""
    times = {"until": line.until or None, "tripped": line.tripped or None}
    return BreakerItem(**asdict(line) | times)


def order_of(order: StoredOrder) -> OrderItem:
    """Return an order as it travels."""
    return OrderItem(
        number=order.number, time=order.time, symbol=order.symbol, id=compact(order.symbol),
        side=fill_name(order.side), reason=order.reason, status=order.status, limit=order.limit,
        size_by=order.size_by,
    )  # fmt: skip


def fill_of(fill: StoredFill) -> FillItem:
    """Return a fill as it travels."""
    return FillItem(**asdict(fill) | {"id": compact(fill.symbol), "side": fill_name(fill.side)})


def trade_of(trade: StoredTrade) -> TradeItem:
    """Return a trade as it travels."""
    plain = {n: v for n, v in asdict(trade).items() if n in TradeItem.model_fields}
    return TradeItem(**plain | {"id": compact(trade.symbol), "side": side_name(trade.side)})


def performance_of(state: PortfolioState, found: Earned) -> PerformanceAnswer:
    """Return what the account earned as it travels."""
    return PerformanceAnswer(
        since=state.begun, realised=found.realised,
        unrealised=sum(line.pnl for line in state.positions),
        fees=state.fees, slippage=state.slippage, funding=state.funding,
        trades=found.trades, wins=found.wins, enough=found.enough, least_trades=LEAST_TRADES,
        win_rate=found.win_rate, profit_factor=found.profit_factor,
        expectancy=found.expectancy, mean_r=found.mean_r,
        by_symbol=[SymbolLine(**asdict(one)) for one in found.by_symbol],
        cut=found.trades < state.n_trades, time=state.time, source=state.source,
    )  # fmt: skip


def audit_of(event: StoredEvent) -> AuditItem:
    """Return a line of the audit as it travels."""
    body = event.body
    return AuditItem(
        id=event.id, at=event.at, time=event.time, kind=event.kind,
        what=str(body.get("what", event.kind)), by=str(body.get("by", "")),
        why=str(body.get("why", "")), before=body.get("before"), after=body.get("after"),
        more={n: v for n, v in body.items() if n not in AuditItem.model_fields},
    )  # fmt: skip


def side_name(side: int) -> Literal["LONG", "SHORT"]:
    """Name the side of a position."""
    return "LONG" if side > 0 else "SHORT"


def fill_name(side: int) -> Literal["BUY", "SELL"]:
    """Name the side of a fill."""
    return "BUY" if side > 0 else "SELL"
