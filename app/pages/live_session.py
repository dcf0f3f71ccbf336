"""What one open Live page sees and does: its draft, its choice, its picture of the market."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.document import Document

from app.components.context_state import context_state, context_words
from app.components.rows import ranking
from app.components.signal_feed import SignalFeed
from app.components.success import success_line
from app.components.theme import ThemeName
from app.components.waterfall import advice_line, told, why_state
from app.components.why_card import WhyCard
from app.pages.head import Head
from app.pages.live_chart import LiveChart
from app.pages.live_context import LiveContext
from app.pages.live_desk import LiveDesk
from app.pages.live_table import LiveTable
from app.pages.live_tiles import LiveTiles
from app.pages.live_weights import LiveWeights
from app.pages.pace import Events, News, Pace
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from app.services import Services


class LiveSession:
    """View-model of one browser page: private state, the components, one hub subscription.

    Nothing of it is bound to a shared object: news come through `Pace`, and what the user does
    goes to `services`.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    symbol, timeframe : str
        What to show first; an empty symbol means the best one.
    theme : str
        Theme of the first picture.
    """

    def __init__(
        self, services: "Services", doc: Document, symbol: str, timeframe: str, theme: ThemeName
    ) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        self.weights = LiveWeights(services, self.head, self._draft_moved)
        self._evaluation: Evaluation | None = None
        self._prices: dict[str, float] = {}
        self._stale_chart = False
        self._early = not services.symbols  # made before the exchange said what it trades
        self.rows = LiveTable(services, self.head, self.weights, symbol, timeframe)
        self.table = self.rows.table
        self.desk = LiveDesk(services, self.head, self.table, lambda: self._prices)
        self.tiles = LiveTiles(services, self.head)
        self.chart = LiveChart(
            services, doc, symbol, timeframe, lambda: self.head.theme.theme, self._draw_why
        )
        self.why = WhyCard()
        self.context = LiveContext(services, doc, self._draw_why)
        self.feed = SignalFeed(on_select=lambda name: self._choose(symbol=name))
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self._wire()

    def _wire(self) -> None:
        table, bar = self.table, self.chart.bar
        table.param.watch(lambda e: self._choose(symbol=e.new), "selected")
        for part in (table, bar):
            part.param.watch(lambda e: self._choose(timeframe=e.new), "timeframe")
        self.head.theme.param.watch(lambda *_: self.chart.wear(), "theme")
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), **self.desk.roots(), "table": self.table, "scan": self.rows.bar,
            "tiles": self.tiles.view, "bar": self.chart.bar, "why": self.why,
            "weights": self.weights.editor, "feed": self.feed, **self.chart.places,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.weights.open()
        self.desk.open()
        self.tiles.open()
        if self._overtaken:
            return
        self._rank(self.services.evaluation())
        self.feed.take(self.services.hub.latest_of("signal"))
        self._draw_feed()
        self._stale_chart = not self.chart.load()

    @property
    def _overtaken(self) -> bool:
        """Whether the page was made before the symbols were known, and they are known now.

        Its header is wrong then, and the symbol that its address asks for was not understood:
        nothing is drawn that would change the address.
        """
        return self._early and bool(self.services.symbols)

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        self.rows.close()
        self.desk.close()
        self.tiles.close()
        self.weights.close()
        self.chart.close()
        self.context.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        self.desk.heard(events)
        self.tiles.heard(news, events)
        for topic, payload in events:
            if topic == "config" and payload["what"] == "weights":
                self.weights.changed(payload)
                self._stale_chart = True
            elif topic == "config" and payload["what"] == "preset":
                self.weights.read_presets()
            elif topic == "config" and payload["what"] == "agent":
                self._draw_feed()
        if "feed" in news and self._evaluation is None:
            self.rows.draw()
        if self._overtaken:
            self.head.badge.epoch = ""  # has the browser load it again
            return
        if "scan" in news:
            self._rank(news["scan"][""])
        if "price" in news:
            self._quote(news["price"])
        if "signal" in news:
            self.feed.take(news["signal"])
            self._draw_feed()
        if self._stale_chart:
            self._stale_chart = not self.chart.load()

    def _quote(self, prices: Mapping[str, tuple[float, ...]]) -> None:
        self._prices |= {symbol: bar[4] for symbol, bar in prices.items()}
        self.table.quote(self._prices)
        if self.chart.symbol in prices:
            self._draw_quote()
            self.chart.tick()

    # -- ranking -------------------------------------------------------------------------------

    def _rank(self, shared: Evaluation | None) -> None:
        """Show a new ranking: the shared one, or that of this session's draft."""
        self._evaluation = found = self.weights.rank(shared)
        if found is not None and not self.chart.symbol:
            best = ranking(found)
            if best.size:
                self._choose(symbol=found.snapshot.symbols[int(best[0])])
        self.head.trust.draw(found.trust_summary if found is not None else None)
        self.rows.show(found)
        self._draw_why()
        self._draw_quote()
        at, data = self._place(), self.chart.data
        if at is not None and found is not None:
            closed = int(found.snapshot.closed[at])
            self._stale_chart |= data is None or closed > int(data.bars.close_time[-1])
        self.context.follow(self.chart.symbol)

    def _draft_moved(self) -> None:
        with pn.io.hold(self.doc):
            self._rank(self.services.evaluation())

    def _choose(self, symbol: str | None = None, timeframe: str | None = None) -> None:
        """Show another stream; names that are not watched are passed over."""
        chart, services = self.chart, self.services
        symbol = symbol if symbol in services.symbols else chart.symbol
        timeframe = timeframe if timeframe in services.timeframes else chart.timeframe
        if symbol and timeframe and (symbol, timeframe) != (chart.symbol, chart.timeframe):
            with pn.io.hold(self.doc):
                chart.choose(symbol, timeframe)
                self.table.param.update(selected=symbol, timeframe=timeframe)
                self.context.follow(symbol)
                self._draw_why()
                self._draw_quote()

    def _place(self) -> tuple[int, int] | None:
        """Return where the chosen stream stands in the evaluation."""
        if self._evaluation is None:
            return None
        snapshot, chart = self._evaluation.snapshot, self.chart
        if chart.symbol not in snapshot.symbols or chart.timeframe not in snapshot.timeframes:
            return None
        frames: tuple[str, ...] = snapshot.timeframes
        return snapshot.symbols.index(chart.symbol), frames.index(chart.timeframe)

    # -- pictures ------------------------------------------------------------------------------

    def _draw_why(self) -> None:
        at, found = self._place(), self._evaluation
        if at is None or found is None:
            self.why.draw(None)
            return
        snapshot = found.snapshot
        one = found.explanation(at)
        row, data, known = found.row(at[0]), self.chart.data, self.context.known
        price = self._prices.get(row.symbol, row.price)
        self.why.draw(why_state(
            one, row.symbol, words=told(data.events, data.bars) if data is not None else None,
            exists=snapshot.exists.tolist(),
            advice=advice_line(row.recommended_action, row.risk_level),
            success=success_line(found, at), ict=float(snapshot.ict[at]),
            read=context_words(known, price),
        ))
        self.why.tell(context_state(known, price))

    def _draw_quote(self) -> None:
        symbol, found = self.chart.symbol, self._evaluation
        row = found.find(symbol) if found is not None else None
        price = self._prices.get(symbol, row.price if row is not None else None)
        self.chart.bar.draw(symbol, price, row.change_24h if row is not None else None)

    def _draw_feed(self) -> None:
        self.feed.refresh(int(self.services.feed.clock.now()), self.services.agent.enabled)
