"""Where the stream's messages come from: an agent of this process, or one behind a bus."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from app.api.messages import Message
from opportunity.contracts.realtime import Channel

MOST_MISSED: Final = 1_000
"""Events of one channel that are replayed; who has missed more starts from the states."""

Listener = Callable[[Sequence[Message]], None]
Wants = Callable[[Channel, str], bool]
"""Says of a channel and key whether its states are wanted; events are given to everybody."""


class Source(Protocol):
    """What connections are served from; everything is called on, and calls, one loop."""

    @property
    def epoch(self) -> str:
        """Of all numbers: events of one epoch have one number each, on whatever server."""

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that are watched; empty while nobody knows."""

    @property
    def subscribed(self) -> Sequence[str]:
        """Symbols of the default stream."""

    @property
    def enabled(self) -> bool:
        """Whether the agent gives signals."""

    def newest(self, channel: Channel, key: str = "") -> Message | None:
        """Return the newest state of a channel and symbol; None before the first."""

    def newest_of(self, channel: Channel) -> list[Message]:
        """Return the newest states of a channel that comes whole, in the order of their numbers."""

    def seqs(self) -> dict[Channel, int]:
        """Return the number of the newest event that listeners were given, by channel."""

    async def missed(self, channel: Channel, after: int) -> list[Message] | None:
        """Return the events after a number, up to that of `seqs`, without a hole.

        None where they cannot be had: let go of, too many, or of a number that was never given.
        """

    def listen(self, callback: Listener, wants: Wants | None = None) -> Callable[[], None]:
        """Call back with new messages: all events in the order of their numbers, each once.

        Parameters
        ----------
        callback : callable
        wants : callable, optional
            Which states are wanted; by default all. Others may come too.

        Returns
        -------
        callable
            Ends it.
        """

    async def close(self) -> None:
        """End what runs for it."""


class Ring:
    """The newest events of one channel, without a hole between them.

    Parameters
    ----------
    head : int
        Number of the newest event so far; 0 before the first.
    size : int
        How many are kept.
    """

    def __init__(self, head: int, size: int) -> None:
        self.head = head
        self._kept: deque[Message] = deque(maxlen=size)

    def add(self, message: Message) -> bool:
        """Keep the newest event; False, and nothing done, when it was kept before.

        One that comes after a hole takes the place of all before.
        """
        if message.seq <= self.head:
            return False
        if message.seq != self.head + 1:
            self._kept.clear()
        self._kept.append(message)
        self.head = message.seq
        return True

    def after(self, seq: int) -> list[Message] | None:
        """Return the events after a number; None when not all of them are here."""
        if seq == self.head:
            return []
        if not self._kept or not self._kept[0].seq - 1 <= seq < self.head:
            return None
        return [message for message in self._kept if message.seq > seq]

    def complete(self, found: Iterable[Message], after: int) -> list[Message] | None:
        """Join events that were read elsewhere with what is here; None where there is a hole.

        Parameters
        ----------
        found : iterable of Message
            In the order of their numbers.
        after : int
            Number that the first must follow.
        """
        joined: list[Message] = []
        last = after
        for message in found:
            if message.seq > self.head:
                break
            if message.seq != last + 1:
                return None
            joined.append(message)
            last = message.seq
        rest = self.after(last)
        return None if rest is None else joined + rest
