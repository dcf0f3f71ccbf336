"""Profit and loss of the paper account by day and month; its ratios."""

from dataclasses import asdict
from typing import Final

import numpy as np

from app.api.operations import operation
from app.api.portfolio import AccountHandler
from app.api.problems import invalid
from app.auth.roles import Role
from app.paper import MOST_COUNTED
from app.pnl import Day, Month, Worth, days_of, months_of, worth_of
from opportunity.contracts.pnl import (
    LEAST_DAYS,
    MOST_DAYS,
    DailySummary,
    DayItem,
    DaysQuery,
    MetricsQuery,
    MonthItem,
    MonthlyPerformance,
    PortfolioMetrics,
)
from opportunity.market.timeframe import DAY_MS
from opportunity.storage.ledger_pages import EquityCurve, StoredTrade

RATIOS: Final = ("annualised_return", "annualised_volatility", "sharpe", "sortino", "calmar")


class DaysHandler(AccountHandler):
    """What handlers of days share."""

    async def days(
        self, most: int, until: int | None = None
    ) -> tuple[list[Day], tuple[StoredTrade, ...]]:
        """Return the newest days of this epoch, oldest first, and the trades they were made of."""
        state = self.state()
        curve, trades = await self.services.paper.days(most + 1, until)
        before = state.start_cash
        if curve.time.size > most:  # the day before the first one that is asked for
            before = float(curve.equity[0])
            curve = EquityCurve(*(getattr(curve, n)[1:] for n in EquityCurve.__slots__))
        return days_of(curve, before, trades), trades


class DailyHandler(DaysHandler):
    """Days of the account."""

    @operation(Role.VIEWER, answer=DailySummary, query=DaysQuery)
    async def get(self) -> None:
        """Return equity, profit and trades by day, newest first."""
        asked = self.query(DaysQuery)
        most, until = (asked.days, None) if asked.date is None else (1, _end(asked.date))
        found, trades = await self.days(most, until)
        chosen = [day for day in found if asked.date in (None, day.date)]
        self.send(DailySummary(
            days=[_day(day) for day in reversed(chosen)], cut=len(trades) >= MOST_COUNTED,
            source=self.services.source,
        ))  # fmt: skip


class MonthlyHandler(DaysHandler):
    """Months of the account."""

    @operation(Role.VIEWER, answer=MonthlyPerformance)
    async def get(self) -> None:
        """Return equity, profit, best and worst day by month, newest first."""
        found, _ = await self.days(MOST_DAYS)
        months = [_month(month) for month in reversed(months_of(found))]
        self.send(MonthlyPerformance(months=months, source=self.services.source))


class MetricsHandler(DaysHandler):
    """What the daily curve is worth."""

    @operation(Role.VIEWER, answer=PortfolioMetrics, query=MetricsQuery)
    async def get(self) -> None:
        """Return returns, ratios and drawdowns of the newest days."""
        found, _ = await self.days(self.query(MetricsQuery).days)
        enough = len(found) >= LEAST_DAYS
        worth = _nothing() if not found else asdict(worth_of(found))
        if not enough:
            worth |= dict.fromkeys(RATIOS)
        named = {n: worth.pop(n) for n in ("positive", "negative", "flat")}
        self.send(PortfolioMetrics(
            days=len(found), enough=enough, least_days=LEAST_DAYS,
            since=found[0].date if found else None, **worth,
            positive_days=named["positive"], negative_days=named["negative"],
            flat_days=named["flat"], source=self.services.source,
        ))  # fmt: skip


def _end(date: str) -> int:
    """Return when a day ends, ms UTC; 422 for one that no calendar has."""
    try:
        return (int(np.datetime64(date, "D").astype(np.int64)) + 1) * DAY_MS
    except ValueError as error:
        raise invalid("date", f"must be a day of the calendar, was {date}") from error


def _day(day: Day) -> DayItem:
    plain = asdict(day)
    return DayItem(day_return=plain.pop("share"), **plain)


def _month(month: Month) -> MonthItem:
    plain = asdict(month)
    return MonthItem(month_return=plain.pop("share"), **plain)


def _nothing() -> dict[str, float | int | None]:
    counts = ("positive", "negative", "flat")
    return {n: 0 if n in counts else None for n in Worth.__slots__}


routes = [
    ("/api/pnl/daily-summary", DailyHandler),
    ("/api/pnl/monthly-performance", MonthlyHandler),
    ("/api/pnl/portfolio-metrics", MetricsHandler),
]
