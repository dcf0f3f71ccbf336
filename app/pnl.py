"""Profit and loss by day and month, measured as a backtest is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray
from opportunity.storage.ledger_pages import EquityCurve, StoredTrade
from opportunity.trading.records import TRADE

FLAT: Final = 1e-9
"""A day whose return is nearer to 0 than this was flat."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of an account; money in quote currency, `share` is the return of the day."""

    date: str
    equity: float
    pnl: float
    share: float
    drawdown: float
    trades: int
    wins: int
    realised: float
    fees: float


@dataclass(frozen=True, slots=True)
class Month:
    """A month of an account."""

    month: str
    equity: float
    pnl: float
    share: float
    best_day: float
    worst_day: float
    days: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What a daily curve is worth; NaN where it is undefined."""

    total_return: float
    annualised_return: float
    annualised_volatility: float
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float
    current_drawdown: float
    drawdown_days: float
    best_day: float
    worst_day: float
    positive: int
    negative: int
    flat: int


def days_of(
    curve: EquityCurve, before: float, trades: Sequence[StoredTrade]
) -> list[Day]:
    """Return the days of a curve that has one mark a day, oldest first.

    Parameters
    ----------
    curve : EquityCurve
        The last mark of each day.
    before : float
        Equity before the first of them, > 0.
    trades : sequence of StoredTrade
        Which ended on these days, or others.
    """
    numbers = (curve.time - 1) // DAY_MS  # what closes at midnight belongs to the day it ends
    ended: dict[int, list[StoredTrade]] = {}
    for trade in trades:
        ended.setdefault((trade.closed - 1) // DAY_MS, []).append(trade)
    found: list[Day] = []
    for number, equity, drawdown in zip(
        numbers.tolist(), curve.equity.tolist(), curve.drawdown.tolist(), strict=True
    ):
        mine = ended.get(number, [])
        found.append(Day(
            date=_date(number), equity=equity, pnl=equity - before,
            share=equity / before - 1.0 if before > 0 else float("nan"), drawdown=drawdown,
            trades=len(mine), wins=sum(trade.pnl > 0 for trade in mine),
            realised=sum(trade.pnl for trade in mine), fees=sum(trade.fees for trade in mine),
        ))  # fmt: skip
        before = equity
    return found


def months_of(days: Sequence[Day]) -> list[Month]:
    """Return the months of days, oldest first."""
    by: dict[str, list[Day]] = {}
    for day in days:
        by.setdefault(day.date[:7], []).append(day)
    found: list[Month] = []
    for month, mine in by.items():
        before = mine[0].equity - mine[0].pnl
        shares = [day.share for day in mine]
        found.append(Month(
            month, mine[-1].equity, mine[-1].equity - before,
            mine[-1].equity / before - 1.0 if before > 0 else float("nan"),
            max(shares), min(shares), len(mine),
        ))  # fmt: skip
    return found


def worth_of(days: Sequence[Day]) -> Worth:
    """Measure days, at least one, by what a backtest's equity is measured by."""
    from opportunity.backtest.metrics import Run, measure

    time, equity = _ends(days)
    before = days[0].equity - days[0].pnl
    found = measure(Run(time, equity, before, np.zeros(equity.size), np.zeros(0, TRADE)))
    shares = np.array([day.share for day in days])
    peak = max(before, float(equity.max()))
    return Worth(
        total_return=found.total_return, annualised_return=found.cagr,
        annualised_volatility=found.volatility, sharpe=found.sharpe, sortino=found.sortino,
        calmar=found.calmar, max_drawdown=found.max_drawdown,
        current_drawdown=1.0 - float(equity[-1]) / peak,
        drawdown_days=found.max_drawdown_ms / DAY_MS,
        best_day=float(shares.max()), worst_day=float(shares.min()),
        positive=int((shares > FLAT).sum()), negative=int((shares < -FLAT).sum()),
        flat=int((np.abs(shares) <= FLAT).sum()),
    )  # fmt: skip


def _ends(days: Sequence[Day]) -> tuple[TimeArray, FloatArray]:
    dates = np.array([day.date for day in days], "datetime64[D]").astype(np.int64)
    return (dates + 1) * DAY_MS, np.array([day.equity for day in days])


def _date(number: int) -> str:
    return str(np.datetime64(number, "D"))
