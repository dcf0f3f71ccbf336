"""What one open System page sees and does."""

from typing import TYPE_CHECKING, Any

from bokeh.document import Document

from app.components.theme import ThemeName
from app.pages.head import Head
from app.pages.pace import Events, News, Pace

if TYPE_CHECKING:
    from app.services import Services


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
    """

    def __init__(self, services: "Services", doc: Document, theme: ThemeName) -> None:
        self.services, self.doc = services, doc
        self.head = Head(services, doc, theme)
        self.pace = Pace(doc, self._show, lambda: self.head.seen)
        self.head.badge.param.watch(lambda *_: self.pace.wake(), "visible")

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""
        return self.head.roots()

    def open(self) -> None:
        """Begin to follow the market; called once the browser shows the page."""
        self.pace.follow(self.services.hub)
        if not self.pace.closed:
            self.head.draw_trust()

    def close(self) -> None:
        """Leave the hub and load nothing more."""
        self.pace.close()

    # -- news ----------------------------------------------------------------------------------

    def _show(self, news: News, events: Events) -> None:
        """Bring one picture of the news into the components."""
        self.head.show(news, events)
        if "scan" in news:
            self.head.draw_trust()
