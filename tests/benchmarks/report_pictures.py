"""Pictures of the detector report as inline SVG; colours come from the page's style sheet."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROW, LEFT, PANEL, GAP, HEAD, FOOT = 26, 96, 250, 22, 24, 26


@dataclass(frozen=True)
class Mark:
    """A number with its bounds; NaN is not drawn."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Panel:
    """One column of a forest plot: real and null marks, row by row."""

    title: str
    real: Sequence[Mark]
    null: Sequence[Mark]


def forest(names: Sequence[str], panels: Sequence[Panel], form: str, unit: float = 1.0) -> str:
    """Draw marks with their intervals, one row a name, one panel a horizon, 0 in the middle.

    Full dots are the recorded bars, hollow ones the null market. `form` writes a number of the
    axis after it was multiplied with `unit`.
    """
    everything = np.array([
        [m.low, m.high, m.value] for p in panels for m in (*p.real, *p.null)
    ])
    reach = 1.08 * float(np.nanmax(np.abs(everything))) or 1.0
    height = HEAD + ROW * len(names) + FOOT
    parts = []
    for k, panel in enumerate(panels):
        x0 = LEFT + k * (PANEL + GAP)
        middle, half = x0 + PANEL / 2, PANEL / 2
        parts.append(_text(middle, 14, panel.title, "middle", "head"))
        for tick in _ticks(reach):
            x = middle + half * tick / reach
            kind = "zero" if tick == 0 else "grid"
            parts.append(_line(x, HEAD, x, HEAD + ROW * len(names), kind))
            parts.append(_text(x, height - 10, form.format(unit * tick), "middle", "tick"))
        for i, (real, null) in enumerate(zip(panel.real, panel.null, strict=True)):
            y = HEAD + ROW * (i + 0.5)
            parts.append(_whisker(null, middle, half / reach, y + 5, "null"))
            parts.append(_whisker(real, middle, half / reach, y - 3, "real"))
    for i, name in enumerate(names):
        parts.append(_text(LEFT - 10, HEAD + ROW * (i + 0.5) + 4, name, "end", "name"))
    width = LEFT + len(panels) * (PANEL + GAP)
    return _svg(width, height, parts)


def curve(
    title: str, x: Sequence[float], marks: Sequence[Mark], span: tuple[float, float],
    across: tuple[float, float], diagonal: bool = False, tone: str = "real",
) -> str:
    """Draw a share against a number: hit rate by confidence, or a reliability curve."""
    width, height, left, top, bottom = 240, 190, 40, 24, 28
    (low, high), (first, last) = span, across

    def at(px: float, py: float) -> tuple[float, float]:
        inside = min(max(py, low), high)
        return (
            left + (width - left - 10) * (px - first) / (last - first or 1.0),
            top + (height - top - bottom) * (high - inside) / (high - low),
        )

    parts = [_text(left, 14, title, "start", "head")]
    for tick in np.linspace(low, high, 5):
        y = at(first, tick)[1]
        kind = "zero" if abs(tick - 0.5) < 1e-9 and not diagonal else "grid"
        parts.append(_line(left, y, width - 10, y, kind))
        parts.append(_text(left - 5, y + 4, f"{100 * tick:.0f}", "end", "tick"))
    for tick, anchor in ((first, "middle"), (last, "end")):
        parts.append(_text(at(tick, low)[0], height - 10, f"{tick:.2f}", anchor, "tick"))
    if diagonal:
        start, end = max(first, low), min(last, high)
        parts.append(_line(*at(start, start), *at(end, end), "zero"))
    points = [
        (*at(a, m.value), *at(a, m.low), *at(a, m.high))
        for a, m in zip(x, marks, strict=True) if np.isfinite(m.value)
    ]
    for px, py, _, y_low, _, y_high in points:
        parts.append(_line(px, y_low, px, y_high, tone))
        parts.append(f'<circle class="{tone}" cx="{px:.1f}" cy="{py:.1f}" r="2.6"/>')
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py, *_ in points)
    parts.append(f'<polyline class="{tone}" points="{path}"/>')
    return _svg(width, height, parts)


def _ticks(reach: float) -> list[float]:
    power = 10 ** np.floor(np.log10(reach))
    step = next(s for s in (power / 5, power / 2, power, 2 * power, 5 * power) if reach / s < 4)
    n = int(reach / step)
    return [step * k for k in range(-n, n + 1)]


def _whisker(mark: Mark, middle: float, scale: float, y: float, kind: str) -> str:
    if not np.isfinite(mark.value):
        return ""
    ends = (mark.low, mark.high) if np.isfinite(mark.low) else (mark.value, mark.value)
    return _line(middle + scale * ends[0], y, middle + scale * ends[1], y, kind) + (
        f'<circle class="{kind}" cx="{middle + scale * mark.value:.1f}" cy="{y:.1f}" r="3.2"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{html.escape(text)}</text>"
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'role="img">{"".join(parts)}</svg>'
    )
