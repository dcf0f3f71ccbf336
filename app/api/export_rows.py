"""The tables that can be downloaded, as flat, checked rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from app.api.account import fill_of, order_of, trade_of
from app.api.decisions import outcome_item
from app.api.signal_lists import live_signals
from app.decision_words import why
from app.services import Services
from app.table_files import Table
from opportunity.contracts.base import Answer
from opportunity.contracts.exports import (
    DecisionRow,
    EquityRow,
    ExportQuery,
    FillRow,
    JournalRow,
    OrderRow,
    ScannerRow,
    SignalRow,
    TradeRow,
    What,
)
from opportunity.contracts.signal_lists import MOST_SIGNALS, LiveQuery
from opportunity.market.symbols import compact
from opportunity.ranked import Opportunity
from opportunity.storage.decisions import MOST_READ as MOST_DECIDED
from opportunity.storage.decisions import Chosen, Decision
from opportunity.storage.ledger_pages import MOST_POINTS, Page
from opportunity.storage.ledger_pages import MOST_READ as MOST_PAGE

Read = Callable[[int, int | None], Awaitable[tuple[Sequence[Any], int | None]]]
"""Reads a page: how many rows and after which one; gives them and where the next one begins."""


async def table_of(
    services: Services, what: What, asked: ExportQuery, symbol: str | None
) -> Table:
    """Return what is asked for, newest first; `limit` rows at most.

    Pages are read and rows are made on threads: a hundred thousand take their time.
    """
    model, collect = TABLES[what]
    make, complete = await collect(services, asked, symbol)
    rows = await asyncio.to_thread(make)
    whole = complete and len(rows) <= asked.limit
    return Table(what, model, rows[: asked.limit], whole, services.source)


Rows = tuple[Callable[[], list[Answer]], bool]
"""What makes the rows, and whether all there are will be among them."""


async def _signals(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    source, names = services.source, [n for n in SignalRow.model_fields if n != "source"]

    def make() -> list[Answer]:
        wanted = LiveQuery(exclude_neutral=False, limit=MOST_SIGNALS)
        chosen, _ = live_signals(services, wanted)
        return [
            SignalRow(source=source, **{name: getattr(one, name) for name in names})
            for one in chosen
            if symbol in (None, one.symbol)
        ]

    return make, True


async def _scanner(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    found = services.evaluation()

    def make() -> list[Answer]:
        rows = () if found is None else found.rows()
        return [_ranked(row) for row in rows if symbol in (None, row.symbol)]

    return make, True


async def _trades(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    read = _ledger(services.paper.trades, symbol)
    found, complete = await _pages(read, MOST_PAGE, asked, lambda trade: trade.closed)
    return _stamped(TradeRow, trade_of, found, services.source), complete


async def _fills(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    read = _ledger(services.paper.fills, symbol)
    found, complete = await _pages(read, MOST_PAGE, asked, lambda fill: fill.time)
    return _stamped(FillRow, fill_of, found, services.source), complete


async def _orders(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    read = _ledger(services.paper.orders, symbol)
    found, complete = await _pages(read, MOST_PAGE, asked, lambda order: order.time)
    return _stamped(OrderRow, order_of, found, services.source), complete


async def _equity(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    most = max(2, min(asked.limit, MOST_POINTS))
    until = None if asked.until is None else asked.until - 1
    curve = await services.paper.equity(asked.since, until, most)
    names = [name for name in EquityRow.model_fields if name != "source"]

    def make() -> list[Answer]:
        points = zip(*(getattr(curve, name).tolist() for name in names), strict=True)
        rows: list[Answer] = [
            EquityRow(source=services.source, **dict(zip(names, values, strict=True)))
            for values in points
        ]
        return rows[::-1]

    return make, curve.time.size < most


async def _decisions(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    found, complete = await _decided(services, asked, symbol)
    return lambda: [_decision(one, services.source) for one in found], complete


async def _journal(services: Services, asked: ExportQuery, symbol: str | None) -> Rows:
    found, complete = await _decided(services, asked, symbol)
    return lambda: [row for one in found for row in _outcomes(one, services.source)], complete


async def _decided(
    services: Services, asked: ExportQuery, symbol: str | None
) -> tuple[list[Decision], bool]:
    chosen = Chosen(symbol, None, None, asked.since, asked.until)

    async def read(limit: int, after: int | None) -> tuple[Sequence[Any], int | None]:
        page = await services.journal.decisions(chosen, limit, after)
        return page.decisions, page.after

    return await _pages(read, MOST_DECIDED, asked, lambda decision: decision.candidate.time)


TABLES: Final[dict[What, tuple[type[Answer], Callable[..., Awaitable[Rows]]]]] = {
    "signals": (SignalRow, _signals),
    "scanner": (ScannerRow, _scanner),
    "trades": (TradeRow, _trades),
    "fills": (FillRow, _fills),
    "orders": (OrderRow, _orders),
    "equity": (EquityRow, _equity),
    "decisions": (DecisionRow, _decisions),
    "journal": (JournalRow, _journal),
}
"""What can be downloaded: the model of its rows, and what collects them."""


def _ledger(page_of: Callable[..., Awaitable[Page[Any]]], symbol: str | None) -> Read:
    async def read(limit: int, after: int | None) -> tuple[Sequence[Any], int | None]:
        page = await page_of(limit, after, symbol)
        return page.rows, page.after

    return read


async def _pages(
    read: Read, most: int, asked: ExportQuery, time: Callable[[Any], int]
) -> tuple[list[Any], bool]:
    """Read pages, newest first, until there are rows enough or they are too old."""
    found: list[Any] = []
    after: int | None = None
    while len(found) < asked.limit:
        rows, after = await read(most, after)
        found += [
            row for row in rows
            if time(row) >= asked.since and (asked.until is None or time(row) < asked.until)
        ]  # fmt: skip
        if after is None or time(rows[-1]) < asked.since:
            return found[: asked.limit], len(found) <= asked.limit
    return found[: asked.limit], False


def _stamped(
    model: Callable[..., Answer], item_of: Callable[[Any], Answer], found: Sequence[Any],
    source: str,
) -> Callable[[], list[Answer]]:
    """Make rows that say of themselves which market they are of."""
    return lambda: [model(**item_of(row).model_dump(), source=source) for row in found]


def _ranked(row: Opportunity) -> ScannerRow:
    levels = row.levels
    targets = (*(() if levels is None else levels.targets), None, None, None)
    return ScannerRow(
        rank=row.rank or 0, symbol=row.symbol, id=compact(row.symbol), price=row.price,
        change_24h=row.change_24h, volume_24h=row.volume_24h, direction=row.direction,
        final_score=row.final_score, confidence=row.confidence,
        consensus_strength=row.consensus, advice=row.advice, risk=row.risk,
        risk_level=row.risk_level, success=row.success,
        entry=None if levels is None else levels.entry,
        stop=None if levels is None else levels.stop,
        target_1=targets[0], target_2=targets[1], target_3=targets[2],
        patterns="; ".join(row.patterns), trust=row.trust, scanned_at=row.scanned_at,
        source=row.source,
    )  # fmt: skip


def _decision(one: Decision, source: str) -> DecisionRow:
    c = one.candidate
    return DecisionRow(
        id=one.id, time=c.time, symbol=c.symbol, timeframe=c.timeframe,
        side="BULLISH" if c.side > 0 else "BEARISH", action=c.action,
        stopped_by="; ".join(c.stopped_by), why=why(one), score=c.score, net=c.net,
        confidence=c.confidence, consensus=c.consensus, disagreement=c.disagreement,
        trust=c.trust, success=c.success, risk_level=c.risk_level, price=c.price, atr=c.atr,
        order=c.order_number, order_status=one.order_status, source=source,
    )  # fmt: skip


def _outcomes(one: Decision, source: str) -> list[Answer]:
    c = one.candidate
    return [
        JournalRow(
            decision=one.id, time=c.time, symbol=c.symbol,
            side="BULLISH" if c.side > 0 else "BEARISH", action=c.action, score=c.score,
            confidence=c.confidence, success=c.success, **outcome_item(outcome).model_dump(),
            source=source,
        )
        for outcome in one.outcomes
    ]
