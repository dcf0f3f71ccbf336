"""How objects look in a notebook: one small card each, on a light and on a dark page.

No script and nothing from outside; colours come from the page, except for up and down, which a
glyph or a side tells as well. Whatever comes from outside is escaped.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

UP, DOWN, NEUTRAL = "#10b981", "#ef4444", "#64748b"
SIMULATED: Final = "simulated"
INVENTED: Final = "An invented market: these prices never existed."
GLYPHS: Final = {"BULLISH": "▲", "BEARISH": "▼", "NEUTRAL": "●"}
WIDTH, HEIGHT = 520, 72
MOST_POINTS: Final = 260
"""Points of a line; of more, the lowest and the highest of each part are kept."""

_CARD: Final = (
    "font:13px/1.45 system-ui,sans-serif;max-width:44rem;font-variant-numeric:tabular-nums"
)
_DIM: Final = "opacity:.65"


def card(
    title: str, source: str, facts: Iterable[tuple[str, str]] = (), picture: str = "",
    notes: Sequence[str] = (),
) -> str:
    """Return one object as HTML.

    Parameters
    ----------
    title, source : str
        What it is, and where its prices come from; empty for something without prices.
    facts : iterable of (name, value)
    picture : str
        HTML of `line`, `bar_rows` or `table`; it is taken as it is.
    notes : sequence of str
        Below; a simulated source is always said.
    """
    told = [*([INVENTED] if SIMULATED in source else []), *notes]
    stamp = f" <span style='{_DIM}'>{escape(source)}</span>" if source else ""
    cells = "".join(
        f"<div><div style='{_DIM};font-size:11px'>{escape(name)}</div><b>{escape(value)}</b></div>"
        for name, value in facts
    )
    grid = f"<div style='display:flex;flex-wrap:wrap;gap:6px 22px;margin:6px 0'>{cells}</div>"
    below = "".join(f"<div style='{_DIM};font-size:12px'>{escape(note)}</div>" for note in told)
    return (
        f"<div style='{_CARD}'><div><b>{escape(title)}</b>{stamp}</div>"
        f"{grid if cells else ''}{picture}{below}</div>"
    )


def line(values: ArrayLike, label: str, base: float | None = None) -> str:
    """Return a series as a small line, shape (n,); what is not finite is a gap.

    Parameters
    ----------
    values : array_like
    label : str
        Said to who cannot see it.
    base : float, optional
        Where a dotted line lies, e.g. the start cash.
    """
    y = _thinned(np.asarray(values, dtype=np.float64))
    known = y[np.isfinite(y)]
    if known.size < 2:
        return ""
    low, high = float(known.min()), float(known.max())
    if base is not None:
        low, high = min(low, base), max(high, base)
    scale = (HEIGHT - 8) / ((high - low) or 1.0)
    x = np.linspace(2, WIDTH - 2, y.size)
    points = [
        f"{a:.1f} {HEIGHT - 4 - (b - low) * scale:.1f}" if math.isfinite(b) else ""
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    drawn, pen = [], "M"
    for point in points:
        drawn.append(f"{pen}{point}" if point else "")
        pen = "L" if point else "M"
    colour = UP if known[-1] >= (known[0] if base is None else base) else DOWN
    dotted = ""
    if base is not None:
        at = HEIGHT - 4 - (base - low) * scale
        dotted = (
            f"<path d='M0 {at:.1f}H{WIDTH}' stroke='currentColor' stroke-opacity='.35' "
            "stroke-dasharray='2 4' fill='none'/>"
        )
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(label, True)}' "
        f"style='width:100%;max-width:{WIDTH}px;height:{HEIGHT}px'>{dotted}"
        f"<path d='{''.join(drawn)}' stroke='{colour}' stroke-width='1.5' fill='none'/></svg>"
    )


def bar_rows(rows: Iterable[tuple[str, float, str]]) -> str:
    """Return named values as bars from a common middle, negative ones to the left.

    Parameters
    ----------
    rows : iterable of (name, value, text)
        A value that is not finite has no bar.
    """
    listed = [(n, v if math.isfinite(v) else 0.0, t) for n, v, t in rows]
    most = max((abs(v) for _, v, _ in listed), default=0.0) or 1.0
    signed = any(v < 0 for _, v, _ in listed)
    middle, reach = (50.0, 50.0) if signed else (0.0, 100.0)
    told = []
    for name, value, text in listed:
        length = reach * abs(value) / most
        left = middle - length if value < 0 else middle
        colour = NEUTRAL if not signed else UP if value >= 0 else DOWN
        told.append(
            f"<div style='display:flex;gap:10px;align-items:center'>"
            f"<span style='width:7.5em'>{escape(name)}</span>"
            f"<span style='position:relative;width:220px;height:9px'>"
            f"<span style='position:absolute;inset-block:0;left:{left:.1f}%;width:{length:.1f}%;"
            f"background:{colour};border-radius:2px'></span></span>"
            f"<span>{escape(text)}</span></div>"
        )
    return f"<div style='margin:4px 0'>{''.join(told)}</div>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of texts as a plain table."""
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _thinned(y: np.ndarray) -> np.ndarray:
    """Keep the lowest and highest value of each part, in their order, so that no spike is lost."""
    if y.size <= MOST_POINTS:
        return y
    kept = []
    for part in np.array_split(y, MOST_POINTS // 2):
        if not np.isfinite(part).any():
            kept += [np.nan, np.nan]
            continue
        ends = sorted((int(np.nanargmin(part)), int(np.nanargmax(part))))
        kept += [float(part[i]) for i in ends]
    return np.array(kept)
