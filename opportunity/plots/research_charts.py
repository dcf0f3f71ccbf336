"""Pictures of searches: many weight vectors, costs against delays, folds of a walk-forward."""

from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.errors import unknown
from opportunity.plots.looks import Look, dress, holoviews, look_of

MOST_DOTS: Final = 2_000
"""Vectors that are drawn as dots; of more, so many of them evenly by their value."""

MOST_CELLS: Final = 60
"""Columns and rows of a heat map up to which its cells carry their numbers: this many cells."""

STRONGEST: Final = 65
"""Part of a tone in the strongest cell, percent: its number must stay readable."""


def sweep(
    frame: pd.DataFrame,
    metric: str = "sharpe",
    against: str | None = None,
    *,
    theme: str = "light",
    width: int = 900,
) -> Any:
    """Draw how a metric spreads over weight vectors, and how it goes with one number.

    Parameters
    ----------
    frame : DataFrame
        One row for each vector, as `SweepResult.to_frame` gives it.
    metric : str
        Column to draw.
    against : str, optional
        Column for the other axis, e.g. a detector's weight; defaults to the one whose rank goes
        along with the metric most.
    theme : str
        ``light``, ``dark`` or ``contrast``.
    width : int
        Of both together, pixels.

    Returns
    -------
    holoviews.Layout
        A histogram with the median and the best, and dots against the other column.

    Raises
    ------
    ValueError
        If a column is unknown, or the metric has no finite value.
    """
    look, hv = look_of(theme), holoviews()
    known = frame[np.isfinite(_column(frame, metric))]
    if known.empty:
        raise ValueError(f"{metric} must have a finite value, had none in {len(frame)} rows")
    other = _strongest(known, metric) if against is None else against
    half = {"width": width // 2, "height": 300}
    return hv.Layout([
        _spread(hv, known[metric], metric, look).opts(**half, hooks=[dress(look)]),
        _dots(hv, known, (other, metric), look).opts(**half, hooks=[dress(look)]),
    ]).cols(2).opts(shared_axes=False)


def surface(
    frame: pd.DataFrame,
    x: str = "delay",
    y: str = "costs",
    metric: str = "total_return",
    *,
    theme: str = "light",
    width: int = 620,
) -> Any:
    """Draw a metric over two numbers as a heat map, e.g. over costs and delays.

    Parameters
    ----------
    frame : DataFrame
        One row for each pair, as `Surface.to_frame` gives it.
    x, y, metric : str
        Columns, or levels of the index.
    theme : str
        ``light``, ``dark`` or ``contrast``.
    width : int
        Pixels.

    Returns
    -------
    holoviews.Overlay
        Cells with their numbers, as long as there are few; losses and gains have colours of
        their own, the middle is 0.

    Raises
    ------
    ValueError
        If a column is unknown.
    """
    look, hv = look_of(theme), holoviews()
    if frame.index.names != [None]:
        frame = frame.reset_index()
    values = _column(frame, metric)
    rows = (_words(_column(frame, x)), _words(_column(frame, y)), values)
    reach = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    cells = hv.HeatMap(rows, [x, y], metric).opts(
        cmap=_diverging(look),
        clim=(-reach, reach), colorbar=True, tools=["hover"], line_color=look.panel,
    )
    drawn = cells
    if len(frame) <= MOST_CELLS:
        texts = [f"{v:.3g}" for v in values.tolist()]
        drawn = cells * hv.Labels((*rows[:2], texts), [x, y], "text").opts(
            text_color=look.text, text_font_size="9pt", padding=0
        )
    return drawn.opts(
        width=width, height=320, title=metric.replace("_", " "), hooks=[dress(look)],
        xlabel=x.replace("_", " "), ylabel=y.replace("_", " "),
    )


def walk_forward(frame: pd.DataFrame, *, theme: str = "light", width: int = 900) -> Any:
    """Draw what each fold promised and kept, and which weights it chose.

    Parameters
    ----------
    frame : DataFrame
        One row for each fold with ``in_sample``, ``out_of_sample``, ``equal_weights`` and the
        weights, as `WalkForward.to_frame` gives it.
    theme : str
        ``light``, ``dark`` or ``contrast``.
    width : int
        Of both together, pixels.

    Returns
    -------
    holoviews.Layout
        Lines of the three values above, a heat map of weights by fold below.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    from opportunity.contracts import DETECTOR_NAMES

    look, hv = look_of(theme), holoviews()
    folds = np.arange(1, len(frame) + 1)
    kinds = (
        ("in_sample", "in sample", look.dim, "dashed", "circle"),
        ("out_of_sample", "out of sample", look.acc, "solid", "square"),
        ("equal_weights", "equal weights", look.warn, "dotted", "triangle"),
    )
    lines = hv.Overlay([
        part
        for name, label, colour, dash, marker in kinds
        for part in (
            hv.Curve((folds, _column(frame, name)), "fold", "value", label=label).opts(
                color=colour, line_dash=dash, line_width=1.6
            ),
            hv.Scatter((folds, _column(frame, name)), "fold", "value", label=label).opts(
                color=colour, marker=marker, size=8
            ),
        )
    ]) * hv.HLine(0).opts(color=look.line, line_width=1)
    weights = pd.DataFrame(
        {"fold": np.repeat([str(f) for f in folds], len(DETECTOR_NAMES)),
         "detector": [n.replace("_", " ") for n in DETECTOR_NAMES] * len(frame),
         "weight": np.stack([_column(frame, n) for n in DETECTOR_NAMES], axis=1).ravel()}
    )  # fmt: skip
    cells = hv.HeatMap(weights, ["fold", "detector"], "weight").opts(
        cmap=_rising(look), clim=(0, None), colorbar=True, tools=["hover"], invert_yaxis=True,
        line_color=look.panel,
    )  # fmt: skip
    half = {"width": width // 2, "height": 320, "hooks": [dress(look)]}
    return hv.Layout([
        lines.opts(
            **half, title="Value by fold", legend_position="top_left", xlabel="fold", ylabel="",
            xticks=folds.tolist(), show_grid=True, padding=0.1,
        ),
        cells.opts(**half, title="Weights by fold", xlabel="fold", ylabel=""),
    ]).cols(2).opts(shared_axes=False)  # fmt: skip


def _column(frame: pd.DataFrame, name: str) -> Any:
    if name not in frame.columns:
        raise ValueError(unknown("column", name, [str(c) for c in frame.columns]))
    values = frame[name].to_numpy()
    return values.astype(np.float64) if values.dtype.kind in "iufb" else values


def _words(values: Any) -> list[str]:
    return [f"{v:g}" if isinstance(v, float) else str(v) for v in values.tolist()]


def _strongest(frame: pd.DataFrame, metric: str) -> str:
    """Return the number that the metric goes along with most, by rank; weights come first."""
    from opportunity.contracts import DETECTOR_NAMES

    numbers = [c for c in frame.columns if frame[c].dtype.kind in "iuf" and c != metric]
    names = [n for n in DETECTOR_NAMES if n in numbers] or numbers
    ranks = frame[[*names, metric]].rank()
    return str(ranks[names].corrwith(ranks[metric]).abs().fillna(0.0).idxmax())


def _spread(hv: Any, values: pd.Series, metric: str, look: Look) -> Any:
    counts, edges = np.histogram(values, bins=min(60, max(10, int(np.sqrt(len(values))))))
    middle, best = float(values.median()), float(values.max())
    drawn = hv.Histogram((edges, counts), kdims=metric, vdims="vectors").opts(
        fill_color=look.acc, line_color=look.panel, fill_alpha=0.7
    )
    drawn *= hv.VLine(middle).opts(color=look.dim, line_dash="dashed", line_width=1.5)
    drawn *= hv.VLine(best).opts(color=look.warn, line_width=1.5)
    return drawn.opts(
        title=f"{len(values):,} vectors: median {middle:.3g} (dashed), best {best:.3g}",
        xlabel=metric.replace("_", " "), ylabel="",
    )


def _dots(hv: Any, frame: pd.DataFrame, axes: tuple[str, str], look: Look) -> Any:
    x, metric = axes
    some = frame
    if len(frame) > MOST_DOTS:
        order = np.argsort(frame[metric].to_numpy(), kind="stable")
        some = frame.iloc[order[np.linspace(0, len(frame) - 1, MOST_DOTS).astype(np.int64)]]
    return hv.Scatter((_column(some, x), _column(some, metric)), x, metric).opts(
        color=look.acc, size=4, alpha=0.5, title=f"by {x.replace('_', ' ')}",
        xlabel=x.replace("_", " "), ylabel="", show_grid=True,
    )


def _diverging(look: Look) -> list[str]:
    loss, gain = (_blend(look.panel, tone, 100)[STRONGEST] for tone in (look.bear, look.bull))
    return [*_blend(loss, look.panel)[:-1], *_blend(look.panel, gain)]


def _rising(look: Look) -> list[str]:
    return _blend(look.panel, look.acc)


def _blend(first: str, last: str, n: int = 32) -> list[str]:
    a, z = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (first, last))
    mixed = np.round(a + (z - a) * np.linspace(0, 1, n)[:, None]).astype(int)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.tolist()]
