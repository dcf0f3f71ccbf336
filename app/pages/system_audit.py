"""The audit of the System page: read in pages, read anew when something was changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from app.components.audit_log import KINDS, AuditLog, audit_state
from app.components.later import Later
from opportunity.errors import unknown
from opportunity.storage.events import StoredEvent
from opportunity.storage.failures import DatabaseError

if TYPE_CHECKING:
    from app.services import Services

logger = structlog.get_logger(__name__)

PAGE: Final = 50
MOST: Final = 500
"""Lines that one page holds; more have to be asked for by kind."""


class Audit:
    """Loads lines of the audit without holding up the page.

    Parameters
    ----------
    services : Services
    later : Later
        Of the page.
    kind : str
        What the address asked for; empty for all.
    """

    def __init__(self, services: "Services", later: Later, kind: str) -> None:
        self._services, self._later = services, later
        self._rows: list[StoredEvent] = []
        self._loading = self._again = self._closed = False
        self.log = AuditLog(self._asked, later, kind=kind)

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def load(self) -> None:
        """Read the newest lines, as many as are shown."""
        if self._closed:
            return
        if self._loading:
            self._again = True
            return
        self._loading = True
        self._later.carry_out(lambda: self._newest(self.log.kind), self._arrived)

    def _asked(self, asked: Mapping[str, Any]) -> Any:
        if asked.get("what") == "older":
            return self._older()
        kind = str(asked.get("kind", ""))
        if kind not in ("", *KINDS):
            raise ValueError(unknown("kind", kind, KINDS))
        self.log.kind, self._rows = kind, []
        self.load()
        return None

    async def _newest(self, kind: str) -> tuple[tuple[StoredEvent, ...], bool]:
        """Return as many of the newest lines as are shown, and whether there are older ones."""
        wanted = min(MOST, max(PAGE, len(self._rows)))
        found = await self._services.paper.audit(kind or None, wanted + 1)
        return found[:wanted], len(found) > wanted

    async def _older(self) -> None:
        rows, kind = self._rows, self.log.kind
        if not rows or len(rows) >= MOST:
            raise ValueError(f"lines must be at most {MOST} at once; choose a kind of change")
        found = await self._services.paper.audit(kind or None, PAGE + 1, rows[-1].id)
        if rows is self._rows:
            self._rows = [*rows, *found[:PAGE]]
            self._draw(len(found) > PAGE)

    def _arrived(self, found: Any, failure: Exception | None) -> None:
        self._loading = False
        if self._closed:
            return
        if failure is None:
            rows, more = found
            self._rows = list(rows)
            self._draw(more)
        elif isinstance(failure, DatabaseError):
            logger.warning("audit not read", error=str(failure))
        if self._again:
            self._again = False
            self.load()

    def _draw(self, more: bool) -> None:
        last = self._rows[-1].id if more and self._rows else None
        simulated = "simulated" in self._services.source
        self.log.draw(audit_state(self._rows, last, self.log.kind, simulated))
