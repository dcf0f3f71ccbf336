"""A result as one html file that asks nobody for anything: no script, no font, no picture."""

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

import numpy as np

from opportunity.backtest.baselines import buy_and_hold
from opportunity.backtest.export import flatten
from opportunity.backtest.monthly import monthly_returns
from opportunity.backtest.prices import Prices
from opportunity.backtest.tables import Exportable, plain, thin, trade_columns
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import HOUR_MS, TimeArray, utc_text

WIDTH, HEIGHT, FALL = 960, 260, 90
"""Of the pictures of equity and drawdown, pixels."""

POINTS: Final = 1_600
MOST_TRADES: Final = 500
ROWS: Final = 18
"""Of one table of names and values; several stand side by side."""

LABELS: Final = {"max_drawdown_ms": "longest below a peak"}

_SHARES: Final = frozenset({
    "total_return", "cagr", "volatility", "max_drawdown", "exposure", "win_rate", "var_95",
    "var_99", "es_95", "es_99",
})  # fmt: skip

_STYLE: Final = """
:root{color-scheme:light dark;--line:#2563eb;--fall:#dc2626;--rule:#8884;--quiet:#777}
body{font:14px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.15rem .6rem;border-bottom:1px solid var(--rule);text-align:right}
td:first-child,th:first-child{text-align:left}
.wide{overflow-x:auto}.pairs{display:flex;flex-wrap:wrap;gap:0 2rem;align-items:flex-start}
.pairs td{overflow-wrap:anywhere}
.stamp{border:2px solid var(--fall);padding:.3rem .8rem;display:inline-block}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--quiet)}
.equity{fill:none;stroke:var(--line);stroke-width:1.3}.fall{fill:var(--fall);opacity:.45}
.trades{font-size:12px}.trades td,.trades th{padding:.15rem .35rem}
.held{fill:none;stroke:var(--quiet);stroke-width:1.1;stroke-dasharray:5 4}
.grid{stroke:var(--rule)}.quiet{color:var(--quiet)}
"""


def report(result: Exportable, about: Mapping[str, Any]) -> str:
    """Return the html of a result.

    Parameters
    ----------
    result : BacktestResult
    about : mapping
        As `export` takes it; every value is shown as text.
    """
    title, held = f"Backtest of {', '.join(result.symbols)}", _held(result)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{_span(result.time)}, {len(result.time):,} bars, source "
        f"<b>{escape(result.source)}</b></p>",
        _stamp(result.source),
        _list(about.get("warnings") or ()),
        "<h2>Equity and drawdown</h2>",
        _picture(result.time, result.equity, result.metrics.initial_equity, held),
        "" if held is None else '<p class="quiet">dashed: bought and held, with the same '
        "costs</p>",
        "<h2>Metrics</h2>", _metrics(result.metrics.as_dict()),
        "<h2>Returns by month</h2>", _months(result),
        "<h2>Trades</h2>", _trades(result),
        "<h2>Configuration</h2>", _pairs(flatten(about)),
    ]  # fmt: skip
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _span(time: TimeArray) -> str:
    if not len(time):
        return "no bars"
    return f"{utc_text(int(time[0]))} to {utc_text(int(time[-1]))}"


def _stamp(source: str) -> str:
    if "simulated" not in source:
        return ""
    return '<p class="stamp">An invented market: these prices never existed.</p>'


def _list(lines: Iterable[Any]) -> str:
    items = "".join(f"<li>{escape(str(line))}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _held(result: Exportable) -> FloatArray | None:
    """Return the equity of buying and holding at the same closes, where the bars are there."""
    bars, setup = getattr(result, "bars", ()), getattr(result, "setup", None)
    if not bars or setup is None:
        return None
    held = buy_and_hold(Prices.of_bars(bars), setup.costs, setup.cash).equity
    return held if held.shape == result.equity.shape else None


def _picture(
    time: TimeArray, equity: FloatArray, cash: float, held: FloatArray | None = None
) -> str:
    """Draw the equity and, below it, how far it is under its peak; both thinned by extremes."""
    if len(time) < 2 or not np.isfinite(equity).all():
        return '<p class="quiet">nothing to draw</p>'
    fall = equity / np.maximum.accumulate(np.maximum(equity, cash)) - 1.0
    both = equity if held is None else np.concatenate([equity, held])
    low, high = float(both.min()), float(both.max())
    span = high - low or 1.0
    at = thin(equity, POINTS)
    x = _across(time, at)
    line = _points(x, HEIGHT * (1 - (equity[at] - low) / span))
    beside = ""
    if held is not None:
        kept = thin(held, POINTS)
        other = _points(_across(time, kept), HEIGHT * (1 - (held[kept] - low) / span))
        beside = f'<polyline class="held" points="{other}"/>'
    under = thin(fall, POINTS)
    deepest = min(float(fall.min()), -1e-9)
    area = _points(_across(time, under), HEIGHT + 30 + FALL * fall[under] / deepest)
    floor = HEIGHT + 30
    labels = (
        f'<text x="4" y="-6">{high:,.2f}</text><text x="4" y="{HEIGHT - 4}">{low:,.2f}</text>'
        f'<text x="4" y="{floor + FALL - 4}">{_percent(float(fall.min()))}</text>'
        f'<text x="4" y="{floor + FALL + 16}">{utc_text(int(time[0]))}</text>'
        f'<text x="{WIDTH - 4}" y="{floor + FALL + 16}" text-anchor="end">'
        f"{utc_text(int(time[-1]))}</text>"
    )
    return (
        f'<svg viewBox="0 -20 {WIDTH} {floor + FALL + 42}" role="img" '
        'aria-label="Equity and drawdown">'
        f'<path class="grid" d="M0 {HEIGHT}H{WIDTH}M0 {floor}H{WIDTH}"/>'
        f'{beside}<polyline class="equity" points="{line}"/>'
        f'<polygon class="fall" points="0,{floor} {area} {WIDTH},{floor}"/>{labels}</svg>'
    )


def _across(time: TimeArray, at: Any) -> FloatArray:
    x: FloatArray = (time[at] - time[0]) / (time[-1] - time[0]) * WIDTH
    return x


def _points(x: FloatArray, y: FloatArray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _metrics(values: Mapping[str, float | None]) -> str:
    return _pairs(
        (LABELS.get(name, name.removesuffix("_ms").replace("_", " ")), _worded(name, value))
        for name, value in values.items()
    )


def _worded(name: str, value: float | None) -> Any:
    if value is None:
        return None
    if name in _SHARES:
        return _percent(value)
    return f"{value / HOUR_MS:,.1f} h" if name.endswith("_ms") else value


def _percent(value: float, digits: int = 2) -> str:
    """Word a fraction; what rounds to nothing has no sign."""
    text = f"{value:.{digits}%}"
    return text.removeprefix("-") if not text.strip("-0.%") else text


def _pairs(values: Iterable[tuple[str, Any]]) -> str:
    rows = [
        f"<tr><td>{escape(name)}</td><td>{escape(_text(value))}</td></tr>" for name, value in values
    ]
    parts = ("".join(rows[i : i + ROWS]) for i in range(0, len(rows), ROWS))
    return f'<div class="pairs">{"".join(f"<table>{part}</table>" for part in parts)}</div>'


def _months(result: Exportable) -> str:
    if not len(result.time):
        return ""
    table = monthly_returns(result.time, result.equity, result.metrics.initial_equity)
    head = "".join(f"<th>{name}</th>" for name in ("", *table.columns))
    rows = "".join(
        f"<tr><td>{year}</td>"
        + "".join(f"<td>{'' if v != v else _percent(v, 1)}</td>" for v in row)
        + "</tr>"
        for year, row in zip(table.index, table.to_numpy(), strict=True)
    )
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _trades(result: Exportable) -> str:
    rows = plain(trade_columns(result, MOST_TRADES))
    n = len(result.trades)
    if not n:
        return '<p class="quiet">none</p>'
    shown = ("number", "symbol", "side", "entry_ts", "exit_ts", "entry_price", "exit_price",
             "quantity", "profit", "profit_fraction", "r_multiple", "exit_reason")  # fmt: skip
    for name in ("entry_ts", "exit_ts"):
        rows[name] = [utc_text(time).replace("T", " ") for time in rows[name]]
    rows["profit_fraction"] = [_percent(share) for share in rows["profit_fraction"]]
    head = "".join(f"<th>{name.removesuffix('_ts').replace('_', ' ')}</th>" for name in shown)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_text(cell))}</td>" for cell in cells) + "</tr>"
        for cells in zip(*(rows[name] for name in shown), strict=True)
    )
    note = f"<p>the newest {MOST_TRADES} of {n:,}</p>" if n > MOST_TRADES else ""
    return f'{note}<div class="wide trades"><table><tr>{head}</tr>{body}</table></div>'


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
