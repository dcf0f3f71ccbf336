"""Stream messages as they travel: encoded once, their frames built once."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.api.outlet import frame
from opportunity.contracts.base import Answer, TimeframeName
from opportunity.contracts.realtime import EVENT_CHANNELS, Channel

Filter = tuple[TimeframeName, ...] | None


def encode(answer: Answer, exclude_none: bool = False) -> bytes:
    """Return the frame of a checked answer."""
    return frame(orjson.dumps(answer.model_dump(exclude_none=exclude_none)))


class Message:
    """One numbered message of a channel and the frames made of it so far.

    Parameters
    ----------
    channel : str
    key : str
        Symbol or slot; '' where the channel has no keys.
    seq : int
        Number within (epoch, channel).
    epoch : str
    data : bytes
        Its JSON, checked before.
    fields : mapping, optional
        The same, decoded; by default it is decoded when somebody asks.
    """

    __slots__ = (
        "_fields", "_frames", "channel", "data", "epoch", "key", "place", "seq", "state_key",
    )  # fmt: skip

    def __init__(
        self, channel: Channel, key: str, seq: int, epoch: str, data: bytes,
        fields: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.channel, self.key, self.seq, self.epoch, self.data = channel, key, seq, epoch, data
        self._fields = fields
        self._frames: dict[Filter, bytes] = {}
        self.place = channel, key
        self.state_key = None if channel in EVENT_CHANNELS else self.place
        """What a newer message takes the place of; None for events, which all travel."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """What it says."""
        if self._fields is None:
            self._fields = orjson.loads(self.data)
        return self._fields

    def frame(self, timeframes: Filter = None) -> bytes:
        """Return the frame; of a signal, with only these timeframes in it."""
        found = self._frames.get(timeframes)
        if found is None:
            found = self._frames[timeframes] = frame(self._only(timeframes))
        return found

    def _only(self, timeframes: Filter) -> bytes:
        scores = None if timeframes is None else self.fields.get("timeframes")
        if timeframes is None or not scores:
            return self.data
        kept = {name: score for name, score in scores.items() if name in timeframes}
        return orjson.dumps({**self.fields, "timeframes": kept})
