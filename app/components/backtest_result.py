"""What came of a backtest: metrics with their meaning, warnings, files, and the trades."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import param

from app.backtests import Ran
from app.components.island import Island
from app.components.metric_words import GROUPS, HEADLINE, label, meaning, written
from app.components.research_part import part_module, part_style
from app.results import warnings_of
from opportunity.backtest.tables import plain, trade_columns
from opportunity.market.timeframe import utc_text

if TYPE_CHECKING:
    from opportunity.backtest.result import BacktestResult

MOST_TRADES: Final = 500
SHOWN: Final = (
    "number", "symbol", "side", "entry_ts", "exit_ts", "entry_price", "exit_price", "quantity",
    "profit", "profit_fraction", "r_multiple", "exit_reason", "n_fills",
)  # fmt: skip
FORMATS: Final = ("csv", "json", "parquet", "html")


class ResultSummary(Island):
    """Headline numbers, warnings, every metric with its meaning on hover, and files."""

    state = param.String("{}", doc="A backtest in words, JSON; see `summary_state`.")
    shown = param.String("{}", doc="Which result the page shows, JSON: id, kind, title.")

    _fill = "stretch_width"
    _esm = part_module("result_summary")
    _stylesheets: ClassVar[list[str]] = [part_style("result_summary")]


class ResultTrades(Island):
    """The newest trades; choosing one moves the charts to it.

    Parameters
    ----------
    on_select : callable
        Called with the number of a trade.
    """

    rows = param.String("{}", doc="Columns of the newest trades, JSON; see `trades_state`.")

    _fill = "stretch_width"
    _esm = part_module("result_trades")
    _stylesheets: ClassVar[list[str]] = [part_style("result_trades")]

    def __init__(self, on_select: Callable[[int], None] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._on_select = on_select

    def _handle_msg(self, data: Any) -> None:
        if self._on_select is not None:
            self._on_select(int(data["trade"]))


def summary_state(id: str, ran: Ran) -> dict[str, Any]:
    """Return what the summary shows of the result of a job; may take 50 ms."""
    result = ran.result
    values = result.metrics.as_dict()
    held = _holding(result)
    return {
        "id": id,
        "title": ", ".join(result.symbols),
        "about": f"{result.base} bars, decided every {result.decision} · "
        f"{utc_text(int(result.time[0]))} to {utc_text(int(result.time[-1]))} · "
        f"{len(result):,} bars",
        "source": result.source,
        "simulated": "simulated" in result.source,
        "warnings": warnings_of(ran),
        "headline": [_cell(name, values[name]) for name in HEADLINE]
        + [["Buy and hold", written("total_return", held), _tone("total_return", held),
            "Return of buying everything at the first open and selling at the last close, with "
            "the same costs."]],
        "groups": [
            {"title": title, "rows": [_cell(name, values[name]) for name in names]}
            for title, names in GROUPS.items()
        ],
        "refused": result.refused(),
        "capsule": {"id": result.capsule.id} | result.capsule.as_dict(),
        "formats": list(FORMATS),
    }


def trades_state(result: "BacktestResult") -> dict[str, Any]:
    """Return the columns of the newest trades, the newest first."""
    rows = plain(trade_columns(result, MOST_TRADES))
    return {
        "total": len(result.trades),
        "columns": {name: rows[name][::-1] for name in SHOWN},
        "several": len(result.symbols) > 1,
    }


def _holding(result: "BacktestResult") -> float:
    from opportunity.backtest.baselines import buy_and_hold
    from opportunity.backtest.prices import Prices

    held = buy_and_hold(Prices.of_bars(result.bars), result.setup.costs, result.setup.cash)
    return float(held.metrics.total_return)


def _cell(name: str, value: float | None) -> list[Any]:
    return [label(name), written(name, value), _tone(name, value), meaning(name)]


def _tone(name: str, value: float | None) -> int:
    """Return the side of numbers whose sign is good or bad news."""
    signed = {"total_return", "cagr", "net_profit", "sharpe", "sortino", "calmar", "expectancy",
              "avg_r", "sqn"}  # fmt: skip
    if name not in signed or value is None or not math.isfinite(value):
        return 0
    return int(np.sign(value))
