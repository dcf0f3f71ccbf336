"""One thing that a page reads from time to time, without holding up the page or the loop."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from bokeh.document import Document, without_document_lock

from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

REFUSED: Final = (OpportunityError, KeyError, ValueError, OSError)


class Reading:
    """Reads not twice at once nor too often; what is asked for meanwhile is read afterwards.

    Parameters
    ----------
    doc : Document
        The page's document.
    work : callable
        Awaited outside of the document's lock; its answer goes to `arrived`.
    arrived, failed : callable
        Called inside the document with what was read, or with why it could not be.
    clock : callable
        Seconds that only grow.
    least_s : float
        Least time between two readings that nobody pressed for.
    """

    def __init__(
        self, doc: Document, work: Callable[[], Awaitable[Any]], arrived: Callable[[Any], None],
        failed: Callable[[str], None], clock: Callable[[], float], least_s: float = 3.0,
    ) -> None:  # fmt: skip
        self._doc, self._work, self._arrived, self._failed = doc, work, arrived, failed
        self._clock, self._least_s = clock, least_s
        self._loading = self._closed = self._asked = self._soon = False
        self._read_at = float("-inf")

    def close(self) -> None:
        """Read nothing more."""
        self._closed = True

    def ask(self, soon: bool = False) -> None:
        """Have it read; `soon` where somebody waits for it."""
        self._asked, self._soon = True, self._soon or soon
        self.again()

    def again(self) -> None:
        """Read what was asked for too early."""
        early = not self._soon and self._clock() - self._read_at < self._least_s
        if not self._asked or self._loading or self._closed or early:
            return
        self._loading, self._asked, self._soon = True, False, False
        self._read_at = self._clock()
        read: Any = self._read
        self._doc.add_next_tick_callback(without_document_lock(read))

    async def _read(self) -> None:
        found, why = None, ""
        try:
            found = await self._work()
        except REFUSED as error:
            why = str(error) or type(error).__name__
            logger.warning("page not read", error=why)
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._done(found, why))

    def _done(self, found: Any, why: str) -> None:
        self._loading = False
        if self._closed:
            return
        if why:
            self._failed(why)
        else:
            self._arrived(found)
        self.again()
