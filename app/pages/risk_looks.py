"""What the Risk page measures: worked out on threads, for whoever looks, without a queue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from app.components.later import REFUSED
from app.risk import Alike, TailView, View

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

LOAD_S: Final = 3.0
"""Least time between two looks that only news ask for."""

POLL_MS: Final = 10_000
"""How often the risk is looked at without news: limits and the clock change it, too."""


@dataclass(slots=True)
class Wanted:
    """What is looked at: level and horizon of the tail, assets of the map (none: what is held)."""

    level: float = 0.95
    days: float = 1.0
    watched: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture of the risk; `error` says why there is no newer one."""

    view: View | None = None
    tails: TailView | None = None
    alike: Alike | None = None
    error: str = ""


class Looks:
    """Asks the risk manager, never twice at once, and hands over the newest picture.

    Parameters
    ----------
    services : Services
    doc : Document
        The page's document.
    show : callable
        `show(look)`, inside the document.
    seen : callable
        Whether the page is visible; what nobody sees is not polled.
    """

    def __init__(
        self, services: "Services", doc: Document, show: Callable[[Look], None],
        seen: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._services, self._doc, self._show, self._seen = services, doc, show, seen
        self.wanted = Wanted()
        self._loading = self._asked = self._closed = False
        self._loaded_at = float("-inf")
        self._timer: Any = None

    def open(self) -> None:
        """Look for the first time, and from now on now and then."""
        if not self._closed and self._timer is None:
            self._timer = self._doc.add_timeout_callback(self._poll, POLL_MS)
            self.load()

    def close(self) -> None:
        """Look no more."""
        self._closed, self._timer = True, None  # the timer has gone with the document

    def load(self, soon: bool = False) -> None:
        """Ask for a picture; `soon`: somebody waits for it, so it is not put off."""
        self._asked = True
        recent = self._services.uptime_s - self._loaded_at < LOAD_S
        if self._loading or self._closed or (recent and not soon):
            return
        self._loading, self._asked = True, False
        self._loaded_at = self._services.uptime_s
        fetch: Any = self._fetch
        self._doc.add_next_tick_callback(without_document_lock(fetch))

    def again(self) -> None:
        """Look where it was asked for too early."""
        if self._asked:
            self.load()

    def _poll(self) -> None:
        self._timer = None
        if self._closed:
            return
        self._timer = self._doc.add_timeout_callback(self._poll, POLL_MS)
        if self._seen():
            self.load()

    async def _fetch(self) -> None:
        risk, wanted = self._services.risk, self.wanted
        asked = (wanted.level, wanted.days, tuple(wanted.watched))
        look = Look()
        try:
            state = self._services.paper.state()
            if state is not None:
                view = await risk.view(state)
                tails = await risk.tails(state, wanted.level, wanted.days)
                alike = await risk.alike(asked[2]) if asked[2] else None
                look = Look(view, tails, alike)
        except REFUSED as error:
            logger.warning("risk not worked out", error=str(error))
            look = Look(error=str(error) or type(error).__name__)
        if not self._closed:
            other = asked != (wanted.level, wanted.days, tuple(wanted.watched))
            self._doc.add_next_tick_callback(lambda: self._arrived(look, other))

    def _arrived(self, look: Look, other: bool) -> None:
        self._loading = False
        if self._closed:
            return
        if other:  # something else was chosen meanwhile
            self.load(soon=True)
            return
        self._show(look)
        self.again()
