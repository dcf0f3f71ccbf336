"""How often calls were right against the probability that was stated."""

from typing import Any

import numpy as np

from opportunity.errors import unknown
from opportunity.market.timeframe import timeframe as checked
from opportunity.plots.looks import FAINT, LINE, holoviews
from opportunity.scoring.calibration import Calibration
from opportunity.scoring.reliability import Reliability


def reliability_chart(
    found: Reliability, title: str = "", width: int = 420, before: Reliability | None = None
) -> Any:
    """Draw how often calls were right against the probability that was stated.

    Parameters
    ----------
    found : Reliability
        What `reliability` returned.
    title : str
        Above the diagram; defaults to the Brier score and the ECE.
    width : int
        Pixels.
    before : Reliability, optional
        Drawn faintly behind it.

    Returns
    -------
    holoviews.Layout
        The diagram with the bootstrap bounds of every bin and the diagonal of perfect
        calibration above; the outcomes of each bin below, on the same axis.
    """
    hv = holoviews()
    shown = [r for r in (before, found) if r is not None]
    ends = np.concatenate([part for r in shown for part in (r.stated, r.low, r.high)])
    ends = ends[np.isfinite(ends)]
    low, high = max(0.0, float(ends.min()) - 0.02), min(1.0, float(ends.max()) + 0.02)
    drawn = hv.Curve(([low, high], [low, high]), "stated", "right").opts(
        color=FAINT, line_dash="dashed"
    )
    drawn *= hv.HLine(found.hit_rate).opts(color=FAINT, line_width=1, line_dash="dotted")
    if before is not None:
        drawn *= _curve(hv, before, FAINT)
    drawn *= _curve(hv, found, LINE)
    words = title or f"Brier {found.brier:.4f}, ECE {found.ece:.3f}, {found.n:,} outcomes"
    top = drawn.opts(
        width=width, height=width - 60, title=words, xlim=(low, high), ylim=(low, high),
        xlabel="stated probability", ylabel="share that was right",
    )
    counts = hv.Spikes((found.stated, found.count), "stated", "outcomes").opts(
        width=width, height=110, color=LINE, line_width=6, xlim=(low, high),
        ylim=(0, float(found.count.max()) * 1.1), xlabel="stated probability",
    )
    return hv.Layout([top, counts]).cols(1)


def _curve(hv: Any, found: Reliability, colour: str) -> Any:
    below, above = found.observed - found.low, found.high - found.observed
    bars = hv.ErrorBars(
        (found.stated, found.observed, np.maximum(below, 0), np.maximum(above, 0)),
        "stated", ["right", "below", "above"],
    ).opts(color=colour)
    line = hv.Curve((found.stated, found.observed), "stated", "right").opts(color=colour)
    dots = hv.Scatter((found.stated, found.observed), "stated", "right").opts(
        color=colour, size=7
    )
    return bars * line * dots


def calibration_chart(calibration: Calibration, timeframe: str | None = None) -> Any:
    """Draw the reliability of a calibration, out of sample, before (faint) and after.

    Parameters
    ----------
    calibration : Calibration
        What `calibrate` returned.
    timeframe : str, optional
        Only this one; defaults to all that were measured, side by side.

    Raises
    ------
    ValueError
        If it was not measured.
    """
    hv = holoviews()
    there = list(calibration.measured)
    if not there:
        raise ValueError("calibration must be measured to be drawn, was not")
    if timeframe is not None and timeframe not in there:
        raise ValueError(unknown("timeframe of the calibration", timeframe, there))
    charts = []
    for name in there if timeframe is None else [timeframe]:
        measured = calibration.measured[checked(name)]
        title = f"{name}: ECE {measured.final.ece:.3f} to {measured.success.ece:.3f}"
        charts.append(reliability_chart(measured.success, title, before=measured.final))
    return charts[0] if len(charts) == 1 else hv.Layout(
        [chart[i] for i in range(2) for chart in charts]
    ).cols(len(charts))
