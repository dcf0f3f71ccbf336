"""Pictures for notebooks and results; HoloViews is imported only when one is made."""

from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.scoring.combination import BEARISH_TO, BULLISH_FROM
from opportunity.scoring.ensemble import Scores

BULL: Final = "#10B981"
BEAR: Final = "#EF4444"
LINE: Final = "#3B82F6"


def score_chart(scores: Scores, n_bars: int = 300, width: int = 900) -> Any:
    """Draw the score of each bar over its candles.

    Parameters
    ----------
    scores : Scores
        What `score` returned.
    n_bars : int
        Newest bars to show.
    width : int
        Pixels.

    Returns
    -------
    holoviews.Layout
        Score (with the bounds of a direction and the confidence) above, candles below; both
        share the time axis. Bars without a score leave a hole in the line.
    """
    import holoviews as hv

    hv.extension("bokeh", logo=False)
    shown = slice(max(0, len(scores) - n_bars), None)
    bars = scores.evidence.bars[shown]
    times = pd.to_datetime(bars.time, unit="ms")
    line = hv.Curve((times, scores.final[shown]), "time", "score").opts(color=LINE)
    sure = hv.Area((times, scores.confidence[shown]), "time", "confidence").opts(
        color=LINE, alpha=0.15, line_alpha=0
    )
    bounds = hv.HLine(BULLISH_FROM).opts(color=BULL, line_dash="dashed") * hv.HLine(
        BEARISH_TO
    ).opts(color=BEAR, line_dash="dashed")
    top = (sure * line * bounds).opts(width=width, height=180, ylim=(0, 1), xaxis=None)
    bottom = _candles(hv, bars, times).opts(width=width, height=320)
    return hv.Layout([top, bottom]).cols(1)


def _candles(hv: Any, bars: Any, times: pd.DatetimeIndex) -> Any:
    step = pd.Timedelta(int(np.median(np.diff(bars.time))) if len(bars) > 1 else 60_000, "ms")
    up = bars.close >= bars.open
    wicks = hv.Segments((times, bars.low, times, bars.high), ["time", "low", "t1", "high"]).opts(
        color="#64748B"
    )
    bodies = [
        hv.Rectangles(
            (times[mask] - 0.4 * step, bars.open[mask], times[mask] + 0.4 * step,
             bars.close[mask]),
            ["time", "open", "t1", "close"],
        ).opts(color=colour, line_alpha=0)
        for mask, colour in ((up, BULL), (~up, BEAR))
    ]
    return (wicks * bodies[0] * bodies[1]).opts(ylabel="price")
