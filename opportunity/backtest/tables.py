"""The tables of a result as columns with the names that the wire and files use."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.metrics import Metrics
from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.records import REASONS

Table = Literal["trades", "equity", "fills"]
TABLES: Final[tuple[Table, ...]] = get_args(Table)

TIMES: Final = ("entry_ts", "exit_ts", "time")
"""Columns that hold ms UTC."""

Column = NDArray[Any] | list[str]


class Exportable(Protocol):
    """What tables and exports need of a `BacktestResult`."""

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that rows index."""

    @property
    def time(self) -> TimeArray:
        """Closes of the equity, ms UTC."""

    @property
    def equity(self) -> FloatArray:
        """Cash and what is held, at those closes."""

    @property
    def trades(self) -> NDArray[Any]:
        """Rows of TRADE."""

    @property
    def fills(self) -> NDArray[Any]:
        """Rows of FILL."""

    @property
    def metrics(self) -> Metrics:
        """What the run was worth."""

    @property
    def source(self) -> str:
        """Where its bars came from."""


def table_of(result: Exportable, table: str) -> dict[str, Column]:
    """Return a table of `TABLES` by column; every column is as long as the table.

    Raises
    ------
    ValueError
        If the table is not known.
    """
    if table not in TABLES:
        raise ValueError(unknown("table", table, TABLES))
    if table == "trades":
        return trade_columns(result)
    if table == "fills":
        return fill_columns(result)
    return {"time": result.time, "equity": result.equity}


def trade_columns(result: Exportable, newest: int | None = None) -> dict[str, Column]:
    """Return the trades in the order of their ends, only the newest ones if asked."""
    n = len(result.trades)
    trades = result.trades[0 if newest is None else max(0, n - newest) :]
    cost = trades["entry"] * trades["quantity"]
    share = np.divide(trades["pnl"], cost, out=np.full(cost.shape, np.nan), where=cost > 0)
    return {
        "number": trades["number"], "symbol": _names(result, trades),
        "entry_ts": trades["opened"], "exit_ts": trades["closed"],
        "side": _words(trades["side"] > 0, "LONG", "SHORT"),
        "entry_price": trades["entry"], "exit_price": trades["exit"],
        "quantity": trades["quantity"], "profit": trades["pnl"], "profit_fraction": share,
        "exit_reason": _reasons(trades), "r_multiple": trades["r"],
        "fees": trades["fees"], "slippage": trades["slippage"], "funding": trades["funding"],
        "mae": trades["mae"], "mfe": trades["mfe"], "bars": trades["bars"],
        "n_fills": trades["n_fills"], "score": trades["score"],
        "confidence": trades["confidence"],
    }  # fmt: skip


def fill_columns(result: Exportable) -> dict[str, Column]:
    """Return the fills in the order in which they happened; `trade` is the number of theirs."""
    fills = result.fills
    return {
        "time": fills["time"], "symbol": _names(result, fills),
        "side": _words(fills["side"] > 0, "BUY", "SELL"), "reason": _reasons(fills),
        "quantity": fills["quantity"], "reference": fills["reference"], "price": fills["price"],
        "fee": fills["fee"], "slippage": fills["slippage"], "trade": fills["number"],
    }  # fmt: skip


def plain(columns: dict[str, Column]) -> dict[str, list[Any]]:
    """Return the columns as lists of Python values."""
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in columns.items()}


def thin(values: FloatArray, most: int) -> NDArray[np.int64]:
    """Return which of many points to show: both ends and the extremes of equal stretches.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    most : int
        How many at most, >= 2.

    Returns
    -------
    ndarray of int64, shape (<= most,)
        Ascending; all of them where they are no more than `most`.
    """
    n = values.size
    if most < 2:
        raise ValueError(f"most must be >= 2, was {most}")
    if n <= most:
        return np.arange(n)
    stretches = (most - 2) // 2
    edges = np.linspace(0, n, stretches + 1).astype(np.int64)
    kept = [0, n - 1]
    for a, z in pairwise(edges.tolist()):
        kept += [a + int(np.argmin(values[a:z])), a + int(np.argmax(values[a:z]))]
    return np.unique(np.array(kept, dtype=np.int64))


def _names(result: Exportable, rows: NDArray[Any]) -> list[str]:
    return [result.symbols[i] for i in rows["symbol"].tolist()]


def _reasons(rows: NDArray[Any]) -> list[str]:
    return [REASONS[r] for r in rows["reason"].tolist()]


def _words(true: NDArray[np.bool_], yes: str, no: str) -> list[str]:
    return [yes if t else no for t in true.tolist()]
