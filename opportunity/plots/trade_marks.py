"""Trades on a chart of prices: where they began, where and why they ended, and their first stop."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.backtest.result import BacktestResult
from opportunity.plots.looks import Look
from opportunity.trading.records import (
    END,
    ENTRY,
    FILLED,
    GONE,
    MANUAL,
    SIGNAL,
    STOP,
    TARGET,
    TIME,
)

MOST: Final = 1_500
"""Fills and trades that are drawn; of more, so many of them evenly."""

EXITS: Final = {
    STOP: ("stop", "x", "bear"), TARGET: ("target", "circle", "bull"),
    TIME: ("time stop", "square", "dim"), SIGNAL: ("signal", "diamond", "acc"),
    END: ("end of test", "square_pin", "dim"), MANUAL: ("by hand", "hex", "acc"),
    GONE: ("not watched", "star", "dim"),
}  # fmt: skip
"""Word, glyph and colour of each reason to leave."""

Rows = NDArray[Any]


def trade_marks(hv: Any, result: BacktestResult, symbol: int, look: Look, span: Any) -> list[Any]:
    """Draw the trades of one symbol.

    Parameters
    ----------
    hv : module
        HoloViews.
    result : BacktestResult
    symbol : int
        Its number.
    look : Look
    span : tuple of int
        First and last time to draw, ms UTC.

    Returns
    -------
    list of holoviews elements
        Lines from entry to exit (dashed where money was lost), first stops, entries (a triangle
        up for long and down for short), exits by reason; a partial one is smaller.
    """
    trades, fills = result.trades, result.fills
    stops = stop_distances(result, symbol)
    kept = (trades["symbol"] == symbol) & (trades["closed"] >= span[0])
    trades = _some(trades[kept & (trades["opened"] <= span[1])])
    inside = (fills["symbol"] == symbol) & (fills["time"] >= span[0]) & (fills["time"] <= span[1])
    fills = _some(fills[inside])
    return [
        *_lines(hv, trades, look), *_stops(hv, trades, stops, look), *_entries(hv, fills, look),
        *_exits(hv, fills, look, result),
    ]  # fmt: skip


def stop_distances(result: BacktestResult, symbol: int) -> dict[int, float]:
    """Return how far the first stop of each trade was from its entry, price; by its number.

    Trades are numbered by their entries, so those of a symbol are in the order of the orders that
    were filled.
    """
    orders, trades = result.orders, result.trades
    entered = (orders["symbol"] == symbol) & (orders["reason"] == ENTRY)
    distances = orders["distance"][entered & (orders["status"] == FILLED)]
    numbers = np.sort(trades["number"][trades["symbol"] == symbol])
    if distances.size != numbers.size:
        return {}
    return {
        n: d for n, d in zip(numbers.tolist(), distances.tolist(), strict=True)
        if np.isfinite(d) and d > 0
    }


def _some(rows: Rows) -> Rows:
    if rows.size <= MOST:
        return rows
    return rows[np.linspace(0, rows.size - 1, MOST).astype(np.int64)]


def _when(times: Rows) -> pd.DatetimeIndex:
    return pd.to_datetime(times, unit="ms")


def _lines(hv: Any, trades: Rows, look: Look) -> list[Any]:
    found = []
    for won in (True, False):
        some = trades[(trades["pnl"] > 0) == won]
        if some.size:
            found.append(_segments(hv, some, some["entry"], some["exit"]).opts(
                color=look.bull if won else look.bear, line_width=1.5,
                line_dash="solid" if won else "dashed", alpha=0.8,
            ))  # fmt: skip
    return found


def _stops(hv: Any, trades: Rows, distances: dict[int, float], look: Look) -> list[Any]:
    known = np.array([distances.get(n, np.nan) for n in trades["number"].tolist()])
    there = np.isfinite(known)
    if not there.any():
        return []
    some = trades[there]
    level = some["entry"] - some["side"] * known[there]
    return [
        _segments(hv, some, level, level).opts(
            color=look.bear, line_width=1, line_dash="dotted", alpha=0.7
        )
    ]


def _segments(hv: Any, trades: Rows, first: Rows, last: Rows) -> Any:
    return hv.Segments(
        (_when(trades["opened"]), first, _when(trades["closed"]), last),
        ["time", "price", "t1", "p1"],
    )


def _entries(hv: Any, fills: Rows, look: Look) -> list[Any]:
    found = []
    for side, label, marker, colour in (
        (1, "long", "triangle", look.bull), (-1, "short", "inverted_triangle", look.bear),
    ):  # fmt: skip
        some = fills[(fills["reason"] == ENTRY) & (fills["side"] == side)]
        if some.size:
            found.append(_points(hv, some, [label] * some.size, label).opts(
                marker=marker, color=colour, line_color=look.panel, size=11, **_HOVER
            ))  # fmt: skip
    return found


def _exits(hv: Any, fills: Rows, look: Look, result: BacktestResult) -> list[Any]:
    entered = result.fills["reason"] == ENTRY
    whole = dict(
        zip(
            result.fills["number"][entered].tolist(), result.fills["quantity"][entered].tolist(),
            strict=True,
        )
    )  # fmt: skip
    found = []
    for reason, (word, marker, tone) in EXITS.items():
        some = fills[fills["reason"] == reason]
        if not some.size:
            continue
        shares = [
            q / whole.get(n, q)
            for n, q in zip(some["number"].tolist(), some["quantity"].tolist(), strict=True)
        ]
        words = [f"{word}, {share:.0%} of the entry" for share in shares]
        colour = getattr(look, tone)
        drawn = _points(hv, some, words, word, np.where(np.array(shares) < 0.999, 6.0, 9.0))
        found.append(drawn.opts(
            marker=marker, size="size", color=colour, line_color=colour, line_width=2,
            fill_alpha=0.3, **_HOVER,
        ))  # fmt: skip
    return found


_HOVER: Final[dict[str, Any]] = {
    "tools": ["hover"],
    "hover_tooltips": [
        ("", "@what"), ("time", "@time{%F %H:%M}"), ("price", "@price{0,0.[000000]}"),
        ("quantity", "@quantity{0,0.[000000]}"), ("trade", "@trade"),
    ],
}  # fmt: skip


def _points(hv: Any, fills: Rows, words: list[str], label: str, sizes: Any = 9.0) -> Any:
    return hv.Points(
        (
            _when(fills["time"]), fills["price"], words, fills["quantity"],
            fills["number"].astype(np.int64) + 1, np.broadcast_to(sizes, fills.shape),
        ),
        ["time", "price"], ["what", "quantity", "trade", "size"], label=label,
    )  # fmt: skip
