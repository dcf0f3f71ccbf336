"""The rolling information coefficient of a score, with its alarms."""

from typing import Any

import pandas as pd

from opportunity.plots.looks import FAINT, LINE, holoviews
from opportunity.scoring.decay import LIMIT, Decay


def decay_chart(found: Decay, title: str = "", width: int = 640) -> Any:
    """Draw the coefficient of each window, and below it the sum that raises alarms.

    Parameters
    ----------
    found : Decay
        What `watch` returned.
    title : str
        Above the diagram; defaults to the mean coefficient.
    width : int
        Pixels.

    Returns
    -------
    holoviews.Layout
        Alarms are vertical lines in both.
    """
    hv = holoviews()
    at = pd.to_datetime(found.start, unit="ms")
    words = title or f"information coefficient, mean {found.mean:+.3f}"
    top = hv.Curve((at, found.coefficient), "time", "coefficient").opts(color=LINE)
    top *= hv.HLine(0.0).opts(color=FAINT, line_width=1)
    low = hv.Area((at, found.fall), "time", "fall").opts(color=FAINT)
    low *= hv.HLine(LIMIT).opts(color=LINE, line_width=1, line_dash="dashed")
    for alarm in at[found.alarm]:
        top *= hv.VLine(alarm).opts(color=LINE, line_width=1, line_dash="dotted")
        low *= hv.VLine(alarm).opts(color=LINE, line_width=1, line_dash="dotted")
    return hv.Layout([
        top.opts(width=width, height=200, title=words, xlabel=""),
        low.opts(width=width, height=130, xlabel="", ylim=(0.0, LIMIT * 1.3)),
    ]).cols(1)
