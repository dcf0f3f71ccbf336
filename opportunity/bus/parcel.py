"""What travels between processes: a message of the stream with its number, as bytes of JSON.

A batch is parcels one after the other, each with its length before it. Nothing in it is ever
executed or unpickled; what cannot be read is an error.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

MOST_BYTES: Final = 8 << 20
"""Of one parcel; a larger one is an error."""

_LENGTH: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way.

    Parameters
    ----------
    channel : str
        Channel of the stream.
    key : str
        Symbol or slot within it; '' for none.
    seq : int
        Number within (epoch, channel).
    epoch : str
        Of the numbers.
    body : bytes
        The message as its readers get it, JSON in UTF-8.
    event : bool
        Whether all of the channel travel, numbered without gap; of states the newest wins.
    """

    channel: str
    key: str
    seq: int
    epoch: str
    body: bytes
    event: bool = False

    @property
    def place(self) -> str:
        """What a newer state takes the place of."""
        return f"{self.channel}|{self.key}"

    def pack(self) -> bytes:
        """Return the parcel as bytes: a line of JSON that says what it is, and the body."""
        head = {"c": self.channel, "k": self.key, "s": self.seq, "e": self.epoch, "v": self.event}
        return orjson.dumps(head) + b"\n" + self.body


def unpack(data: bytes) -> Parcel:
    """Return the parcel that `pack` made bytes of.

    Raises
    ------
    ValueError
        If they are not one.
    """
    head, found, body = data.partition(b"\n")
    try:
        value: Any = orjson.loads(head)
        made = Parcel(value["c"], value["k"], value["s"], value["e"], body, value["v"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError("a parcel must begin with what it is") from error
    texts = all(isinstance(text, str) for text in (made.channel, made.key, made.epoch))
    if not found or not texts or type(made.seq) is not int or type(made.event) is not bool:
        raise ValueError("a parcel must begin with what it is")
    return made


def pack_all(parcels: Iterable[Parcel]) -> bytes:
    """Return many parcels as bytes, in their order."""
    packed = [parcel.pack() for parcel in parcels]
    return b"".join(part for data in packed for part in (_LENGTH.pack(len(data)), data))


def unpack_all(data: bytes) -> list[Parcel]:
    """Return the parcels that `pack_all` made bytes of.

    Raises
    ------
    ValueError
        If the bytes are not parcels to their very end, or one is too long.
    """
    found, at = [], 0
    while at < len(data):
        start = at + _LENGTH.size
        if start > len(data):
            raise ValueError("a batch must end with a whole parcel")
        (size,) = _LENGTH.unpack_from(data, at)
        if size > MOST_BYTES or start + size > len(data):
            raise ValueError(f"a parcel must be whole and <= {MOST_BYTES} bytes, was {size}")
        found.append(unpack(data[start : start + size]))
        at = start + size
    return found
