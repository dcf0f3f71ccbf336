"""Candles: falling ones filled, rising ones hollow where a theme is known."""

from typing import Any

import numpy as np
import pandas as pd

from opportunity.market.bars import Bars
from opportunity.plots.looks import Look

BODY = 0.4
"""Half of a body's width as a part of its bar."""


def candles(
    hv: Any, bars: Bars, look: Look, hollow: bool = False, centred: bool = False
) -> Any:
    """Draw candles.

    Parameters
    ----------
    hv : module
        HoloViews.
    bars : Bars
    look : Look
    hollow : bool
        Whether rising bodies show their ground, so that direction does not depend on colour.
    centred : bool
        Whether a candle stands in the middle of its bar, not over its opening time.

    Returns
    -------
    holoviews.Overlay
        Wicks, rising bodies, falling bodies.
    """
    times = pd.to_datetime(bars.time, unit="ms")
    step = pd.Timedelta(int(np.median(np.diff(bars.time))) if len(bars) > 1 else 60_000, "ms")
    if centred:
        times = times + step / 2
    up = bars.close >= bars.open
    wicks = hv.Segments((times, bars.low, times, bars.high), ["time", "low", "t1", "high"]).opts(
        color=look.dim, line_width=1
    )
    bodies = [
        hv.Rectangles(
            (times[mask] - BODY * step, bars.open[mask], times[mask] + BODY * step,
             bars.close[mask]),
            ["time", "open", "t1", "close"],
        ).opts(color=fill, line_color=colour, line_width=1)
        for mask, colour, fill in (
            (up, look.bull, look.panel if hollow else look.bull), (~up, look.bear, look.bear)
        )
    ]  # fmt: skip
    return wicks * bodies[0] * bodies[1]
