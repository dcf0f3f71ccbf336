"""A paper account with two positions, a waiting order and a breaker that is open."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from app.performance import earned
from opportunity.errors import OpportunityError
from opportunity.live.portfolio import BreakerLine, OrderLine, PortfolioState, PositionLine
from opportunity.storage.events import StoredEvent
from opportunity.storage.ledger_pages import (
    EquityCurve,
    Page,
    StoredFill,
    StoredOrder,
    StoredTrade,
)
from opportunity.trading.risk import RiskRecord

NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC
HOUR = 3_600_000

LONG = PositionLine(
    symbol="BTC/USDT", side=1, quantity=0.02, entry=90_000.0, mark=91_000.0, stop=89_000.0,
    targets=(91_500.0, 93_000.0, 94_500.0), targets_reached=1, notional=1_820.0, pnl=18.5,
    pnl_r=0.92, opened=NOW - 3 * HOUR, bars=3, score=0.71, confidence=0.4, leaving="",
)  # fmt: skip
SHORT = PositionLine(
    symbol="ETH/USDT", side=-1, quantity=1.5, entry=3_000.0, mark=3_010.0, stop=math.nan,
    targets=(), targets_reached=0, notional=4_515.0, pnl=-16.2, pnl_r=math.nan,
    opened=NOW - HOUR, bars=1, score=0.3, confidence=0.5, leaving="MANUAL",
)  # fmt: skip
WAITING = OrderLine(7, NOW, "SOL/USDT", 1, "ENTRY", "placed", math.nan)
BREAKERS = (
    BreakerLine("daily_loss", "CLOSED", 0, 0, 0, "closed"),
    BreakerLine("drawdown", "OPEN", NOW + 24 * HOUR, NOW, 2, "lost more than 15 % from the peak"),
    BreakerLine("losing_streak", "HALF_OPEN", 0, NOW - HOUR, 1, "one entry at a time"),
    BreakerLine("stale_data", "CLOSED", 0, 0, 0, "closed"),
)
STATE = PortfolioState(
    book="paper", epoch=2, time=NOW, source="simulated", begun=NOW - 100 * HOUR,
    start_cash=10_000.0, cash=12_703.0, equity=10_012.3, peak=10_100.0, drawdown=0.0087,
    day_pnl=-12.0, day_pnl_pct=-0.0012, exposure=-0.27, gross=6_335.0, leverage=0.63, fees=4.2,
    slippage=8.1, funding=0.0, n_trades=3, wins=2, losses_in_row=1, positions=(LONG, SHORT),
    waiting=(WAITING,), breakers=BREAKERS, can_trade=False, why_not="drawdown", storage="ok",
)  # fmt: skip
EMPTY = replace(
    STATE, positions=(), waiting=(), can_trade=True, why_not="", n_trades=0, wins=0,
    breakers=tuple(replace(line, state="CLOSED", until=0) for line in BREAKERS),
)  # fmt: skip

ORDERS = tuple(
    StoredOrder(n, NOW - n, "BTC/USDT", 1, "ENTRY", "filled", None, 1.0, 0.7, 0.4, "risk")
    for n in range(5, 0, -1)
)
FILLS = tuple(
    StoredFill(n, NOW - n, "BTC/USDT", -1, "SL", 0.02, 90_000.0, 89_990.0, 0.9, 0.2, 1)
    for n in range(3, 0, -1)
)
TRADES = tuple(
    StoredTrade(
        n, n, "BTC/USDT" if n % 2 else "ETH/USDT", 1, NOW - HOUR, NOW, 90_000.0, 91_000.0, 0.02,
        20.0 - 15 * n, 1.8, 0.4, 0.0, 1.0, -0.2, 1.3, 2, "TP", 2, 0.7, 0.4,
    )
    for n in range(3, 0, -1)
)  # fmt: skip


def curve(n: int = 5) -> EquityCurve:
    """Return a curve that falls a little."""
    equity = np.asarray(10_000.0 - np.arange(n), np.float64)
    return EquityCurve(
        NOW - HOUR * np.arange(n)[::-1], equity, equity / 2, equity / 4, np.arange(n) / 10_000.0
    )


class FakePaper:
    """The surface of `app.paper.Paper`, without an agent and a database."""

    def __init__(self, state: PortfolioState | None = STATE) -> None:
        self.now: PortfolioState | None = state
        self.done: list[tuple[Any, ...]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None
        self.turned = RiskRecord().as_dict() | {"risk_per_trade": 0.01}
        self.events: tuple[StoredEvent, ...] = ()
        self.by_day = curve(0)

    def state(self) -> PortfolioState | None:
        return self.now

    def limits(self) -> dict[str, Any]:
        return dict(self.turned)

    async def orders(self, *asked: Any) -> Page[StoredOrder]:
        self.asked.append(asked)
        return Page(ORDERS, 1)

    async def fills(self, *asked: Any) -> Page[StoredFill]:
        self.asked.append(asked)
        return Page(FILLS, None)

    async def trades(self, *asked: Any) -> Page[StoredTrade]:
        self.asked.append(asked)
        return Page(TRADES, None)

    async def equity(
        self, since: int = 0, until: int | None = None, most: int = 1_000
    ) -> EquityCurve:
        self.asked.append((since, until, most))
        return curve()

    async def days(
        self, most: int, until: int | None = None
    ) -> tuple[EquityCurve, tuple[StoredTrade, ...]]:
        self.asked.append((most, until))
        first = max(0, self.by_day.time.size - most)
        if until is not None:
            first = max(0, int((self.by_day.time <= until).sum()) - most)
        last = self.by_day.time.size if until is None else int((self.by_day.time <= until).sum())
        names = EquityCurve.__slots__
        return EquityCurve(*(getattr(self.by_day, n)[first:last] for n in names)), TRADES

    async def performance(self) -> Any:
        return earned(TRADES)

    async def audit(
        self, kind: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[StoredEvent, ...]:
        self.asked.append((kind, limit, after))
        return self.events

    async def close(self, symbol: str, by: str, why: str = "") -> int:
        self._do("close", symbol, by, why)
        if self.now is None or symbol not in [line.symbol for line in self.now.positions]:
            raise ValueError(f"symbol must be held to be closed, was not: {symbol}")
        return 11

    async def flatten(self, by: str, why: str = "") -> tuple[int, ...]:
        self._do("flatten", by, why)
        return (11, 12)

    async def reset(self, cash: float, by: str, why: str = "") -> None:
        self._do("reset", cash, by, why)

    async def reset_breakers(self, name: str | None, by: str, why: str = "") -> tuple[str, ...]:
        self._do("reset_breakers", name, by, why)
        return () if name is None else (name,)

    def _do(self, *what: Any) -> None:
        if self.error is not None:
            raise self.error
        self.done.append(what)


NOT_NOW = OpportunityError("agent must run to be asked, was stopped")
