"""What one open Context page sees and does: moods, headlines, large traders, one symbol for all."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import panel as pn
from bokeh.document import Document

from app.components.island import dumps
from app.components.mood_gauge import MoodGauge, mood_state
from app.components.mood_table import MoodTable, mood_rows
from app.components.news_list import IMPACTS, TONES, NewsList, news_state
from app.components.theme import ThemeName
from app.components.whale_flow import LEAST, WhaleFlow, whale_state
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.reading import Reading
from app.pages.shell import asked
from opportunity.live.surroundings import Surroundings
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from app.services import Services

LOAD_S: Final = 3.0
"""Least time between two loads; what was read is shared with other pages for a while."""


class ContextSession:
    """View-model of one browser page: the components and one hub subscription.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    theme : str
        Theme of the first picture.
    """

    def __init__(self, services: "Services", doc: Document, theme: ThemeName) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        symbol = asked("symbol", tuple(services.symbols), "")
        self.gauge, self.table = MoodGauge(), MoodTable(symbol=symbol)
        self.news = NewsList(
            symbol=symbol, impact=asked("impact", IMPACTS, "all"), tone=asked("tone", TONES, "all")
        )
        self.whales = WhaleFlow(symbol=symbol, least=asked("least", LEAST, "100000"))
        self.reading = Reading(
            doc, self._look, self._arrived, self._failed, lambda: services.uptime_s, LOAD_S
        )
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")
        for part in (self.table, self.news, self.whales):
            part.param.watch(lambda e: self._choose(e.new), "symbol")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "gauge": self.gauge, "table": self.table, "news": self.news,
            "whales": self.whales,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if not self.pace.closed:
            self.head.draw_trust()
            self.reading.ask()

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        self.reading.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
        self.reading.ask()

    def _choose(self, symbol: str) -> None:
        """Show one symbol in all parts; an unknown one is passed over."""
        if symbol and symbol not in self.services.symbols:
            return
        with pn.io.hold(self.doc):
            for part in (self.table, self.news, self.whales):
                part.symbol = symbol

    def _failed(self, why: str) -> None:
        self.gauge.problem = why

    async def _look(self) -> "Looked":
        found, judged = await self.services.around.read(), self.services.evaluation()
        now = int(self.services.feed.clock.now()) if found is None else found.time
        return await asyncio.to_thread(looked, found, judged, now)

    def _arrived(self, found: "Looked") -> None:
        with pn.io.hold(self.doc):
            for part in (self.gauge, self.news, self.whales):
                part.clock = found.now
            self.gauge.problem = ""
            self.gauge.state, self.table.state = found.gauge, found.table
            self.news.state, self.whales.state = found.news, found.whales


@dataclass(frozen=True, slots=True)
class Looked:
    """States of the parts as JSON; `now` is the market time that ages are counted to, ms UTC."""

    now: int
    gauge: str
    table: str
    news: str
    whales: str


def looked(found: Surroundings | None, judged: Evaluation | None, now: int) -> Looked:
    """Word what is known; on a thread: of 500 symbols it takes tens of milliseconds."""
    prices: dict[str, float] = {}
    if judged is not None:
        priced = zip(judged.snapshot.symbols, judged.snapshot.price.tolist(), strict=True)
        prices = {symbol: price for symbol, price in priced if price == price}
    return Looked(
        now, dumps(mood_state(found)), dumps(mood_rows(found, judged)), dumps(news_state(found)),
        dumps(whale_state(found, prices)),
    )
