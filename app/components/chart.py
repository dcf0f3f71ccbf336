"""The chart of one stream: candles and volume, and below them score and confidence."""

from typing import Any, Final

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource
from numpy.typing import NDArray

from app.components.chart_figures import ChartFigures
from app.components.overlay_tables import Overlay
from app.components.theme import ThemeName
from opportunity.live.chart import ChartData
from opportunity.market.bars import Bar, Bars
from opportunity.market.timeframe import length_ms
from opportunity.scoring.explanation import Explanation

MOST_BARS: Final = 300
COLUMNS: Final = (
    "time", "opened", "open", "high", "low", "close", "volume", "top", "bottom", "tone", "body",
    "final", "confidence", "middle", "height", "half_volume",
)
SCORE_COLUMNS: Final = (
    "time", "final", "confidence", "lean", "trust", "score_middle", "score_height",
)  # fmt: skip
"""Of the strip below: a table of its own, so that a price that moves does not repaint it."""

VOLUME_ROOM: Final = 5.5
"""The largest volume takes one part in so many of the height."""

FULL_TRUST: Final = 0.4
"""Confidence from which a score's bar is drawn without fading."""


class MarketChart(pn.viewable.Viewer):
    """Candles, volume, score and confidence of one stream, and what detectors saw.

    The newest `MOST_BARS` bars are shown, unfinished ones among them. Rising candles are hollow
    and falling ones filled, so direction never depends on colour.

    Parameters
    ----------
    theme : str
        ``dark``, ``light`` or ``contrast``.
    titled : bool
        Whether the figures tell the bar under the pointer in their titles.
    """

    def __init__(self, theme: ThemeName = "dark", titled: bool = True, **params: Any) -> None:
        super().__init__(**params)
        self._bars: Bars | None = None
        self._length = 60_000
        self._scores: NDArray[np.float64] = np.empty((2, 0))
        self._seen: Explanation | None = None
        self._running: list[Bar] = []  # bars past the newest closed one, drawn but not scored
        self._source = ColumnDataSource({name: [] for name in COLUMNS})
        self._strip = ColumnDataSource({name: [] for name in SCORE_COLUMNS})
        self._tables = {
            name: ColumnDataSource(dict(columns)) for name, columns in Overlay().tables().items()
        }
        self._volume_end = 1.0
        self.figures = ChartFigures(self._source, self._strip, self._tables, titled)
        self.wear(theme)

    def __panel__(self) -> Any:
        return pn.Column(
            pn.pane.Bokeh(self.price, theme=None, sizing_mode="stretch_width", height=360),
            pn.pane.Bokeh(self.score, theme=None, sizing_mode="stretch_width", height=120),
            sizing_mode="stretch_width",
        )

    @property
    def price(self) -> Any:
        """Figure of candles, volume and overlays."""
        return self.figures.price

    @property
    def score(self) -> Any:
        """Figure of score and confidence."""
        return self.figures.score

    def models(self) -> dict[str, str]:
        """Return the ids of the models that `ChartLive` moves in the browser."""
        figures = self.figures
        return {
            "source": self._source.id, "preview": figures.ahead.id, "last": figures.last.id,
            "volumes": figures.volumes.id, "times": figures.times.id, "figure": figures.price.id,
            "prices": figures.price.y_range.id,
        }  # fmt: skip

    def wear(self, theme: ThemeName) -> None:
        """Take the colours of a theme."""
        self.figures.wear(theme)

    def load(self, data: ChartData) -> None:
        """Show a stream; the view is fitted anew only when it is another one."""
        first = max(0, len(data.bars) - MOST_BARS)
        bars, shown = data.bars[first:], self._bars
        self._scores = np.stack([data.final[first:], data.confidence[first:]])
        if shown is None or (shown.symbol, shown.timeframe) != (bars.symbol, bars.timeframe):
            self._length = length_ms(bars.timeframe) if bars.timeframe else 60_000
            self._running.clear()
            self._volume_end = 0.0
            self.figures.fit(self._length)
        newest = int(bars.time[-1]) if len(bars) else 0
        self._running = [bar for bar in self._running if bar.time > newest]
        self._bars = bars
        if data.forming is None or not self._take(data.forming):
            self._draw()
        self.preview(self._seen)
        if len(bars):
            self._point(float(bars.close[-1]), float(bars.volume.max()))
        if self._running:
            self._point(self._running[-1].close, self._running[-1].volume)

    def tick(self, bar: Bar) -> None:
        """Show an unfinished bar of the shown timeframe; one that has closed is left alone."""
        if self._take(bar):
            self._point(bar.close, bar.volume)

    def _take(self, bar: Bar) -> bool:
        """Draw with the unfinished `bar` if it says something new."""
        if self._bars is None or len(self._bars) == 0 or bar.time <= int(self._bars.time[-1]):
            return False
        newest = self._running[-1] if self._running else None
        if newest is not None and (bar == newest or bar.time < newest.time):
            return False
        if newest is not None and bar.time == newest.time:
            self._running[-1] = bar
        else:
            self._running.append(bar)
        self._draw()
        return True

    def _draw(self) -> None:
        # All columns at once: streamed rows and patches can reach the browser on columns of
        # different length, and 300 bars cost the server no more than a patch does.
        bars, scores = self._bars, self._scores
        if bars is None:
            return
        times, values = bars.time, bars.values
        if self._running:
            times = np.append(times, [bar.time for bar in self._running])
            values = np.concatenate([values, [bar[1:] for bar in self._running]])
            scores = np.pad(scores, ((0, 0), (0, len(self._running))), constant_values=np.nan)
        kept = slice(-MOST_BARS, None)
        self._source.data = self._columns(times[kept], values[kept], scores[:, kept])
        strip = self._scored(times[kept], scores[:, kept])
        if not _same(self._strip.data, strip):
            self._strip.data = strip

    def preview(self, seen: Explanation | None) -> None:
        """Mark what the newest unfinished bar would score if it closed now; None takes it away.

        Nothing is marked once that bar has closed, or before it is drawn.
        """
        self._seen, bars = seen, self._bars
        newest = self._running[-1].time if self._running else None
        if (
            seen is None
            or bars is None
            or newest is None
            or not np.isfinite(seen.final)
            or (seen.symbol, seen.timeframe) != (bars.symbol, bars.timeframe)
            or seen.closed != newest + self._length
        ):
            self.figures.preview(None)
            return
        words = (
            f"preview: score {seen.final:.2f}, confidence {seen.confidence:.2f}\n"
            "if the bar closed now"
        )
        tone = "bull" if seen.final >= 0.5 else "bear"
        self.figures.preview((newest + self._length / 2, seen.final, tone, words))

    def overlay(self, drawn: Overlay) -> None:
        """Draw what detectors saw; tables that did not change are not sent."""
        for name, columns in drawn.tables().items():
            if dict(self._tables[name].data) != columns:
                self._tables[name].data = dict(columns)

    def _point(self, price: float, volume: float) -> None:
        """Move the line of the newest price, and give the volume room."""
        self.figures.last.location = price
        if VOLUME_ROOM * volume > self._volume_end:
            self._volume_end = VOLUME_ROOM * volume
            self.figures.volumes.end = self._volume_end

    def _columns(
        self, times: NDArray[np.int64], values: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> dict[str, Any]:
        opened, high, low, close, volume = values.T
        final, confidence = scores
        up = close >= opened
        return {
            "time": times + self._length / 2, "opened": times, "open": opened, "high": high,
            "low": low, "close": close, "volume": volume, "top": np.maximum(opened, close),
            "bottom": np.minimum(opened, close), "tone": np.where(up, "bull", "bear").tolist(),
            "body": np.where(up, 0.12, 1.0), "final": final, "confidence": confidence,
            "middle": (opened + close) / 2, "height": np.abs(close - opened),
            "half_volume": volume / 2,
        }

    def _scored(self, times: NDArray[np.int64], scores: NDArray[np.float64]) -> dict[str, Any]:
        kept = np.isfinite(scores[0])
        final, confidence = scores[:, kept]
        trust = np.clip(np.nan_to_num(confidence) / FULL_TRUST, 0, 1)
        return {
            "time": times[kept] + self._length / 2, "final": final, "confidence": confidence,
            "lean": np.where(final >= 0.5, "bull", "bear").tolist(), "trust": 0.2 + 0.8 * trust,
            "score_middle": (final + 0.5) / 2, "score_height": np.abs(final - 0.5),
        }


def _same(old: Any, new: dict[str, Any]) -> bool:
    """Tell whether two tables hold the same: what did not change is not sent."""
    return len(old["time"]) == len(new["time"]) and all(
        np.array_equal(np.asarray(old[name]), np.asarray(column)) for name, column in new.items()
    )
