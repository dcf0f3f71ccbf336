"""Metrics as people read them: name, number with its unit, and what it means."""

import inspect
import math
import re
from functools import cache
from typing import Final

from opportunity.backtest.metrics import Metrics

HEADLINE: Final = (
    "total_return", "max_drawdown", "sharpe", "profit_factor", "win_rate", "trades", "expectancy",
)  # fmt: skip

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Return": (
        "initial_equity", "final_equity", "net_profit", "total_return", "cagr", "volatility",
        "sharpe", "sortino", "calmar", "recovery_factor", "skew", "kurtosis",
    ),
    "Risk": (
        "max_drawdown", "max_drawdown_money", "max_drawdown_bars", "max_drawdown_ms", "var_95",
        "var_99", "es_95", "es_99", "exposure", "turnover", "turnover_yearly", "kelly",
    ),
    "Trades": (
        "trades", "long_trades", "short_trades", "wins", "losses", "win_rate", "profit_factor",
        "expectancy", "avg_win", "avg_loss", "largest_win", "largest_loss",
        "max_consecutive_wins", "max_consecutive_losses", "avg_trade_ms", "avg_trade_bars",
    ),
    "R and costs": (
        "avg_r", "best_r", "worst_r", "sqn", "avg_mae", "avg_mfe", "fees", "slippage", "funding",
        "bars", "years", "annual_factor",
    ),
}  # fmt: skip
"""Every metric once; a test holds that."""

SHARES: Final = frozenset({
    "total_return", "cagr", "volatility", "max_drawdown", "var_95", "var_99", "es_95", "es_99",
    "exposure", "win_rate", "kelly",
})  # fmt: skip
_SIGNED: Final = frozenset({"total_return", "cagr"})
_MONEY: Final = frozenset({
    "initial_equity", "final_equity", "net_profit", "max_drawdown_money", "expectancy", "avg_win",
    "avg_loss", "largest_win", "largest_loss", "fees", "slippage", "funding",
})  # fmt: skip
_WORDS: Final = {
    "cagr": "Growth a year", "sqn": "SQN", "avg_mae": "Mean MAE", "avg_mfe": "Mean MFE",
    "var_95": "VaR 95 %", "var_99": "VaR 99 %", "es_95": "ES 95 %", "es_99": "ES 99 %",
    "avg_r": "Mean R", "best_r": "Best R", "worst_r": "Worst R", "total_return": "Return",
    "max_drawdown_ms": "Longest below a peak", "max_drawdown_bars": "The same, bars",
    "max_drawdown_money": "Largest fall, money", "avg_trade_ms": "Mean time in a trade",
    "avg_trade_bars": "The same, decision bars", "turnover_yearly": "Turnover a year",
    "annual_factor": "Bars of a year",
}  # fmt: skip
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
DASH: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"


def label(name: str) -> str:
    """Return the name of a metric as people read it."""
    if name in _WORDS:
        return _WORDS[name]
    text = name.replace("avg_", "mean_").replace("_", " ")
    return text[:1].upper() + text[1:]


def written(name: str, value: float | None) -> str:
    """Write a metric with its unit; a dash where it is not defined."""
    if value is None or not math.isfinite(value):
        return DASH
    if name in SHARES:
        return f"{value:{'+' if name in _SIGNED else ''}.2%}".replace("-", MINUS).replace("%", " %")
    if name.endswith("_ms"):
        return f"{value / DAY_MS:,.1f} d" if value >= DAY_MS else f"{value / HOUR_MS:,.1f} h"
    if isinstance(value, int) or (name not in _MONEY and float(value).is_integer()):
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:,.2f}".replace("-", MINUS)


def meaning(name: str) -> str:
    """Return what a metric is, its unit and its source: the words of `Metrics`."""
    return meanings().get(name, "")


@cache
def meanings() -> dict[str, str]:
    """Return what `Metrics` says of each of its fields."""
    text = inspect.getdoc(Metrics) or ""
    body = text.partition("Parameters\n----------\n")[2]
    found: dict[str, str] = {}
    for head, words in re.findall(r"^(\w[\w, ]*) : [^\n]*\n((?:[ ]{4}.*(?:\n|$))+)", body, re.M):
        for name in head.split(", "):
            found[name] = " ".join(words.split())
    return found
