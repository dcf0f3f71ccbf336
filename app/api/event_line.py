"""Events out of the log to whoever listens: each once, in the order of the numbers, without a hole.

The log is the truth: what the hub tells is sent at once where it is the next number; otherwise,
and every `POLL_S`, the log is read. So it does not matter who appended an event, in which thread
or process, or in which order those tell of it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import pydantic
import structlog

from app.api.messages import Message
from app.api.press import Press
from app.api.source import MOST_MISSED, Ring
from opportunity.contracts.realtime import EVENT_CHANNELS, Channel
from opportunity.storage.events import StoredEvent
from opportunity.storage.failures import DatabaseError

logger = structlog.get_logger(__name__)

POLL_S: Final = 2.0


class Log(Protocol):
    """What is read of the event log, on threads."""

    def heads(self) -> dict[Channel, int]:
        """Return the newest number of each channel."""

    def after(self, channel: Channel, seq: int, limit: int) -> Sequence[StoredEvent]:
        """Return the events after a number, in their order."""


class EventLine:
    """The events of one log, as messages.

    Parameters
    ----------
    log : Log
        Asked for the newest numbers here, which may block; later on threads.
    press : Press
    n_kept : int
        Newest messages of each channel that are kept.
    give : callable
        Called on the loop with what the log had and nobody told of.

    Raises
    ------
    DatabaseError
        If the log cannot be read.
    """

    def __init__(
        self, log: Log, press: Press, n_kept: int, give: Callable[[Sequence[Message]], None]
    ) -> None:
        self._log, self._press, self._give = log, press, give
        self.broken = 0
        self._rings = {channel: Ring(head, n_kept) for channel, head in log.heads().items()}
        self._behind: set[Channel] = set()
        self._reading: asyncio.Future[Any] | None = None
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._poll = self._loop.call_later(POLL_S, self._poll_again)

    def seqs(self) -> dict[Channel, int]:
        """Return the number of the newest event that went out, by channel."""
        return {channel: ring.head for channel, ring in self._rings.items()}

    def hear(self, event: StoredEvent) -> list[Message]:
        """Take an event whose number is the next; one that comes early waits for the log."""
        assert event.channel is not None
        assert event.stream_seq is not None
        ring = self._rings[event.channel]
        if event.stream_seq <= ring.head:
            return []
        if event.stream_seq > ring.head + 1:
            self.look(event.channel)
            return []
        message = self._event(event)
        ring.add(message)
        return [message]

    def look(self, *channels: Channel) -> None:
        """Have the log read, once more where that is under way."""
        self._behind.update(channels)
        if self._reading is None and not self._closed:
            wanted = {channel: self._rings[channel].head for channel in self._behind}
            self._behind.clear()
            self._reading = self._loop.run_in_executor(None, _read, self._log, wanted)
            self._reading.add_done_callback(self._looked)

    async def missed(self, channel: Channel, after: int) -> list[Message] | None:
        """Return the events after a number, out of memory or the log; see `Source.missed`.

        A log that cannot be read now has nothing: the client is told that something is missing.
        """
        ring = self._rings[channel]
        here = ring.after(after)
        if here is not None:
            return here if len(here) <= MOST_MISSED else None
        if not 0 <= ring.head - after <= MOST_MISSED:
            return None
        try:
            found = await asyncio.to_thread(self._log.after, channel, after, MOST_MISSED)
        except DatabaseError as error:
            logger.warning("missed events not read", channel=channel, error=str(error))
            return None
        return ring.complete([self._event(event) for event in found], after)

    async def close(self) -> None:
        """End it; a look into the log that is under way is waited for."""
        self._closed = True
        self._poll.cancel()
        if self._reading is not None:
            await asyncio.wait([self._reading])

    # -- inside ------------------------------------------------------------------------------

    def _event(self, event: StoredEvent) -> Message:
        try:
            return self._press.event(event)
        except (pydantic.ValidationError, TypeError, ValueError):
            self.broken += 1
            logger.exception("event broke its contract", kind=event.kind, id=event.id)
            return self._press.bare(event)

    def _looked(self, done: "asyncio.Future[dict[Channel, Sequence[StoredEvent]]]") -> None:
        self._reading = None
        if self._closed or done.cancelled():
            return
        error = done.exception()
        if isinstance(error, DatabaseError):  # the next look finds what this one did not
            logger.warning("events not read", error=str(error))
            return
        for channel, found in done.result().items():
            self._give(self._caught_up(channel, found))
            if len(found) == MOST_MISSED:
                self._behind.add(channel)
        if self._behind:
            self.look()

    def _caught_up(self, channel: Channel, found: Sequence[StoredEvent]) -> list[Message]:
        ring, out = self._rings[channel], []
        for event in found:
            assert event.stream_seq is not None
            if event.stream_seq > ring.head:
                message = self._event(event)
                if message.seq > ring.head + 1:
                    logger.error("events are gone from the log", channel=channel, after=ring.head)
                ring.add(message)
                out.append(message)
        return out

    def _poll_again(self) -> None:
        self.look(*EVENT_CHANNELS)
        self._poll = self._loop.call_later(POLL_S, self._poll_again)


def _read(log: Log, wanted: Mapping[Channel, int]) -> dict[Channel, Sequence[StoredEvent]]:
    """Return the events after these numbers; on a thread."""
    heads = log.heads()
    return {
        channel: log.after(channel, seq, MOST_MISSED)
        for channel, seq in wanted.items()
        if heads.get(channel, 0) > seq
    }
