"""What the System page looks at by the clock: files, database, durations, queues."""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from bokeh.document import Document, without_document_lock

from app.components.feeds_table import FeedsTable, feeds_state
from app.components.latency_panel import LatencyPanel, latency_state
from app.components.system_state import Looked, SystemState, system_state
from opportunity.errors import OpportunityError
from opportunity.measured import MEASURED
from opportunity.storage.engines import file_of, parse_url

if TYPE_CHECKING:
    from app.services import Services

EVERY_MS: Final = 5_000
MINUTE: Final = 12
"""Looks that make a minute."""

STATM: Final = Path("/proc/self/statm")
PAGE_BYTES: Final = 4_096


class SystemWatch:
    """Looks every few seconds while the page is seen, on a thread, and draws what it found.

    Parameters
    ----------
    services : Services
    doc : Document
        The page's document.
    seen : callable
        Whether somebody looks.
    also : callable
        Called in the document with each look: for what else is drawn as often.
    """

    def __init__(
        self, services: "Services", doc: Document, seen: Callable[[], bool],
        also: Callable[[], None] = lambda: None,
    ) -> None:
        self._services, self._doc, self._seen, self._also = services, doc, seen, also
        self.state, self.feeds, self.latency = SystemState(), FeedsTable(), LatencyPanel()
        self._past: deque[Any] = deque(maxlen=MINUTE + 1)
        self._timer: Any = None
        self._looking = self._closed = False

    def open(self) -> None:
        """Look now, and from now on."""
        self._timer = self._doc.add_periodic_callback(self.again, EVERY_MS)
        self.again()

    def close(self) -> None:
        """Look no more."""
        self._closed, self._timer = True, None  # the timer has gone with the document

    def again(self) -> None:
        """Look, unless a look is under way or nobody sees it."""
        if self._looking or self._closed or not self._seen():
            return
        self._looking = True
        work: Any = self._look
        self._doc.add_next_tick_callback(without_document_lock(work))

    async def _look(self) -> None:
        looked = await asyncio.to_thread(look, self._services)
        if not self._closed:
            self._doc.add_next_tick_callback(lambda: self._found(looked))

    def _found(self, looked: Looked) -> None:
        self._looking = False
        if self._closed:
            return
        services, now = self._services, MEASURED.durations()
        self.state.draw(system_state(services, looked))
        self.feeds.draw(feeds_state(services))
        before = self._past[0] if self._past else {}
        self._past.append(now)
        self.latency.draw(latency_state(services, looked.notices, now, before))
        self._also()


def look(services: "Services") -> Looked:
    """Ask the database something and look at its file; blocks."""
    began, error, notices = perf_counter(), "", 0
    try:
        notices = services.look_at_storage()
    except (OpportunityError, OSError) as failure:
        error = str(failure) or type(failure).__name__
    took_ms = (perf_counter() - began) * 1e3
    size, free = _file(services.settings.database)
    return Looked(error, took_ms, notices, size, free, _resident())


def _file(url: str) -> tuple[int | None, int | None]:
    path = file_of(parse_url(url))
    if path is None:
        return None, None
    try:
        log = path.with_name(f"{path.name}-wal")
        size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
        return size, shutil.disk_usage(path.parent).free
    except OSError:
        return None, None


def _resident() -> int | None:
    try:
        return int(STATM.read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (OSError, IndexError, ValueError):  # only Linux says it there
        return None
