"""Who changed what, written down as events that stay."""

import secrets
from collections.abc import Callable
from typing import Any

import structlog

from opportunity.storage.events import Event, EventRepository
from opportunity.storage.failures import DatabaseError

logger = structlog.get_logger(__name__)


class Audit:
    """Writes changes down.

    Parameters
    ----------
    events : EventRepository
    now : callable
        Feed time, ms UTC.
    """

    def __init__(self, events: EventRepository, now: Callable[[], int]) -> None:
        self._events, self._now = events, now

    def note(self, kind: str, by: str, before: Any, after: Any, what: str = "") -> None:
        """Write a change down; one that cannot be written is logged, for it has happened.

        Parameters
        ----------
        kind : str
            Of the event, e.g. ``weights``.
        by : str
            Who: ``page``, ``api`` or ``python``.
        before, after : object
            Plain values.
        what : str
            What of it, where the kind does not say.
        """
        try:
            self._events.append([self.event(kind, by, before, after, what)])
        except DatabaseError as error:
            logger.error("change not in the audit", kind=kind, by=by, error=str(error))

    def event(self, kind: str, by: str, before: Any, after: Any, what: str = "") -> Event:
        """Return the event of a change, to be stored in its transaction; see `note`."""
        body = {"book": "", "what": what or kind, "by": by, "why": "",
                "before": before, "after": after}  # fmt: skip
        return Event(f"{kind}:{secrets.token_hex(8)}", self._now(), kind, body)
