"""A backtest as one picture: price with trades, equity, drawdown, contributions."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from opportunity.backtest.result import BacktestResult
from opportunity.backtest.span import Moment, span_of
from opportunity.errors import unknown
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.plots.candles import candles
from opportunity.plots.contribution_rows import contribution_rows
from opportunity.plots.looks import Look, dress, holoviews, look_of
from opportunity.plots.trade_marks import trade_marks
from opportunity.plots.zoom import Series, curve, fit

CANDLES: Final = 400
"""Bars up to which candles can be told apart."""

HEIGHTS: Final = {"price": 340, "equity": 180, "drawdown": 110, "contributions": 210}
AXIS: Final = 24
"""Of the time axis, below the last picture; pixels."""

Price = Literal["auto", "candles", "line"]


@dataclass(frozen=True, slots=True)
class _View:
    """What of a result is drawn, and how."""

    result: BacktestResult
    symbol: int
    span: tuple[int, int]
    look: Look
    width: int | None
    detail: bool

    @property
    def bars(self) -> Bars:
        bars = self.result.bars[self.symbol]
        close = bars.close_time
        return bars[
            int(np.searchsorted(close, self.span[0])) : int(
                np.searchsorted(close, self.span[1], "right")
            )
        ]

    def between(self, time: TimeArray, values: FloatArray) -> Series:
        part = (time >= self.span[0]) & (time <= self.span[1])
        return Series(time[part], values[part])

    def opts(self, name: str, title: str, **more: Any) -> dict[str, Any]:
        size: dict[str, Any] = (
            {"responsive": True, "min_width": 200} if self.width is None else {"width": self.width}
        )
        tone = "warn" if "SIMULATED" in title else "dim"
        hooks = [fit] if name in ("price", "equity") else []
        return {
            "height": HEIGHTS[name], "title": title, "yaxis": "right", "xlabel": "",
            "default_tools": ["xpan", "xwheel_zoom", "xbox_zoom", "reset", "save"],
            "active_tools": ["xpan"], "padding": (0, 0.08), "show_grid": True,
            "gridstyle": {"xgrid_line_color": None}, "toolbar": "above",
            "hooks": [dress(self.look, tone, aligned=True), *hooks],
            **size, **more,
        }  # fmt: skip


def backtest(
    result: BacktestResult,
    *,
    symbol: str | None = None,
    start: Moment = None,
    end: Moment = None,
    price: Price = "auto",
    theme: str = "light",
    width: int | None = 900,
    detail: bool = True,
) -> Any:
    """Draw a backtest: price with trades, equity, drawdown and contributions on one time axis.

    Panning or zooming one moves all. Entries are triangles (up is long, down is short), exits tell
    their reason by their shape, lines of trades that lost are dashed, first stops are dotted.

    Parameters
    ----------
    result : BacktestResult
    symbol : str, optional
        Whose price, trades and contributions; defaults to the first. The equity is that of all.
    start, end : int, str or datetime, optional
        Part to draw, as `op.prepare` takes it.
    price : str
        ``candles``, ``line`` of closes, or ``auto``: candles up to 400 bars.
    theme : str
        ``light``, ``dark`` or ``contrast``.
    width : int, optional
        Pixels; None: as wide as where it stands.
    detail : bool
        Whether curves of many points take all of them along, so that zooming shows more; without
        it a saved picture is smaller.

    Returns
    -------
    holoviews.Layout
        One column; a curve has at most 1,500 points in view.

    Raises
    ------
    ValueError
        If symbol, theme or kind of price are unknown, or nothing falls into the span.
    """
    if price not in ("auto", "candles", "line"):
        raise ValueError(unknown("price", price, ("auto", "candles", "line")))
    view = _View(
        result, _number(result, symbol), _span(result, start, end), look_of(theme), width, detail
    )
    hv = holoviews()
    parts = [_price(hv, view, price), _equity(hv, view), _drawdown(hv, view)]
    rows = _contributions(hv, view)
    if rows is not None:
        parts.append(rows)
    parts = [part.opts(xaxis=None) for part in parts[:-1]] + [parts[-1].opts(xaxis="bottom")]
    return hv.Layout(parts).cols(1).opts(shared_axes=True, merge_tools=True)


def _number(result: BacktestResult, symbol: str | None) -> int:
    if symbol is None:
        return 0
    if symbol not in result.symbols:
        raise ValueError(unknown("symbol of the backtest", symbol, result.symbols))
    return result.symbols.index(symbol)


def _span(result: BacktestResult, start: Moment, end: Moment) -> tuple[int, int]:
    asked, time = span_of(start, end), result.time
    first = int(time[0]) if asked.start is None else max(asked.start, int(time[0]))
    last = int(time[-1]) if asked.end is None else min(asked.end, int(time[-1]))
    if np.searchsorted(time, first) >= np.searchsorted(time, last, "right"):
        raise ValueError(f"start and end must hold bars of the backtest, were {start} and {end}")
    return first, last


def _price(hv: Any, view: _View, kind: Price) -> Any:
    bars, look, result = view.bars, view.look, view.result
    stamp = "SIMULATED MARKET · " if "simulated" in result.source else f"{result.source} "
    title = f"{stamp if result.source else ''}{bars.symbol} {result.base}"
    if result.decision != result.base:
        title += f", decided every {result.decision}"
    if not len(bars):
        drawn = hv.Curve([], "time", "price")
    elif kind == "candles" or (kind == "auto" and len(bars) <= CANDLES):
        drawn = candles(hv, bars, look, hollow=True, centred=True)
    else:
        series = Series(bars.close_time, bars.close)
        drawn = curve(hv, series, "price", detail=view.detail).opts(color=look.dim, line_width=1)
    drawn = hv.Overlay([drawn]) if not isinstance(drawn, hv.Overlay) else drawn
    for mark in trade_marks(hv, result, view.symbol, look, view.span):
        drawn *= mark
    return drawn.opts(**view.opts(
        "price", title, ylabel="", show_legend=True, legend_position="top_left",
        legend_opts={"orientation": "horizontal"},
    ))  # fmt: skip


def _equity(hv: Any, view: _View) -> Any:
    from opportunity.backtest.baselines import buy_and_hold
    from opportunity.backtest.prices import Prices

    result, look = view.result, view.look
    held = buy_and_hold(Prices.of_bars(result.bars), result.setup.costs, result.setup.cash)
    mine = view.between(result.time, result.equity)
    other = view.between(held.time, held.equity)
    drawn = curve(hv, other, "equity", "buy and hold", view.detail).opts(
        color=look.dim, line_width=1, line_dash="dashed"
    ) * curve(hv, mine, "equity", "equity", view.detail).opts(
        color=look.acc, line_width=1.6, tools=["hover"],
        hover_tooltips=[("", "@time{%F %H:%M}"), ("equity", "@equity{0,0.00}")],
        hover_mode="vline",
    )  # fmt: skip
    drawn *= hv.HLine(result.setup.cash).opts(color=look.line, line_width=1)
    return drawn.opts(**view.opts(
        "equity", "Equity", ylabel="", legend_position="top_left",
        legend_opts={"orientation": "horizontal"},
    ))  # fmt: skip


def _drawdown(hv: Any, view: _View) -> Any:
    result, look = view.result, view.look
    peak = np.maximum.accumulate(np.maximum(result.equity, result.setup.cash))
    fall = view.between(result.time, 100.0 * (result.equity / peak - 1.0))
    few = fall.thinned()
    area = hv.Area((few.when, few.values), "time", "drawdown").opts(
        color=look.bear, alpha=0.18, line_alpha=0
    )
    line = curve(hv, fall, "drawdown", detail=view.detail).opts(color=look.bear, line_width=1)
    return (area * line).opts(
        **view.opts("drawdown", "Drawdown, %", ylabel="", show_legend=False, yticks=4)
    )


def _contributions(hv: Any, view: _View) -> Any:
    if view.result.decisions is None:
        return None
    rows = contribution_rows(hv, view.result.decisions, view.symbol, view.look, view.span)
    if rows is None:
        return None
    title = "Contributions: up is bullish, down bearish"
    return rows.opts(
        **view.opts("contributions", title, show_legend=False, show_grid=False)
    )
