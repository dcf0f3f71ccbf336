"""Accounts and markets for tests of risk: small, seeded, of plain records."""

from collections.abc import Mapping, Sequence

import numpy as np

from opportunity.live.portfolio import BreakerLine, PortfolioState, PositionLine
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import DAY_MS, length_ms
from opportunity.risk.held import Held
from opportunity.risk.returns import Returns, returns_of
from opportunity.trading.records import BREAKERS

END = 1_767_225_600_000  # 2026-01-01 00:00 UTC
NAMES = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT")


def drawn(
    n_rows: int, n_assets: int, seed: int = 7, rho: float = 0.5, spread: float = 0.02
) -> FloatArray:
    """Draw normal returns that share one factor."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_rows, 1)) * np.sqrt(rho)
    own = rng.standard_normal((n_rows, n_assets)) * np.sqrt(1 - rho)
    return spread * (common + own)


def bars_of(
    symbol: str, returns: FloatArray, timeframe: str = "1d", end: int = END, price: float = 100.0
) -> Bars:
    """Build bars whose closes make these simple returns; the last one closes at `end`."""
    closes = price * np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    step = length_ms(timeframe)
    time = end - step * np.arange(closes.size, 0, -1)
    values = np.stack([closes, closes * 1.01, closes * 0.99, closes, np.ones(closes.size)], axis=1)
    return Bars(time, values, timeframe, symbol, "simulated")  # type: ignore[arg-type]  # a name


def market(n_rows: int = 300, names: Sequence[str] = NAMES, timeframe: str = "1d") -> Returns:
    """Return joined returns of a drawn market."""
    values = drawn(n_rows, len(names))
    return returns_of([bars_of(n, values[:, i], timeframe) for i, n in enumerate(names)])


def held_in(
    returns: Returns | None, notionals: Mapping[str, float], equity: float = 10_000.0
) -> Held:
    """Return positions of a market."""
    n = len(notionals)
    return Held(
        tuple(notionals), np.array(list(notionals.values())), equity, np.full(n, 1e6), returns
    )


def line_of(symbol: str, notional: float, mark: float = 100.0) -> PositionLine:
    """Return a position worth so much, negative for a short."""
    side = 1 if notional > 0 else -1
    return PositionLine(
        symbol=symbol, side=side, quantity=abs(notional) / mark, entry=mark, mark=mark,
        stop=mark * (1 - 0.05 * side), targets=(), targets_reached=0, notional=abs(notional),
        pnl=0.0, pnl_r=0.0, opened=END - DAY_MS, bars=3, score=0.7, confidence=0.5, leaving="",
    )  # fmt: skip


def account_of(
    notionals: Mapping[str, float] | None = None, equity: float = 10_000.0, **more: object
) -> PortfolioState:
    """Return a paper account."""
    lines = tuple(line_of(symbol, worth) for symbol, worth in (notionals or {}).items())
    gross = sum(line.notional for line in lines)
    net = sum(line.side * line.notional for line in lines)
    given: dict[str, object] = {
        "book": "paper", "epoch": 1, "time": END, "source": "simulated", "begun": END - 9 * DAY_MS,
        "start_cash": 10_000.0, "cash": equity - net, "equity": equity, "peak": equity,
        "drawdown": 0.0, "day_pnl": 0.0, "day_pnl_pct": 0.0, "exposure": net / equity,
        "gross": gross, "leverage": gross / equity, "fees": 0.0, "slippage": 0.0, "funding": 0.0,
        "n_trades": 0, "wins": 0, "losses_in_row": 0, "positions": lines, "waiting": (),
        "breakers": tuple(BreakerLine(name, "CLOSED", 0, 0, 0, "") for name in BREAKERS),
        "can_trade": True, "why_not": "", "storage": "ok",
    }  # fmt: skip
    return PortfolioState(**(given | more))  # type: ignore[arg-type]  # fields by name
