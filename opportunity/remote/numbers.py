"""What of the stream has been seen: so that a client that comes back misses nothing, twice nothing.

Channels of events are numbered without gap; of states the newest counts, whatever its number.
"""

from collections.abc import Mapping
from typing import Any

from opportunity.contracts.realtime import EVENT_CHANNELS

_CHANNEL = {"config_changed": "config", "trade": "trade", "alert": "alert"}


def channel_of(message: Mapping[str, Any]) -> str | None:
    """Return the channel of events that a message belongs to; None for anything else."""
    return _CHANNEL.get(str(message.get("type")))


class Numbers:
    """The newest number seen of each channel of events, and what to do with the next message."""

    def __init__(self) -> None:
        self.epoch: str | None = None
        """Of the numbers; None before the first."""
        self.seen: dict[str, int] = {}
        self.holes = 0
        """Events that are known to be missing."""
        self._waits = False

    def subscribed(self, message: Mapping[str, Any]) -> None:
        """Take the confirmation of a subscription: at first, numbering begins there."""
        epoch = message.get("epoch")
        newest = message.get("seqs") or {}
        if self.epoch is None and epoch is not None:
            self.epoch = str(epoch)
            self.seen = {c: int(newest[c]) for c in EVENT_CHANNELS if c in newest}

    @property
    def command(self) -> dict[str, Any] | None:
        """The command that asks for what was missed; None where nothing was seen yet."""
        if self.epoch is None:
            return None
        return {"action": "resume", "epoch": self.epoch, "seqs": dict(self.seen)}

    @property
    def waits(self) -> bool:
        """Whether the answer to `command` is still to come."""
        return self._waits

    def resume(self) -> None:
        """Events count from `resumed` on: what comes before will come again, in order."""
        self._waits = True

    def resumed(self, message: Mapping[str, Any]) -> bool:
        """Take the answer to `command`; return whether nothing is missing."""
        self._waits = False
        newest = {str(c): int(n) for c, n in (message.get("seqs") or {}).items()}
        epoch, complete = str(message.get("epoch")), bool(message.get("complete"))
        if epoch != self.epoch:
            self.seen = {}
        if not complete:
            self.holes += 1
            replayed = int(message.get("replayed") or 0)
            if not replayed:
                self.seen = newest
            for channel, number in newest.items():
                if self.seen.get(channel, 0) > number:  # it never gave that one, and will now
                    self.seen[channel] = number
        self.epoch = epoch
        return complete

    def takes(self, message: Mapping[str, Any]) -> bool:
        """Say whether a message is new; whatever is no event is."""
        channel = channel_of(message)
        if channel is None:
            return True
        if self._waits:
            return False
        number, epoch = int(message["seq"]), str(message["epoch"])
        if epoch != self.epoch:
            self.epoch, self.seen = epoch, {}
        before = self.seen.get(channel)
        if before is not None and number <= before:
            return False
        if before is not None and number > before + 1:
            self.holes += 1
        self.seen[channel] = number
        return True
