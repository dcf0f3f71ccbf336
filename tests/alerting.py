"""Things that happen, for tests of alerts."""

from dataclasses import replace

from opportunity.live.portfolio import BreakerLine, PortfolioState, PositionLine
from opportunity.storage.events import StoredEvent

TIME = 1_767_225_600_000  # 2026-01-01 00:00 UTC
DAY = 86_400_000
HOUR = 3_600_000

STATE = PortfolioState(
    book="paper", epoch=1, time=TIME + HOUR, source="simulated", begun=TIME, start_cash=10_000.0,
    cash=10_000.0, equity=10_000.0, peak=10_000.0, drawdown=0.0, day_pnl=0.0, day_pnl_pct=0.0,
    exposure=0.0, gross=0.0, leverage=0.0, fees=0.0, slippage=0.0, funding=0.0, n_trades=0, wins=0,
    losses_in_row=0, positions=(), waiting=(), breakers=(BreakerLine("drawdown", "CLOSED", 0, 0, 0,
    ""),), can_trade=True, why_not="", storage="ok",
)  # fmt: skip

POSITION = PositionLine(
    "BTC/USDT", 1, 1.0, 100.0, 90.0, 80.0, (), 0, 90.0, -1_500.0, -1.0, TIME, 3, 0.7, 0.8, ""
)

TRADE = {
    "book": "paper", "symbol": "BTC/USDT", "side": 1, "entry": 100.0, "exit": 110.0,
    "quantity": 2.0, "pnl": 20.0, "r": 1.5, "reason": "TP", "opened": TIME,
    "closed": TIME + HOUR, "source": "simulated",
}  # fmt: skip
BREAKER = {
    "book": "paper", "name": "daily_loss", "before": "CLOSED", "state": "OPEN",
    "until": TIME + DAY, "reason": "lost 5.1 % since midnight UTC",
}  # fmt: skip

SIGNAL = {
    "type": "signal", "symbol": "BTC/USDT", "direction": "BULLISH", "confidence": 0.8,
    "score": 0.75, "risk_level": "LOW", "success": 0.61, "timeframes": {"1h": 0.8, "4h": 0.7},
    "ts": TIME, "source": "simulated",
}  # fmt: skip


def happened(kind: str, number: int = 1, at: int = TIME, **body) -> StoredEvent:
    return StoredEvent(number, f"k{number}", at, TIME, kind, {"book": "paper"} | body)


def account(**values) -> PortfolioState:
    return replace(STATE, **values)
