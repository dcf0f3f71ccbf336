"""The header of one open page: agent, lines, theme and trust, the same on every page."""

from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document

from app.auth.pages import act, caller
from app.components.feed_badge import FeedBadge
from app.components.header import AgentToggle, ConnectionBadge, ThemeSwitch, TrustBadge
from app.components.later import Later
from app.components.theme import ThemeName
from app.pages.pace import Events, News
from opportunity.scoring.trust import TrustSummary

if TYPE_CHECKING:
    from app.services import Services

BEAT_S: Final = 1.0


class Head:
    """What stands in the header, and what the news change of it.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    theme : str
        Theme of the first picture.

    Attributes
    ----------
    who : Caller
        Who opened the page; `act(services, head.who)` before anything is changed.
    later : Later
        For answers of the page's components that take time.
    """

    def __init__(self, services: "Services", doc: Document, theme: ThemeName) -> None:
        self.services, self.doc, self.who = services, doc, caller(doc)
        self.later = Later(doc)
        self._beat_at = float("-inf")
        self.agent = AgentToggle(
            on_toggle=self._toggle, later=self.later, enabled=services.agent.enabled
        )
        self.badge = ConnectionBadge(epoch=services.epoch, speed=services.feed.clock.speed)
        self.line, self.trust, self.theme = FeedBadge(), TrustBadge(), ThemeSwitch(theme=theme)
        self.line.draw(services.feed_status())

    @property
    def seen(self) -> bool:
        """Whether the browser shows the page now."""
        return bool(self.badge.visible)

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return {
            "badge": self.badge, "line": self.line, "agent": self.agent, "theme": self.theme,
            "trust": self.trust,
        }  # fmt: skip

    def open(self) -> None:
        """Catch up with what was turned while the page was on its way to the browser."""
        self.agent.enabled = self.services.agent.enabled
        self.line.draw(self.services.feed_status())

    def show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the header."""
        for topic, payload in events:
            if topic == "config" and payload["what"] == "agent":
                self.agent.enabled = self.services.agent.enabled
        if "feed" in news:
            self.line.draw(news["feed"][""])
        now = self.services.uptime_s
        if "price" in news and now - self._beat_at >= BEAT_S:
            self._beat_at = now
            self.badge.beat = int(self.services.feed.clock.now())

    def draw_trust(self, summary: TrustSummary | None = None) -> None:
        """Show a summary; without one, that of the newest shared scan."""
        if summary is None:
            found = self.services.evaluation()
            summary = found.trust_summary if found is not None else None
        self.trust.draw(summary)

    async def _toggle(self, enabled: bool) -> bool:
        await self.services.controls.set_enabled(enabled, act(self.services, self.who))
        return bool(self.services.agent.enabled)
