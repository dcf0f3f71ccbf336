"""What a backtest found: equity, trades, fills, orders, metrics, and how to run it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.backtest.capsule import Capsule
from opportunity.backtest.coverage import Coverage
from opportunity.backtest.decisions import Decisions
from opportunity.backtest.drilldown import Drilled
from opportunity.backtest.metrics import Metrics, Run, measure
from opportunity.backtest.monthly import monthly_returns
from opportunity.backtest.tables import Column, fill_columns, trade_columns
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray, Timeframe, utc_text
from opportunity.trading.records import BOUNDS, REASONS, STATUSES
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import Records


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """A run over history, warm-up left out.

    Parameters
    ----------
    symbols : tuple of str
        What rows number.
    base, decision : Timeframe
        Of the bars, and at whose closes decisions fell.
    time : ndarray of int64, shape (n_bars,)
        Closes, ms UTC.
    equity, held : ndarray, shape (n_bars,)
        Cash and positions at those closes, and the notional held; quote currency.
    trades, fills, orders : structured arrays
        TRADE in the order of their ends, FILL, ORDER; see `trading.records`.
    account, tally : structured arrays, shape (1,)
        ACCOUNT and TALLY at the end.
    decisions : Decisions or None
        What was judged; None for a run of a given signal.
    setup : TradeSetup
        What was traded under.
    bars : tuple of Bars
        Base bars by symbol, for pictures.
    source : str
        Stamp of the bars, e.g. ``simulated``.
    funded : bool
        Whether funding was known all along; otherwise the metric is NaN.
    drilled : Drilled or None
        How much was walked in finer bars.
    coverage : Coverage
    capsule : Capsule
        All that the run depends on, hashed.
    warnings : tuple of str
        What a reader must know.
    """

    symbols: tuple[str, ...]
    base: Timeframe
    decision: Timeframe
    time: TimeArray
    equity: FloatArray
    held: FloatArray
    trades: NDArray[Any]
    fills: NDArray[Any]
    orders: NDArray[Any]
    account: Records
    tally: Records
    decisions: Decisions | None
    setup: TradeSetup
    bars: tuple[Bars, ...] = field(repr=False)
    source: str
    funded: bool
    drilled: Drilled | None
    coverage: Coverage = field(repr=False)
    capsule: Capsule = field(repr=False)
    warnings: tuple[str, ...] = ()

    @cached_property
    def metrics(self) -> Metrics:
        """What the run was worth."""
        return measure(Run(
            self.time, self.equity, self.setup.cash, self.held, self.trades, self.account[0],
            self.funded,
        ))

    @property
    def funding(self) -> float | None:
        """Funding got (paid where negative), quote currency; None where it is not known."""
        return float(self.account["funding"][0]) if self.funded else None

    @property
    def monthly(self) -> pd.DataFrame:
        """Returns by year and month, as fractions."""
        return monthly_returns(self.time, self.equity, self.setup.cash)

    def __repr__(self) -> str:
        m = self.metrics
        span = f"{utc_text(int(self.time[0]))} to {utc_text(int(self.time[-1]))}"
        stamp = f" [{self.source}]" if self.source else ""
        return (
            f"<Backtest of {', '.join(self.symbols) or 'bars'}{stamp}, {span}: {m.trades} trades, "
            f"return {m.total_return:+.2%}, drawdown {m.max_drawdown:.2%}, Sharpe {m.sharpe:.2f}>"
        )

    def __len__(self) -> int:
        return self.time.size

    def to_frame(self) -> pd.DataFrame:
        """Return equity, notional held and drawdown by tz-aware close in UTC."""
        peak = np.maximum.accumulate(np.maximum(self.equity, self.setup.cash))
        return pd.DataFrame(
            {"equity": self.equity, "held": self.held, "drawdown": 1.0 - self.equity / peak},
            index=_index(self.time),
        )

    def trades_frame(self) -> pd.DataFrame:
        """Return the trades, one a row, with tz-aware times."""
        return _framed(trade_columns(self), ("entry_ts", "exit_ts"))

    def fills_frame(self) -> pd.DataFrame:
        """Return the fills, one a row, with tz-aware times."""
        return _framed(fill_columns(self), ("time",))

    def orders_frame(self) -> pd.DataFrame:
        """Return the orders and what became of each, also of those that a limit refused.

        `bound` tells what held the size of an entry that was filled.
        """
        orders = self.orders
        return _framed({
            "time": orders["time"],
            "symbol": [self.symbols[i] for i in orders["symbol"].tolist()],
            "side": ["BUY" if s > 0 else "SELL" for s in orders["side"].tolist()],
            "reason": [REASONS[r] for r in orders["reason"].tolist()],
            "status": [STATUSES[s] for s in orders["status"].tolist()],
            "limit": orders["limit"],
            "stop_distance": orders["distance"],
            "score": orders["score"],
            "confidence": orders["confidence"],
            "bound": [BOUNDS[b] if b >= 0 else "" for b in orders["bound"].tolist()],
        }, ("time",))

    def refused(self) -> dict[str, int]:
        """Count the entries that were refused, by the limit that did."""
        counts = np.bincount(self.orders["status"], minlength=len(STATUSES)).tolist()
        return {name: n for name, n in zip(STATUSES[3:], counts[3:], strict=True) if n}

    def export(self, format: str = "html", table: str = "trades") -> bytes:
        """Return the result as a file: its table, with metrics, settings and what it depends on.

        Parameters
        ----------
        format : str
            ``csv``, ``json``, ``parquet`` or ``html``.
        table : str
            What a csv or parquet file holds: ``trades``, ``fills`` or ``equity``; json and html
            hold all.

        Raises
        ------
        ValueError
            If one is unknown.
        """
        from opportunity.backtest.export import export

        about = {
            "config": self.setup.as_dict(), "capsule": self.capsule.as_dict(),
            "warnings": list(self.warnings),
        }  # fmt: skip
        return export(self, about, format, table)

    def save(self, path: str | Path, table: str = "trades") -> Path:
        """Write the result to a file, in the format that its name ends with; see `export`.

        Raises
        ------
        ValueError
            If the ending or the table is unknown; nothing is written then.
        """
        to = Path(path)
        to.write_bytes(self.export(to.suffix.removeprefix(".").lower(), table))
        return to

    def _repr_html_(self) -> str:
        from opportunity.backtest.summary import summary

        return summary(self)

    def plot(self, **options: Any) -> Any:
        """Return price with trades, equity, drawdown and contributions as one linked picture.

        Parameters
        ----------
        **options
            See `plots.backtest`.
        """
        from opportunity.plots import backtest

        return backtest(self, **options)


def _index(time: TimeArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(time, unit="ms", utc=True), name="time")


def _framed(columns: Mapping[str, Column], times: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})
    for name in times:
        frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame
