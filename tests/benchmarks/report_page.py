"""The detector report as one HTML page and as a short table in Markdown."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opportunity.detectors import DETECTORS
from opportunity.market.timeframe import utc_text
from opportunity.scoring.calibration import Measured
from opportunity.scoring.forward import Bounded
from opportunity.scoring.reliability import Reliability
from opportunity.scoring.study import Study
from tests.benchmarks.report_pictures import Mark, Panel, curve, forest

TITLES = {d.name: d.title for d in DETECTORS} | {"score": "Score"}
DASH = "\N{EN DASH}"
COST = 0.003
"""A round trip at 0.05 % fee and 0.1 % slippage a side, fraction of the price."""

LEAST_SHOWN = 0.00005
"""The least share that two places of a percentage show."""

WANTING = {
    "whales": "it reads prints, the book and transfers",
    "news": "it reads headlines",
    "sentiment": "it reads Fear & Greed, funding, open interest and long/short ratios",
}
"""What a detector reads that speaks only with records."""

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1c2230; --dim: #667085; --line: #e3e6ec;
  --real: #2563eb; --null: #98a2b3; --pos: #0d9668; --neg: #dc3545; }
@media (prefers-color-scheme: dark) { :root { --bg: #12151c; --fg: #e6e9ef; --dim: #98a2b3;
  --line: #2a303c; --real: #6ea0ff; --null: #667085; --pos: #34d399; --neg: #f87171; } }
body { background: var(--bg); color: var(--fg); font: 15px/1.5 system-ui, sans-serif;
  max-width: 1160px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2.2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 4px 7px; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } td { white-space: nowrap; }
.wide { overflow-x: auto; scrollbar-width: thin; scrollbar-color: var(--dim) transparent; }
.wide svg { max-width: none; } .dim, small { color: var(--dim); }
.grid { display: flex; flex-wrap: wrap; gap: 10px; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--fg); font: 12px system-ui, sans-serif; }
svg text.tick { fill: var(--dim); font-size: 10.5px; } svg text.head { font-weight: 600; }
svg line.grid { stroke: var(--line); } svg line.zero { stroke: var(--dim); }
svg line.real, svg polyline.real { stroke: var(--real); stroke-width: 1.8; fill: none; }
svg line.null, svg polyline.null { stroke: var(--null); stroke-width: 1.4; fill: none; }
svg circle.real { fill: var(--real); } svg circle.null { fill: var(--bg); stroke: var(--null); }
.pos { color: var(--pos); } .neg { color: var(--neg); }
"""


@dataclass(frozen=True)
class Report:
    """Everything that the page shows.

    Parameters
    ----------
    study, null : Study
        Of the recorded bars, and of the same with every bar upside down or not by a coin.
    events, null_events : dict of str to float
        Things that make news, per 1,000 bars, by detector.
    edges : dict of str to ndarray
        Edge of each name at the middle horizon, by symbol.
    calibration : Measured or None
        Of the score, walked forward; None where there was too little.
    spans : sequence of (symbol, n_bars, first, last)
        Opening times in ms UTC.
    atr : float
        Median ATR 14, fraction of the price.
    version : str
        Of the kernels.
    source : str
        Of the bars.
    """

    study: Study
    null: Study
    events: dict[str, float]
    null_events: dict[str, float]
    edges: dict[str, Any]
    calibration: Measured | None
    spans: Sequence[tuple[str, int, int, int]]
    atr: float
    version: str
    source: str


def page(report: Report) -> str:
    """Return the whole page; nothing is loaded from elsewhere."""
    study = report.study
    names = [TITLES[n] for n in study.names]
    parts = [
        "<h1>What the detectors knew</h1>", _intro(report), "<h2>In short</h2>", _findings(report),
        "<h2>How often each speaks</h2>", _habits(report),
    ]
    for title, field, form, unit, note in (
        ("Hit rate against chance", "edge", "{:+.1f}", 100.0,
         "Percentage points above what blind calls, as often long and short, would have hit."),
        ("Information coefficient", "information", "{:+.2f}", 1.0,
         "Rank correlation of score and move, mean over the symbols."),
        ("Mean move to the called side", "move", "{:+.2f}", 1.0,
         f"In ATR of the calling bar. A round trip at 0.05 % fee and 0.1 % slippage a side "
         f"costs about {COST / report.atr:.2f} ATR ({100 * COST:.1f} % of the price; all symbols' "
         f"median ATR {100 * report.atr:.2f} %)."),
    ):
        panels = [
            Panel(f"{h} bars", _marks(getattr(study.knowledge, field), i),
                  _marks(_matched(report, field), i))
            for i, h in enumerate(study.horizons)
        ]
        parts += [f"<h2>{title}</h2>", f"<p>{note} Full: recorded bars; hollow: null market.</p>",
                  _wide(forest(names, panels, form, unit))]
    parts += [
        "<h2>All numbers</h2>", *(_numbers(report, i) for i in range(len(study.horizons))),
        "<h2>By symbol</h2>", _by_symbol(report),
        "<h2>Do they say the same?</h2>", _correlations(study),
        "<h2>Does confidence mean anything?</h2>", _deciles(study),
        "<h2>Calibration, before and after</h2>", _calibration(report),
        "<h2>How it was measured</h2>", _method(report),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>What the detectors knew</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def markdown(report: Report) -> str:
    """Return the summary."""
    study, habits = report.study, report.study.habits
    h24 = len(study.horizons) // 2
    sure = bool((habits.sure >= LEAST_SHOWN).any())
    lines = [
        "# What the detectors knew", "",
        f"{len(report.spans)} symbols of {report.source}, {study.n_bars:,} bars of 1h, "
        f"{_day(min(s[2] for s in report.spans))} to {_day(max(s[3] for s in report.spans))}; "
        f"in sample, before costs.{_absent(report)} Made by `make report-detectors`; pictures, "
        "intervals of every number and the method are in [detectors.html](detectors.html).", "",
        "| | speaks on | " + " | ".join(f"hit rate {h}" for h in study.horizons)
        + f" | null {study.horizons[h24]} | move {study.horizons[h24]}, ATR | IC "
        f"{study.horizons[h24]} |" + (" confidence > 0.7 |" if sure else "")
        + " > 0.7 of its highest |",
        "|---|" + "---|" * (len(study.horizons) + 5 + sure),
    ]
    known, null = study.knowledge, _matched(report, "hit_rate")
    for j, name in enumerate(study.names):
        hits = [_with(known.hit_rate, i, j, 100.0, "{:.1f}") for i in range(len(study.horizons))]
        lines.append(
            f"| {name} | {habits.speaking[j]:.0%} | " + " | ".join(hits)
            + f" | {_with(null, h24, j, 100.0, '{:.1f}')} "
            f"| {_with(known.move, h24, j, 1.0, '{:+.3f}')} "
            f"| {_with(known.information, h24, j, 1.0, '{:+.3f}')} "
            + (f"| {habits.sure[j]:.2%} " if sure else "")
            + f"| {habits.sure_of_ceiling[j]:.1%} |"
        )
    lines += [
        "", "Hit rates in percent with 95 % intervals; null is the same bars, each upside down or "
        "not by the toss of a coin. IC is the rank correlation of score and move, mean over the "
        "symbols. The last column is the share of bars whose confidence is above 0.7 of the "
        "highest that this detector reached."
        + ("" if sure else " Above 0.7 itself was none of them"
           + (" on as much as 0.01 % of the bars." if habits.sure.any() else ".")),
        "",
    ]
    if report.calibration is not None:
        one = report.calibration
        lines += [
            "| probability of the score's side | Brier | ECE | log loss | AUC |",
            "|---|---|---|---|---|",
            *(f"| {name} | {_stated(r, 'brier')} | {_stated(r, 'ece')} | "
              f"{_stated(r, 'log_loss')} | {r.auc:.3f} |" for name, r in _stages(one)), "",
            f"Walked forward over {one.success.n:,} calls with a direction, of which "
            f"{one.success.hit_rate:.1%} touched the barrier of their side first. Calibration "
            f"lowered the Brier score by {one.gain:.4f} ({one.gain_within[0]:.4f} to "
            f"{one.gain_within[1]:.4f}).", "",
        ]
    return "\n".join([*lines, *_listed(_sentences(report)), ""])


def _listed(sentences: list[str]) -> list[str]:
    first, *found, last = sentences
    return [first, "", *(f"- {f}" for f in found), "", last]


# -- parts of the page -------------------------------------------------------------------------


def _intro(report: Report) -> str:
    first, last = min(s[2] for s in report.spans), max(s[3] for s in report.spans)
    return (
        f"<p>{len(report.spans)} symbols of {html.escape(report.source)} at 1h, "
        f"{report.study.n_bars:,} bars from {_day(first)} to {_day(last)}, default parameters, "
        f"balanced weights.{html.escape(_absent(report))}</p>"
    )


def _absent(report: Report) -> str:
    """Say which detectors are not measured and why, with a space before; empty if all are."""
    absent = [d for d in DETECTORS if d.name not in report.study.names]
    if not absent:
        return ""
    told = [f"{d.title} ({WANTING[d.name]})" if d.name in WANTING else d.title for d in absent]
    return f" Not measured, for want of records of these years: {', '.join(told)}."


def _findings(report: Report) -> str:
    first, *found, last = _sentences(report)
    items = "".join(f"<li>{html.escape(f)}</li>" for f in found)
    return f"<p>{html.escape(first)}</p><ul>{items}</ul><p>{html.escape(last)}</p>"


def _sentences(report: Report) -> list[str]:
    """Say which intervals leave out 0, and how many would by chance."""
    study = report.study
    n = len(study.names) * len(study.horizons)
    told = [
        f"Of {n} intervals of each measure about {0.05 * n:.0f} would leave out chance by luck "
        "alone. These do:"
    ]
    for field, words, base in (("edge", "Hit rate", "chance"), ("move", "Mean move", "0")):
        bounded: Bounded = getattr(study.knowledge, field)
        for side, out in (("above", bounded.low > 0), ("below", bounded.high < 0)):
            found = [
                f"{TITLES[name]} at {', '.join(hs)}"
                for j, name in enumerate(study.names)
                if (hs := [str(h) for i, h in enumerate(study.horizons) if out[i, j]])
            ]
            told.append(f"{words} {side} {base}: {'; '.join(found) or 'none'}.")
    told.append(
        "A hit rate below chance with a mean move above 0 is what following trends looks like: "
        "many small losses, few large gains; the reverse is what fading them looks like. Nothing "
        "here is out of sample, and costs are not taken off."
    )
    return told


def _habits(report: Report) -> str:
    real, null = report.study.habits, report.null.habits
    at = _places(report)
    rows = []
    for j, name in enumerate(report.study.names):
        k = at[j]
        event = report.events.get(name)
        rows.append([
            TITLES[name], f"{real.available[j]:.1%}", f"{real.speaking[j]:.1%}",
            _or_dash(null.speaking, k, "{:.1%}"), f"{real.turns[j]:.1f}",
            _or_dash(null.turns, k, "{:.1f}"),
            DASH if event is None else f"{event:.1f}",
            DASH if event is None else f"{report.null_events.get(name, float('nan')):.1f}",
            f"{real.ceiling[j]:.2f}", f"{real.sure[j]:.2%}", _or_dash(null.sure, k, "{:.2%}"),
            f"{real.sure_of_ceiling[j]:.1%}",
            DASH if k is None else f"{_sure_null(report, j, k):.1%}",
        ])
    head = ["", "available", "speaks", "null", "turns / 1,000", "null", "events / 1,000", "null",
            "highest c", "c > 0.7", "null", "c > 0.7 highest", "null"]
    return _table(head, rows) + (
        "<p class='dim'>Available: share of bars with a score. Speaks: |score| ≥ 0.02. Turns: a "
        "side is newly taken. Events: things that make news in words and badges. c: confidence; "
        "“highest” is the highest seen on recorded bars. Null: the same in the null market.</p>"
    )


def _sure_null(report: Report, j: int, k: int) -> float:
    """Share of the null market's bars above 0.7 of the confidence that recorded bars reach."""
    trust = np.concatenate([s.confidences[:, k] for s in report.null._streams])
    there = np.isfinite(trust)
    return float((trust[there] > 0.7 * report.study.habits.ceiling[j]).mean())


def _numbers(report: Report, i: int) -> str:
    known, horizon = report.study.knowledge, report.study.horizons[i]
    rows = []
    for j, name in enumerate(report.study.names):
        rows.append([
            TITLES[name], f"{known.calls[i, j]:,.0f}",
            _with(known.hit_rate, i, j, 100.0, "{:.2f}"), f"{100 * known.chance[i, j]:.2f}",
            _with(known.edge, i, j, 100.0, "{:+.2f}", colour=True),
            _with(_matched(report, "edge"), i, j, 100.0, "{:+.2f}"),
            _with(known.move, i, j, 1.0, "{:+.3f}", colour=True),
            _with(known.information, i, j, 1.0, "{:+.4f}", colour=True),
        ])
    head = [f"{horizon} bars", "calls", "hit rate %", "chance %", "edge", "edge, null",
            "move, ATR", "IC"]
    return _table(head, rows)


def _by_symbol(report: Report) -> str:
    study = report.study
    horizon = study.horizons[len(study.horizons) // 2]
    rows = [
        [html.escape(symbol), *(_coloured(100 * e, "{:+.1f}", abs(e) > 0.02) for e in edges)]
        for symbol, edges in report.edges.items()
    ]
    return (
        f"<p>Hit rate against chance at {horizon} bars, percentage points; beyond 2 coloured.</p>"
        + _table(["", *(TITLES[n] for n in study.names)], rows)
    )


def _correlations(study: Study) -> str:
    rows = []
    for i, name in enumerate(study.names):
        cells = []
        for j in range(len(study.names)):
            r = study.correlation[i, j]
            tone = "--pos" if r > 0 else "--neg"
            share = 0 if i == j or np.isnan(r) else round(70 * abs(r))
            cells.append(
                f"<td style='background:color-mix(in srgb, var({tone}) {share}%, transparent)'>"
                f"{DASH if np.isnan(r) else f'{r:+.2f}'}</td>"
            )
        rows.append(f"<tr><td>{TITLES[name]}</td>{''.join(cells)}</tr>")
    head = "".join(f"<th>{TITLES[n]}</th>" for n in study.names)
    return _wide(f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>")


def _deciles(study: Study) -> str:
    horizon = study.horizons[len(study.horizons) // 2]
    pictures = []
    for name, tenths in study.deciles.items():
        if tenths.confidence.size:
            hits = tenths.hit_rate
            marks = [Mark(*m) for m in zip(hits.value, hits.low, hits.high, strict=True)]
            across = float(tenths.confidence[0]), float(tenths.confidence[-1])
            pictures.append(curve(TITLES[name], tenths.confidence, marks, (0.4, 0.6), across))
    return (
        f"<p>Hit rate in percent at {horizon} bars by tenths of confidence; a line that rises "
        "would mean that confidence orders calls by how right they are.</p>"
        f"<div class='grid'>{''.join(pictures)}</div>"
    )


def _stages(one: Measured) -> list[tuple[str, Reliability]]:
    return [
        ("before: the score itself", one.final), ("before: the confidence", one.confidence),
        ("after: success", one.success),
    ]


def _calibration(report: Report) -> str:
    one = report.calibration
    if one is None:
        return "<p>Too few outcomes for a calibration.</p>"
    pictures = []
    for name, found in _stages(one):
        marks = [Mark(*m) for m in zip(found.observed, found.low, found.high, strict=True)]
        x = [min(max(float(v), 0.2), 0.8) for v in found.stated]
        pictures.append(curve(name, x, marks, (0.2, 0.8), (0.2, 0.8), diagonal=True))
    rows = [
        [name, f"{r.n:,}", *(_stated(r, f) for f in ("brier", "ece", "log_loss")),
         f"{r.miscalibration:.4f}", f"{r.resolution:.5f}", f"{r.uncertainty:.4f}", f"{r.auc:.3f}"]
        for name, r in _stages(one)
    ]
    low, high = one.gain_within
    head = ["", "calls", "Brier", "ECE", "log loss", "miscalibration", "resolution", "uncertainty",
            "AUC"]
    return (
        "<p>Calls of the score that had a direction. Right means that the price touched 1.5 ATR on "
        "the called side before 1.5 ATR on the other (or, within 24 bars neither, moved that way); "
        f"{one.success.hit_rate:.1%} were. Each probability was stated by a calibrator that knew "
        "only earlier outcomes. Calibration lowered the Brier score by "
        f"{one.gain:.4f} ({low:.4f} to {high:.4f}); 0.25 is what always saying 50 % would get. "
        "Stated against observed share, in percent; the diagonal is perfect.</p>"
        f"<div class='grid'>{''.join(pictures)}</div>{_table(head, rows)}"
    )


def _method(report: Report) -> str:
    spans = _table(
        ["symbol", "bars", "first", "last"],
        [[html.escape(s), f"{n:,}", _day(a), _day(b)] for s, n, a, b in report.spans],
    )
    return (
        "<p>A call is a bar whose score is at least 0.02 in size; it hits when the close some bars "
        "later lies on its side (no move counts half). Chance is the hit rate of as many blind "
        "calls to each side. Moves are in ATR 14 of the calling bar. Intervals are 95 % of "
        "resamples in blocks of time (at least four horizons and 96 bars), all symbols together, "
        "so that overlapping bars and symbols that move alike widen them. The null market is the "
        "same bars, each turned upside down or not by the toss of a coin: calm and wild stretches "
        "are where they were, but no side can be known, and intervals there should hold 0. "
        "Horizons count bars, also across gaps. Kernels "
        f"{html.escape(report.version)}.</p>{spans}"
    )


# -- numbers -----------------------------------------------------------------------------------


def _places(report: Report) -> list[int | None]:
    known = report.null.names
    return [known.index(n) if n in known else None for n in report.study.names]


def _matched(report: Report, field: str) -> Bounded:
    """Return a measure of the null market in the order of the study's names."""
    bounded: Bounded = getattr(report.null.knowledge, field)
    at = _places(report)
    arrays = []
    for values in (bounded.value, bounded.low, bounded.high):
        columns = [values[:, k] if k is not None else np.full(len(values), np.nan) for k in at]
        arrays.append(np.stack(columns, axis=1))
    return Bounded(*arrays)


def _marks(bounded: Bounded, i: int) -> list[Mark]:
    return [
        Mark(*m) for m in zip(bounded.value[i], bounded.low[i], bounded.high[i], strict=True)
    ]


def _with(
    bounded: Bounded, i: int, j: int, unit: float, form: str, colour: bool = False
) -> str:
    value, low, high = (unit * float(a[i, j]) for a in (bounded.value, bounded.low, bounded.high))
    if np.isnan(value):
        return DASH
    text = _coloured(value, form, colour and (low > 0 or high < 0))
    if np.isnan(low):
        return text
    bounds = f"[{form.format(low)}, {form.format(high)}]"
    return f"{text} <small>{bounds}</small>" if colour else f"{text} {bounds}"


def _coloured(value: float, form: str, stands_out: bool) -> str:
    if np.isnan(value):
        return DASH
    text = form.format(value)
    return f"<b class='{'pos' if value > 0 else 'neg'}'>{text}</b>" if stands_out else text


def _stated(found: Reliability, field: str) -> str:
    low, high = found.intervals[field]
    return f"{getattr(found, field):.4f} [{low:.4f}, {high:.4f}]"


def _or_dash(values: Any, place: int | None, form: str) -> str:
    return DASH if place is None else form.format(values[place])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{h}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return _wide(f"<table><tr>{top}</tr>{body}</table>")


def _wide(content: str) -> str:
    """Put what may be wider than the page in a box that scrolls, also by the arrow keys."""
    return f"<div class='wide' tabindex='0'>{content}</div>"


def _day(time: int) -> str:
    return utc_text(time)[:10]
