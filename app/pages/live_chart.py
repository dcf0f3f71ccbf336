"""The chart's part of the Live page: which stream, when it is loaded, what lies over it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import panel as pn
import structlog
from bokeh.document import Document, without_document_lock

from app.components.chart import MarketChart
from app.components.chart_bar import ChartBar, layers_in
from app.components.chart_live import ChartLive, ChartScore, picture_of
from app.components.island import dumps
from app.components.overlays import LAYER_HINTS, LAYERS, overlay
from app.components.theme import ThemeName
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import OpportunityError
from opportunity.live.chart import ChartData
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.explanation import Explanation

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

MOST_TITLES: Final = 3
"""Titles that are told at one bar."""

LOAD_S: Final = 2.0
"""Least time between two loads of one stream; unfinished bars move in between."""

PICTURE_S: Final = 1.0
"""Least time between two words on the unfinished bar while the browser hears prices itself."""

PREVIEW_S: Final = 1.0
"""Least time between two previews of the unfinished bar's score."""

PREVIEW_SHARE: Final = 1e-3
"""Share of the server's loop that the previews of a page may take: 1 ms a second."""

LONGEST_S: Final = 60.0
ASKED: Final = "layers"
"""Argument of the address that names the overlays."""


class LiveChart:
    """Loads the chosen stream without holding up the page.

    Between two loads the browser moves the unfinished bar by itself, see `ChartLive`: the server
    only says now and then where it stands.

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
        self.live, self.score = ChartLive(), ChartScore()
        # Figures take longest to build: their places are filled when their data has come.
        self._shown: tuple[str, str] | None = None  # what the figures show
        self.places = {"price": _place(self.live), "score": _place(self.score)}
        self.bar = ChartBar(
            frames=dumps(list(services.timeframes)), timeframe=timeframe,
            layers=dumps([[key, name, LAYER_HINTS[key]] for key, name in LAYERS.items()]),
            shown=dumps(layers_in(pn.state.session_args.get(ASKED))),
        )
        self.bar.param.watch(lambda *_: self.draw_overlay(), "shown")
        self.live.param.watch(lambda *_: self._joined(), "joined")
        self._loading, self._closed = False, False
        self._seen: Explanation | None = None
        self._loaded_at = self._preview_at = self._told_at = float("-inf")

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def choose(self, symbol: str, timeframe: str) -> None:
        """Show another stream."""
        self.symbol, self.timeframe = symbol, timeframe
        self.bar.timeframe = timeframe
        self.data = self._seen = None
        self._loaded_at = self._preview_at = self._told_at = float("-inf")
        self.live.wait(symbol, timeframe)
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
                self.chart = await asyncio.to_thread(MarketChart, self._theme(), titled=False)
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
                self._on_load()
        elif why and self._shown != (symbol, timeframe):
            self.data = self._shown = None  # another symbol's chart must not stand there
            self.live.fail(symbol, timeframe, why)

    def _draw(self, data: ChartData) -> None:
        assert self.chart is not None
        self._shown = self.symbol, self.timeframe
        first = len(self.places["price"]) == 1
        if first:
            self.chart.wear(self._theme())
        else:  # the browser hears which bars come before they do: it adds unfinished ones
            self._follow(data)
        self.chart.load(replace(data, forming=None))
        self.draw_overlay()
        if first:
            self._put(list(self.places))
        else:
            self.tell()

    def _put(self, names: list[str]) -> None:
        """Put the figures into the page, one a turn: each holds the loop while it is sent."""
        if self._closed:
            return
        name, *others = names
        with pn.io.hold(self._doc):
            self.places[name].append(pn.pane.Bokeh(
                getattr(self.chart, name), sizing_mode="stretch_both", theme=None, margin=0
            ))
            if others:
                self._doc.add_next_tick_callback(lambda: self._put(others))
            elif self.data is not None:
                self._follow(self.data)
                self.tell()

    def _follow(self, data: ChartData) -> None:
        """Tell the browser which stream is drawn."""
        assert self.chart is not None
        closed = int(data.bars.time[-1])
        self.live.follow(self.chart, self.symbol, checked(self.timeframe), closed)

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

    # -- the unfinished bar --------------------------------------------------------------------

    def tick(self) -> None:
        """Say where the unfinished bar stands; seldom where the browser hears prices itself."""
        rest = PICTURE_S if self.live.joined else 0.0
        if self.data is not None and self._services.uptime_s >= self._told_at + rest:
            self._look_ahead()
            self.tell()

    def tell(self) -> None:
        """Say where the unfinished bar stands."""
        services, frame = self._services, checked(self.timeframe)
        base = services.hub.latest("price", self.symbol)
        forming = services.forming(self.symbol, frame)
        seen = picture_of(self.symbol, frame, base, forming, self._seen)
        if seen is not None:
            self._told_at = services.uptime_s
            self.live.tell(seen)

    def _look_ahead(self) -> None:
        """Find out what the unfinished bar would score, as often as it is cheap enough."""
        now = self._services.uptime_s
        if now < self._preview_at:
            return
        began = time.perf_counter()
        self._seen = self._services.preview(self.symbol, checked(self.timeframe))
        took_s = time.perf_counter() - began
        self._preview_at = now + min(LONGEST_S, max(PREVIEW_S, took_s / PREVIEW_SHARE))

    def _joined(self) -> None:
        self.bar.joined = self.live.joined
        if self.data is not None and self.live.joined:
            self.tell()  # what was heard before this is in it, what comes after is heard


def _place(first: Any) -> pn.Column:
    return pn.Column(first, sizing_mode="stretch_both", margin=0)


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
