"""What each detector added to the score, decision by decision: one row of small bars each."""

import warnings
from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.backtest.decisions import Decisions
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.plots.looks import Look

COLUMNS: Final = 200
"""Bars of a row at most; of more decisions each bar is the mean of several."""

REACH: Final = 0.46
"""Height of the largest bar, in rows."""


def contribution_rows(hv: Any, decisions: Decisions, symbol: int, look: Look, span: Any) -> Any:
    """Draw the contributions of one symbol's decisions.

    A bar above the middle of its row was bullish, one below it bearish; all rows have one scale.

    Parameters
    ----------
    hv : module
        HoloViews.
    decisions : Decisions
    symbol : int
        Its number.
    look : Look
    span : tuple of int
        First and last time to draw, ms UTC.

    Returns
    -------
    holoviews.Overlay or None
        None where nothing was decided.
    """
    time = decisions.time
    at = (decisions.table["symbol"] == symbol) & (time >= span[0]) & (time <= span[1])
    if not at.any():
        return None
    starts, ends, means = bucketed(time[at], decisions.contributions[at])
    n = len(DETECTOR_NAMES)
    scale = REACH / max(float(np.nanmax(np.abs(means), initial=0.0)), 1e-12)
    rows = np.arange(n - 1, -1, -1, dtype=np.float64)  # the first detector is on top
    drawn = hv.Overlay([hv.HLine(row).opts(color=look.line, line_width=1) for row in rows])
    for side, colour in ((1.0, look.bull), (-1.0, look.bear)):
        k, i = np.nonzero(np.nan_to_num(means) * side > 0)
        value = means[k, i]
        drawn *= hv.Rectangles(
            (
                pd.to_datetime(starts[k], unit="ms"), rows[i],
                pd.to_datetime(ends[k], unit="ms"), rows[i] + scale * value,
                np.array(DETECTOR_NAMES)[i], value,
            ),
            ["time", "row", "t1", "top"], ["detector", "contribution"],
        ).opts(
            color=colour, line_alpha=0, tools=["hover"],
            hover_tooltips=[
                ("", "@detector"), ("from", "@time{%F %H:%M}"),
                ("contribution", "@contribution{+0.000}"),
            ],
        )  # fmt: skip
    names = [name.replace("_", " ") for name in DETECTOR_NAMES]
    return drawn.opts(
        ylim=(-0.6, n - 0.4), yticks=list(zip(rows.tolist(), names, strict=True)), ylabel=""
    )


def bucketed(
    time: TimeArray, contributions: FloatArray, most: int = COLUMNS
) -> tuple[TimeArray, TimeArray, FloatArray]:
    """Return the means of equal stretches of decisions: begin and end of each, and its means.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        n >= 1.
    contributions : ndarray, shape (n, n_detectors)
        NaN is passed over.
    most : int
        Stretches at most.
    """
    step = int(np.median(np.diff(time))) if time.size > 1 else 3_600_000
    edges = np.linspace(0, time.size, min(most, time.size) + 1).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a stretch that knows nothing
        means = np.stack([
            np.nanmean(contributions[a:z], axis=0)
            for a, z in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        ])
    return time[edges[:-1]] - step, time[edges[1:] - 1], means
