"""The chart's part of the Live page: which stream, when it is loaded, what lies over it."""

import asyncio
import time
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import panel as pn
import structlog
from bokeh.document import Document, without_document_lock

from app.components.chart import MarketChart
from app.components.chart_bar import ChartBar
from app.components.island import dumps
from app.components.overlays import DEFAULT_LAYERS, LAYER_HINTS, LAYERS, overlay
from app.components.theme import ThemeName
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import OpportunityError
from opportunity.live.chart import ChartData
from opportunity.market.timeframe import timeframe as checked

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

PLACES: Final = ("price", "score")
MOST_TITLES: Final = 3
"""Titles that are told at one bar."""

LOAD_S: Final = 2.0
"""Least time between two loads of one stream; unfinished bars move in between."""

PREVIEW_S: Final = 1.0
"""Least time between two previews of the unfinished bar's score."""

PREVIEW_SHARE: Final = 1e-3
"""Share of the server's loop that the previews of a page may take: 1 ms a second."""

LONGEST_S: Final = 60.0


class LiveChart:
    """Loads the chosen stream without holding up the page.

    Parameters
    ----------
    services : Services
        Where charts come from.
    doc : Document
        The page's document.
    theme : callable
        The theme as it is now.
    on_load : callable
        Called inside the document after a chart has come.
    """

    def __init__(
        self, services: "Services", doc: Document, symbol: str, timeframe: str,
        theme: Callable[[], ThemeName], on_load: Callable[[], None],
    ) -> None:
        self._services, self._doc, self._theme, self._on_load = services, doc, theme, on_load
        self.symbol, self.timeframe = symbol, timeframe
        self.data: ChartData | None = None
        self.chart: MarketChart | None = None
        # Figures take longest to build: their places are filled when their data has come.
        self._shown: tuple[str, str] | None = None  # what the figures show
        self.places = {n: pn.Column(sizing_mode="stretch_both", margin=0) for n in PLACES}
        self.bar = ChartBar(
            frames=dumps(list(services.timeframes)), timeframe=timeframe,
            layers=dumps([[key, name, LAYER_HINTS[key]] for key, name in LAYERS.items()]),
            shown=dumps(list(DEFAULT_LAYERS)),
        )
        self.bar.param.watch(lambda *_: self.draw_overlay(), "shown")
        self._loading, self._closed = False, False
        self._loaded_at = self._preview_at = float("-inf")

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def choose(self, symbol: str, timeframe: str) -> None:
        """Show another stream."""
        self.symbol, self.timeframe = symbol, timeframe
        self.bar.timeframe = timeframe
        self.data = None
        self._loaded_at = self._preview_at = float("-inf")
        self.load()

    def load(self) -> bool:
        """Fetch the stream outside the document's lock; not twice at once, nor too often.

        Returns
        -------
        bool
            False when it has to be asked for again later.
        """
        recent = self._services.uptime_s - self._loaded_at < LOAD_S
        if self._loading or self._closed or recent or not self.symbol:
            return False
        self._loading = True
        fetch: Any = self._fetch
        self._doc.add_next_tick_callback(without_document_lock(fetch))
        return True

    async def _fetch(self) -> None:
        symbol, timeframe = self.symbol, checked(self.timeframe)
        self._loaded_at = self._services.uptime_s
        data: ChartData | None = None
        why = ""
        try:
            data = await self._services.chart(symbol, timeframe)
            if self.chart is None:
                # Figures take 60 ms to build, which another thread can do as well.
                self.chart = await asyncio.to_thread(MarketChart, self._theme())
        except (OpportunityError, ValueError, OSError) as error:
            logger.warning("chart failed", symbol=symbol, timeframe=timeframe, error=str(error))
            why = str(error)
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._arrived(symbol, timeframe, data, why))

    def _arrived(
        self, symbol: str, timeframe: str, data: ChartData | None, why: str = ""
    ) -> None:
        self._loading = False
        if self._closed:
            return
        if (symbol, timeframe) != (self.symbol, self.timeframe):
            self._loaded_at = float("-inf")
            self.load()
        elif data is not None and len(data.bars):
            self.data = data
            with pn.io.hold(self._doc):
                self._draw(data)
                self.draw_overlay()
                self._on_load()
        elif why and self._shown != (symbol, timeframe):
            self._say(f"No chart of {symbol} {timeframe} now: {why}")

    def _say(self, text: str) -> None:
        """Put a sentence where the chart would be: another symbol's must not stand there."""
        self.data = None
        self._shown = None
        with pn.io.hold(self._doc):
            for place in self.places.values():
                place.clear()
            first = next(iter(self.places.values()))
            first.append(pn.pane.HTML(f"<p role='status'>{escape(text)}</p>", margin=16))

    def _draw(self, data: ChartData) -> None:
        assert self.chart is not None
        self.chart.load(data)
        if self._shown is None:
            for place in self.places.values():
                place.clear()
        self._shown = self.symbol, self.timeframe
        for name, place in self.places.items():
            if not len(place):
                self.chart.wear(self._theme())
                place.append(pn.pane.Bokeh(
                    getattr(self.chart, name), sizing_mode="stretch_both", theme=None, margin=0
                ))

    def draw_overlay(self) -> None:
        """Draw the chosen overlays."""
        if self.data is not None and self.chart is not None:
            self.chart.overlay(
                overlay(
                    self.data.events, self.data.bars, orjson.loads(self.bar.shown),
                    titles_of(self.data),
                )
            )

    def wear(self) -> None:
        """Take the colours of the theme."""
        if self.chart is not None:
            self.chart.wear(self._theme())

    def tick(self) -> None:
        """Move the unfinished bar."""
        if self.data is not None and self.chart is not None:
            forming = self._services.forming(self.symbol, checked(self.timeframe))
            if forming is not None:
                self.chart.tick(forming)
                self._look_ahead()

    def _look_ahead(self) -> None:
        """Mark what the unfinished bar would score, as often as it is cheap enough."""
        now = self._services.uptime_s
        if self.chart is None or now < self._preview_at:
            return
        began = time.perf_counter()
        self.chart.preview(self._services.preview(self.symbol, checked(self.timeframe)))
        took_s = time.perf_counter() - began
        self._preview_at = now + min(LONGEST_S, max(PREVIEW_S, took_s / PREVIEW_SHARE))


def titles_of(data: ChartData) -> dict[int, list[str]]:
    """Return the strongest titles of each bar, by its opening time."""
    found: dict[int, list[NewsItem]] = {}
    for item in data.headlines:
        row = int(np.searchsorted(data.bars.time, item.known_at, side="right")) - 1
        if row >= 0 and item.tone:
            found.setdefault(int(data.bars.time[row]), []).append(item)
    return {
        time: [
            f"{i.title} ({i.publisher})"
            for i in sorted(items, key=lambda i: -abs(i.tone) * i.impact)[:MOST_TITLES]
        ]
        for time, items in found.items()
    }
