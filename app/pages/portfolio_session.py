"""What one open Portfolio page sees and does: the account, its history, commands by hand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document

from app.components.account import (
    AccountHands,
    AccountHistory,
    AccountPositions,
    AccountSummary,
    Commanding,
    EquityChart,
)
from app.components.account_state import Around, positions_state, summary_state
from app.components.feed_badge import held_up
from app.components.island import dumps
from app.components.theme import ThemeName
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.portfolio_hands import Hands
from app.pages.portfolio_past import Past
from opportunity.live.portfolio import PortfolioState

if TYPE_CHECKING:
    from app.services import Services

PAST: Final = frozenset({"order", "fill", "trade", "reset"})
"""Kinds of events after which the history is another one."""


class PortfolioSession:
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
        self._seen: tuple[int, int] | None = None  # epoch and time of the account that is shown
        self.hand = Hands(services, doc)
        self.summary = AccountSummary(on_command=lambda asked: self._ask(self.summary, asked))
        self.positions = AccountPositions(on_command=lambda asked: self._ask(self.positions, asked))
        self.hands = AccountHands(on_command=lambda asked: self._ask(self.hands, asked))
        self.history, self.chart = AccountHistory(), EquityChart()
        self.past = Past(services, doc, self.history, self.chart)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            **self.head.roots(), "summary": self.summary, "chart": self.chart,
            "positions": self.positions, "hands": self.hands, "history": self.history,
        }  # fmt: skip

    def open(self) -> None:
        """Begin to follow the account; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.head.draw_trust()
        self._draw(self.services.paper.state())

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        self.past.close()
        self.hand.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        happened = {payload.kind for topic, payload in events if topic == "event"}
        turned = any(topic == "config" for topic, _ in events)
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
        if turned or "portfolio" in news or "feed" in news:
            self._draw(self.services.paper.state())
        if happened & PAST:
            self.past.load(history=True)
        self.past.again()

    def _draw(self, state: PortfolioState | None) -> None:
        around = Around(
            self.services.paper.limits(), self.services.agent.enabled,
            self.services.agent.running, held_up(self.services.feed_status()),
        )  # fmt: skip
        self.summary.draw(summary_state(state, around))
        self.positions.draw(positions_state(state, around))
        busy = 0 if state is None else len(state.positions) + len(state.waiting)
        self.hands.draw({
            "ready": state is not None, "open": busy,
            "start_cash": None if state is None else state.start_cash,
            "recorded": self.services.session is not None,
        })  # fmt: skip
        if state is None:
            return
        self.chart.newest = dumps(
            {"time": state.time, "equity": state.equity, "drawdown": state.drawdown}
        )
        seen, self._seen = self._seen, (state.epoch, state.time)
        if seen is None or seen[0] != state.epoch:
            self.past.load(history=True)
        elif seen[1] != state.time:
            self.past.load()

    # -- what the user asks for ----------------------------------------------------------------

    def _ask(self, part: Commanding, asked: Mapping[str, Any]) -> None:
        self.hand.ask(part, asked)
