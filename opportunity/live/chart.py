"""What a chart of one stream shows: bars, scores under some weights, and events."""

from dataclasses import dataclass

from opportunity.detectors import DETECTORS
from opportunity.detectors.events import Event
from opportunity.detectors.news_inputs import NewsItem
from opportunity.live.observers import Observers
from opportunity.market.bars import Bar, Bars, FloatArray
from opportunity.scoring.ensemble import score
from opportunity.scoring.weights import Weights

LEAD_BARS = 1_000
"""Bars before the first one shown, so that what is shown is past every detector's warm-up."""


@dataclass(frozen=True, slots=True)
class ChartData:
    """The newest bars of a stream with their scores; arrays of len(bars), NaN where unscored.

    `headlines` are those about the symbol that became known during these bars, oldest first.
    """

    bars: Bars
    forming: Bar | None
    final: FloatArray
    net: FloatArray
    confidence: FloatArray
    events: list[Event]
    headlines: tuple[NewsItem, ...] = ()


def chart_of(
    bars: Bars,
    weights: Weights,
    n_bars: int,
    forming: Bar | None = None,
    observers: Observers | None = None,
) -> ChartData:
    """Score `bars` and keep the newest `n_bars` of them, with the events they contain.

    `observers` is what was known besides them, of their symbol at least.

    Raises
    ------
    ValueError
        If `n_bars` is below 1.
    """
    if n_bars < 1:
        raise ValueError(f"n_bars must be >= 1, was {n_bars}")
    observed = {} if observers is None else observers.observed(bars)
    scores = score(bars, weights=weights, observations=observed)
    shown = slice(max(0, len(bars) - n_bars), None)
    since = int(bars.time[shown][0]) if len(bars) else 0
    events = [
        event
        for detector in DETECTORS
        for event in detector().events(bars, observed.get(detector.name))
        if event.time >= since
    ]
    said: tuple[NewsItem, ...] = ()
    if observers is not None and bars.symbol is not None and len(bars):
        said = tuple(observers.headlines(bars.symbol, since, int(bars.close_time[-1])))
    return ChartData(
        bars=bars[shown],
        forming=forming,
        final=scores.final[shown],
        net=scores.net[shown],
        confidence=scores.confidence[shown],
        events=sorted(events, key=lambda e: e.time),
        headlines=said,
    )
