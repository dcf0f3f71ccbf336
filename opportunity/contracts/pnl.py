"""Wire models of profit and loss by day and month, and of what the equity curve is worth."""

from typing import Final, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number, Query

MOST_DAYS: Final = 366
LEAST_DAYS: Final = 20
"""Days below which a ratio says nothing, so that none is told."""

DATE: Final = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


class DaysQuery(Query):
    """Which days: the newest ones, or one."""

    days: int = Field(30, ge=1, le=MOST_DAYS, description="how many at most")
    date: str | None = Field(None, pattern=DATE, description="only this day, `YYYY-MM-DD` UTC")


class MetricsQuery(Query):
    """Over how many of the newest days."""

    days: int = Field(MOST_DAYS, ge=1, le=MOST_DAYS)


class DayItem(Answer):
    """A day of the account, UTC; what closes at midnight belongs to the day that it ends."""

    date: str
    equity: float = Field(description="at the last mark of the day")
    pnl: float = Field(description="change of the equity since the day before, or the start")
    day_return: Number = Field(description="the same as a fraction")
    drawdown: Number = Field(description="at the last mark, fraction of the peak")
    trades: int = Field(description="trades that ended on the day")
    wins: int
    realised: float = Field(description="of these trades, after all costs")
    fees: float = Field(description="of these trades")


class DailySummary(Answer):
    """Days on which there was a mark, newest first."""

    paper: Literal[True] = True
    days: list[DayItem]
    cut: bool = Field(description="trades of the oldest days were too many to be counted")
    source: str


class MonthItem(Answer):
    """A month of the account, UTC."""

    month: str = Field(description="`YYYY-MM`")
    equity: float = Field(description="at the last mark of the month")
    pnl: float
    month_return: Number
    best_day: Number = Field(description="fraction")
    worst_day: Number
    days: int = Field(description="days with a mark")


class MonthlyPerformance(Answer):
    """Months of the last 366 days with a mark, newest first."""

    paper: Literal[True] = True
    months: list[MonthItem]
    source: str


class PortfolioMetrics(Answer):
    """What the daily equity curve is worth; ratios are null while there are too few days."""

    paper: Literal[True] = True
    days: int = Field(description="days with a mark")
    enough: bool = Field(description="false: too few days for the ratios")
    least_days: int
    since: str | None = Field(description="first of the days; null: there is none")
    total_return: Number = Field(description="over these days, fraction")
    annualised_return: Number
    annualised_volatility: Number
    sharpe: Number
    sortino: Number
    calmar: Number
    max_drawdown: Number = Field(description="of daily closes, fraction of the peak")
    current_drawdown: Number
    drawdown_days: Number = Field(description="longest time below a peak")
    best_day: Number
    worst_day: Number
    positive_days: int
    negative_days: int
    flat_days: int
    source: str
