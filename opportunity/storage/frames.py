"""Frames: named arrays and plain values, one after the other in a file that only ever grows.

A frame is written whole or, when the power fails, not at all: each begins with its length and a
checksum, and a tail that is not whole is dropped when the file is read.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr
from numpy.typing import NDArray

from opportunity.errors import OpportunityError

MAGIC: Final = b"OPF1"

_HEAD: Final = struct.Struct("<4sII")  # magic, bytes that follow, their checksum
_SIZE: Final = struct.Struct("<I")
_PIECE: Final = 1 << 18
_LEVEL: Final = 1  # a higher one takes three times as long for a tenth less


class FrameError(OpportunityError):
    """Raised when a file of frames is damaged before its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One entry of a file.

    Parameters
    ----------
    kind : str
        What it is.
    meta : dict
        Plain values that JSON can hold.
    arrays : dict of str to ndarray
        Of any type but object, structured ones included.
    """

    kind: str
    meta: dict[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A frame as it was read, with the hash of what it says."""

    frame: Frame
    digest: bytes


def pack(frame: Frame) -> list[memoryview]:
    """Return what a frame says, not yet compressed, in pieces: equal frames give equal bytes."""
    arrays = {n: np.ascontiguousarray(a).reshape(np.shape(a)) for n, a in frame.arrays.items()}
    head = {
        "kind": frame.kind,
        "meta": frame.meta,
        "arrays": [[n, dtype_to_descr(a.dtype), list(a.shape)] for n, a in arrays.items()],
    }
    text = json.dumps(head, sort_keys=True, separators=(",", ":"), default=_plain).encode()
    pieces = [memoryview(_SIZE.pack(len(text)) + text)]
    for array in arrays.values():
        whole = array.reshape(-1).view(np.uint8).data
        pieces += [whole[i : i + _PIECE] for i in range(0, len(whole), _PIECE)]
    return pieces


def unpack(body: bytes) -> Frame:
    """Return the frame that `pack` was given; its arrays are read-only."""
    (size,) = _SIZE.unpack_from(body)
    place = _SIZE.size + size
    head = json.loads(body[_SIZE.size : place])
    arrays: dict[str, NDArray[Any]] = {}
    for name, described, shape in head["arrays"]:
        dtype = descr_to_dtype(_descr(described))
        count = int(np.prod(shape, dtype=np.int64))
        part = body[place : place + count * dtype.itemsize]
        arrays[name] = np.frombuffer(part, dtype, count).reshape(shape)
        place += len(part)
    return Frame(head["kind"], head["meta"], arrays)


def digest(pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return the hash of what a frame says."""
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.digest()


def sealed(pieces: Iterable[bytes | memoryview]) -> list[bytes]:
    """Return a packed frame as it stands in a file, in pieces.

    Long work is done by calls that let other threads run: nothing waits for the interpreter.
    """
    packer = zlib.compressobj(_LEVEL)
    small = [c for c in (packer.compress(p) for p in pieces) if c] + [packer.flush()]
    checksum = 0
    for piece in small:
        checksum = zlib.crc32(piece, checksum)
    return [_HEAD.pack(MAGIC, sum(map(len, small)), checksum), *small]


@dataclass(slots=True)
class FrameFile:
    """The frames of a file, in order; `torn` is known once all have been read.

    Parameters
    ----------
    path : Path
    torn : int
        Bytes at the end that make no whole frame.
    """

    path: Path
    torn: int = 0

    def __iter__(self) -> Iterator[Stored]:
        """Read the frames.

        Raises
        ------
        FrameError
            If one is damaged that others come after: then nothing here can be relied on.
        """
        data, place = self.path.read_bytes(), 0
        while place < len(data):
            small = _whole(data, place)
            if small is None:
                if _resumes(data, place):
                    raise FrameError(
                        f"{self.path.name} must hold whole frames, "
                        f"was damaged at byte {place} of {len(data)}"
                    )
                break
            place += _HEAD.size + len(small)
            body = zlib.decompress(small)
            yield Stored(unpack(body), digest([body]))
        self.torn = len(data) - place


def _whole(data: bytes, place: int) -> bytes | None:
    """Return the compressed frame at a place; None if there is no whole one."""
    if len(data) - place < _HEAD.size:
        return None
    magic, size, checksum = _HEAD.unpack_from(data, place)
    small = data[place + _HEAD.size : place + _HEAD.size + size]
    if magic != MAGIC or len(small) < size or zlib.crc32(small) != checksum:
        return None
    return small


def _resumes(data: bytes, place: int) -> bool:
    """Tell whether a whole frame comes after a place: what is torn has nothing after it."""
    following = data.find(MAGIC, place + 1)
    while following >= 0:
        if _whole(data, following) is not None:
            return True
        following = data.find(MAGIC, following + 1)
    return False


def _descr(described: Any) -> Any:
    """Turn the lists of JSON into the tuples of a NumPy description."""
    if isinstance(described, str):
        return described
    return [
        (
            tuple(part[0]) if isinstance(part[0], list) else part[0],
            _descr(part[1]),
            *(tuple(shape) for shape in part[2:]),
        )
        for part in described
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"values of a frame must be plain, was {type(value).__name__}")
