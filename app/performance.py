"""What the paper account earned, by the measures of the backtest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.storage.ledger_pages import StoredTrade
from opportunity.trading.records import TRADE

LEAST_TRADES: Final = 20
"""Trades below which a ratio says nothing, so that none is told."""

_KNOWN: Final = ("side", "opened", "closed", "entry", "exit", "quantity", "pnl", "bars")


@dataclass(frozen=True, slots=True)
class SymbolSum:
    """What the trades of one symbol came to."""

    symbol: str
    trades: int
    wins: int
    pnl: float


@dataclass(frozen=True, slots=True)
class Earned:
    """What trades came to; ratios are NaN for fewer than `LEAST_TRADES`."""

    trades: int
    wins: int
    realised: float
    win_rate: float
    profit_factor: float
    expectancy: float
    mean_r: float
    by_symbol: tuple[SymbolSum, ...]

    @property
    def enough(self) -> bool:
        """Whether there are trades enough for the ratios."""
        return self.trades >= LEAST_TRADES


def earned(trades: Sequence[StoredTrade]) -> Earned:
    """Measure trades that are over; the largest sums by symbol come first."""
    from opportunity.backtest.trade_metrics import measure_trades

    rows = np.zeros(len(trades), TRADE)
    for name in _KNOWN:
        rows[name] = [getattr(trade, name) for trade in trades]
    for name in ("r", "mae", "mfe"):
        rows[name] = [np.nan if getattr(t, name) is None else getattr(t, name) for t in trades]
    found = measure_trades(rows)
    ratios = (found.win_rate, found.profit_factor, found.expectancy, found.avg_r)
    rate, factor, mean, mean_r = ratios if found.trades >= LEAST_TRADES else (np.nan,) * 4
    realised = float(rows["pnl"].sum())
    return Earned(
        found.trades, found.wins, realised, rate, factor, mean, mean_r, _sums(trades)
    )


def _sums(trades: Sequence[StoredTrade]) -> tuple[SymbolSum, ...]:
    by: dict[str, list[float]] = {}
    for trade in trades:
        by.setdefault(trade.symbol, []).append(trade.pnl)
    sums = [SymbolSum(s, len(p), sum(x > 0 for x in p), sum(p)) for s, p in by.items()]
    return tuple(sorted(sums, key=lambda one: (-one.pnl, one.symbol)))
