"""A result as a small table in a notebook."""

import math
from typing import TYPE_CHECKING, Final

from opportunity.display import card, line
from opportunity.market.timeframe import utc_text

if TYPE_CHECKING:
    from opportunity.backtest.result import BacktestResult

_ROWS: Final = (
    ("Return", "total_return", "{:+.2%}"), ("Return a year", "cagr", "{:+.2%}"),
    ("Deepest fall", "max_drawdown", "{:.2%}"), ("Sharpe ratio", "sharpe", "{:.2f}"),
    ("Sortino ratio", "sortino", "{:.2f}"), ("Trades", "trades", "{:,}"),
    ("Won", "win_rate", "{:.1%}"), ("Profit factor", "profit_factor", "{:.2f}"),
    ("Time in the market", "exposure", "{:.1%}"), ("Fees", "fees", "{:,.2f}"),
)  # fmt: skip


def summary(result: "BacktestResult") -> str:
    """Return the html of the metrics that people look at first, with stamp and warnings.

    Parameters
    ----------
    result : BacktestResult
    """
    metrics = result.metrics.as_dict()
    span = f"{utc_text(int(result.time[0]))} to {utc_text(int(result.time[-1]))}"
    title = f"Backtest of {', '.join(result.symbols) or 'bars'}, {span}"
    facts = [(name, _text(metrics[key], form)) for name, key, form in _ROWS]
    equity = line(result.equity, "Equity, start cash dotted", result.setup.cash)
    return card(title, result.source or "source not named", facts, equity, result.warnings)


def _text(value: float | None, form: str) -> str:
    if value is None or not math.isfinite(value):
        return "undefined"
    return form.format(value)
