"""What one open System page sees and does."""

from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document

from app.auth.roles import Role
from app.components.theme import ThemeName
from app.pages.head import Head
from app.pages.pace import Events, News, Pace
from app.pages.system_audit import Audit
from app.pages.system_keeping import Keeping
from app.pages.system_people import People
from app.pages.system_watch import SystemWatch
from app.paper import AUDITED

if TYPE_CHECKING:
    from app.services import Services

KEPT: Final = 6
"""Looks between two of what seldom changes: alerts, backups, users."""


class SystemSession:
    """View-model of one browser page: the components and one hub subscription.

    Parameters
    ----------
    services : Services
        The server's side.
    doc : Document
        The page's document.
    theme : str
        Theme of the first picture.
    kind : str
        Kind of change that the audit shows; empty for all.
    """

    def __init__(
        self, services: "Services", doc: Document, theme: ThemeName, kind: str = ""
    ) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.watch = SystemWatch(services, doc, lambda: self.head.seen, self._looked)
        self.audit = Audit(services, self.head.later, kind)
        self.keeping = Keeping(services, self.head)
        self.people = People(services, self.head) if self.head.who.role >= Role.ADMIN else None
        self._looks = 0
        self.head.badge.param.watch(lambda *_: self._seen(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        keeping, watch, people = self.keeping, self.watch, self.people
        found = {
            **self.head.roots(), "state": watch.state, "feeds": watch.feeds,
            "latency": watch.latency, "audit": self.audit.log, "alerts": keeping.alerts,
            "backups": keeping.backups, "retention": keeping.retention,
        }  # fmt: skip
        if self.head.who.role >= Role.TRADER:
            found["problems"] = keeping.problems
        if people is not None:
            found |= {"keys": people.keys, "users": people.users}
        return found

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if self.pace.closed:
            return
        self.head.draw_trust()
        self.watch.open()
        self.audit.load()
        self._load()

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()
        self.watch.close()
        self.audit.close()
        self.keeping.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
        if any(topic == "config" for topic, _ in events) or {
            payload.kind for topic, payload in events if topic == "event"
        } & set(AUDITED):
            self.audit.load()

    def _seen(self) -> None:
        self.pace.wake()
        self.watch.again()

    def _looked(self) -> None:
        self._looks += 1
        if self._looks % KEPT == 0:
            self._load()
            self.audit.load()

    def _load(self) -> None:
        self.keeping.load()
        if self.people is not None:
            self.people.draw()
