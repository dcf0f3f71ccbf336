"""What one open Live page sees and does: its draft, its choice, its picture of the market."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import panel as pn
from bokeh.document import Document

from app.auth.pages import act
from app.components.context_state import context_state, context_words
from app.components.feed_badge import held_up
from app.components.island import dumps
from app.components.rows import LIMIT, ranking, table_state
from app.components.signal_feed import SignalFeed
from app.components.signal_table import SignalTable
from app.components.success import success_line
from app.components.theme import ThemeName
from app.components.waterfall import told, why_state
from app.components.weights_editor import WeightsEditor
from app.components.why_card import WhyCard
from app.pages.head import Head
from app.pages.live_chart import LiveChart
from app.pages.live_context import LiveContext
from app.pages.pace import Events, News, Pace
from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.weights import Weights
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from app.services import Services

SAME: Final = 1e-9
"""Weights nearer than this are equal: what travels through JSON and sliders is rounded."""


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
        self.draft = Weights(**services.weights.as_dict())
        self._active = services.weights.as_dict()
        self._based_on = services.controls.weights_version
        self._evaluation: Evaluation | None = None
        self._prices: dict[str, float] = {}
        self._stale_chart = False
        self._early = not services.symbols  # made before the exchange said what it trades
        self.table = SignalTable(selected=symbol, timeframe=timeframe)
        self.chart = LiveChart(
            services, doc, symbol, timeframe, lambda: self.head.theme.theme, self._draw_why
        )
        self.why = WhyCard()
        self.context = LiveContext(services, doc, self._draw_why)
        self.feed = SignalFeed(on_select=lambda name: self._choose(symbol=name))
        self.editor = WeightsEditor(
            self.draft, active=self._active, on_apply=self._apply, on_save=self._save_preset,
            on_delete=self._delete_preset, later=self.head.later,
        )
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self._wire()

    def _wire(self) -> None:
        table, bar = self.table, self.chart.bar
        self.draft.param.watch(self._draft_moved, list(DETECTOR_NAMES))
        table.param.watch(lambda e: self._choose(symbol=e.new), "selected")
        for part in (table, bar):
            part.param.watch(lambda e: self._choose(timeframe=e.new), "timeframe")
        table.param.watch(lambda *_: self._filtered(), ["query", "side", "min_confidence"])
        self.head.theme.param.watch(lambda *_: self.chart.wear(), "theme")
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "table": self.table, "bar": self.chart.bar, "why": self.why,
            "weights": self.editor, "feed": self.feed, **self.chart.places,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.editor.presets = dumps(self._presets())
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
        self.chart.close()
        self.context.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        for topic, payload in events:
            if topic == "config" and payload["what"] == "weights":
                self._weights_changed(payload)
            elif topic == "config" and payload["what"] == "agent":
                self._draw_feed()
        if "feed" in news and self._evaluation is None:
            self._draw_table()
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

    def _weights_changed(self, change: Mapping[str, Any]) -> None:
        """Follow new active weights; a draft that was turned is kept, and its user asked."""
        turned, version = self._differs(), int(change["version"])
        mine = version == self._based_on
        self._active = dict(change["value"])
        if not turned:
            self._based_on = version
            self.draft.update(self._active)
            if not mine:
                self.editor.set_active(self._active, f"New weights ({change['by']}).")
        elif not mine:
            self.editor.set_active(self._active)
            self.editor.clash(f"The active weights were changed ({change['by']}) meanwhile.")
        self._stale_chart = True

    def _quote(self, prices: Mapping[str, tuple[float, ...]]) -> None:
        self._prices |= {symbol: bar[4] for symbol, bar in prices.items()}
        self.table.quote(self._prices)
        if self.chart.symbol in prices:
            self._draw_quote()
            self.chart.tick()

    # -- ranking -------------------------------------------------------------------------------

    def _differs(self) -> bool:
        return any(abs(getattr(self.draft, n) - w) > SAME for n, w in self._active.items())

    def _rank(self, shared: Evaluation | None) -> None:
        """Show a new ranking: the shared one, or that of this session's draft."""
        found = self.services.evaluate(self.draft) if self._differs() else shared
        self._evaluation = found
        if found is not None:
            there = zip(DETECTOR_NAMES, found.snapshot.exists, strict=True)
            self.editor.absent = dumps([name for name, exists in there if not exists])
        if found is not None and not self.chart.symbol:
            best = ranking(found)
            if best.size:
                self._choose(symbol=found.snapshot.symbols[int(best[0])])
        self.head.trust.draw(found.trust_summary if found is not None else None)
        self._draw_table()
        self._draw_why()
        self._draw_quote()
        at, data = self._place(), self.chart.data
        if at is not None and found is not None:
            closed = int(found.snapshot.closed[at])
            self._stale_chart |= data is None or closed > int(data.bars.close_time[-1])
        self.context.follow(self.chart.symbol)

    def _draft_moved(self, *_: Any) -> None:
        if not self._differs():
            self._based_on = self.services.controls.weights_version
        with pn.io.hold(self.doc):
            self._rank(self.services.evaluation())

    def _filtered(self) -> None:
        """Choose other rows, which matters only when not all of them travelled."""
        if self._evaluation is not None and self._evaluation.stops.size > LIMIT:
            self._draw_table()

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

    def _draw_table(self) -> None:
        table = self.table
        table.draw(table_state(
            self._evaluation, query=table.query, side=table.side,
            min_confidence=table.min_confidence, draft=self._differs(),
            held_up=held_up(self.services.feed_status()),
        ))

    def _draw_why(self) -> None:
        at, found = self._place(), self._evaluation
        if at is None or found is None:
            self.why.draw(None)
            return
        snapshot = found.snapshot
        one = found.explanation(at)
        row, data, known = found.row(at[0]), self.chart.data, self.context.known
        action = row.recommended_action.replace("_", " ")
        price = self._prices.get(row.symbol, row.price)
        self.why.draw(why_state(
            one, row.symbol, words=told(data.events, data.bars) if data is not None else None,
            exists=snapshot.exists.tolist(),
            advice=f"Overall: {action} · risk {row.risk_level}",
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

    # -- what the user asks for ----------------------------------------------------------------

    async def _apply(self, values: dict[str, float], force: bool) -> None:
        based_on = None if force else self._based_on
        by = act(self.services, self.head.who)
        version = await self.services.controls.apply_weights(values, by, based_on)
        self._based_on, self._active = version, dict(values)

    def _presets(self) -> list[dict[str, Any]]:
        return [
            {"name": p.name, "weights": p.weights, "protected": p.protected}
            for p in self.services.controls.presets()
        ]

    async def _save_preset(self, name: str, values: dict[str, float]) -> list[dict[str, Any]]:
        by = act(self.services, self.head.who)
        await self.services.controls.save_preset(name, values, by)
        return self._presets()

    async def _delete_preset(self, name: str) -> list[dict[str, Any]]:
        by = act(self.services, self.head.who)
        await self.services.controls.delete_preset(name, by)
        return self._presets()
