"""The context of the chosen symbol, fetched without holding up the page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document, without_document_lock

from app.components.context_state import MOST_HEADLINES
from opportunity.live.context import Context

if TYPE_CHECKING:
    from app.services import Services

LOAD_S: Final = 2.0
"""Least time between two loads for one symbol."""


class LiveContext:
    """Knows the newest context of one symbol.

    Parameters
    ----------
    services : Services
        Where it comes from.
    doc : Document
        The page's document.
    on_load : callable
        Called inside the document after a context has come.
    """

    def __init__(self, services: "Services", doc: Document, on_load: Callable[[], None]) -> None:
        self._services, self._doc, self._on_load = services, doc, on_load
        self.symbol = ""
        self.known: Context | None = None
        self._loading, self._closed = False, False
        self._loaded_at = float("-inf")

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def follow(self, symbol: str) -> None:
        """Ask for the context of a symbol; of the same one again not too often."""
        if symbol != self.symbol:
            self.symbol, self.known = symbol, None
            self._loaded_at = float("-inf")
        recent = self._services.uptime_s - self._loaded_at < LOAD_S
        if symbol and not (self._loading or self._closed or recent):
            self._loading = True
            fetch: Any = self._fetch
            self._doc.add_next_tick_callback(without_document_lock(fetch))

    async def _fetch(self) -> None:
        symbol = self.symbol
        self._loaded_at = self._services.uptime_s
        found = await self._services.context(symbol, MOST_HEADLINES)
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._arrived(symbol, found))

    def _arrived(self, symbol: str, found: Context | None) -> None:
        self._loading = False
        if self._closed:
            return
        if symbol != self.symbol:
            self._loaded_at = float("-inf")
            self.follow(self.symbol)
        else:
            self.known = found
            self._on_load()
