"""Goes on where another run of the server ended: what was told, and what nobody heard."""

from typing import Final, Protocol

from app.alerts.daily import Daily
from app.alerts.judge import DAY_MS, EVENTS, Judge
from opportunity.storage.events import MOST_READ, StoredEvent
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note

OVERLAP: Final = 100
"""Events before the last one known that are read again: they may have been stored after it."""

_LATE_MS: Final = 60_000


class EventLog(Protocol):
    """What is read of the event log."""

    def read(
        self, kinds: tuple[str, ...] | None = None, since_id: int = 0, limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[StoredEvent, ...]:  # fmt: skip
        """Return events; see `EventRepository.read`."""


def remember(outbox: Outbox, judge: Judge, daily: Daily, now: int) -> None:
    """Tell both what was told before, so that they do not say it again."""
    for kind in ("return", "loss"):
        at = outbox.last_written(kind)
        if at is not None:
            judge.last_at[kind] = at
    judge.remember(outbox.newest_keys("signal"), now)
    daily.remember(
        outbox.newest_keys("summary", 10), outbox.last_written("summary"),
        outbox.last_written("heartbeat"),
    )  # fmt: skip


def unheard(outbox: Outbox, log: EventLog, judge: Judge, now: int) -> tuple[list[Note], int]:
    """Return notes about events whose alerts were never kept, and the number of the newest event.

    Those of the last day: older news is none. On the first start what was before is history.
    """
    newest = log.read(limit=1, newest_first=True)
    up_to, cursor = newest[0].id if newest else 0, outbox.read_up_to()
    if cursor is None:
        outbox.put((), up_to)
        return [], up_to
    since = max(0, cursor - OVERLAP)
    found = log.read(tuple(EVENTS), since_id=since, limit=MOST_READ, newest_first=True)
    late = [e for e in found if e.id > cursor or e.at > now - _LATE_MS]
    notes = [judge.event(e) for e in reversed(late) if e.at > now - DAY_MS]
    return [note for note in notes if note is not None], up_to
