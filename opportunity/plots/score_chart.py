"""The score of each bar over its candles."""

from typing import Any

import pandas as pd

from opportunity.plots.candles import candles
from opportunity.plots.looks import LIGHT, LINE, holoviews
from opportunity.scoring.combination import BEARISH_TO, BULLISH_FROM
from opportunity.scoring.scores import Scores


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
    hv = holoviews()
    shown = slice(max(0, len(scores) - n_bars), None)
    bars = scores.evidence.bars[shown]
    times = pd.to_datetime(bars.time, unit="ms")
    line = hv.Curve((times, scores.final[shown]), "time", "score").opts(color=LINE)
    sure = hv.Area((times, scores.confidence[shown]), "time", "confidence").opts(
        color=LINE, alpha=0.15, line_alpha=0
    )
    bounds = hv.HLine(BULLISH_FROM).opts(color=LIGHT.bull, line_dash="dashed") * hv.HLine(
        BEARISH_TO
    ).opts(color=LIGHT.bear, line_dash="dashed")
    top = (sure * line * bounds).opts(width=width, height=180, ylim=(0, 1), xaxis=None)
    bottom = candles(hv, bars, LIGHT).opts(width=width, height=320, ylabel="price")
    return hv.Layout([top, bottom]).cols(1)
