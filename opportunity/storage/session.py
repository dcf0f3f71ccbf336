"""The log of a live session: a folder with what the agent was given and what it made of it.

``header.json`` says what ran; ``log.frames`` grows by a few frames a batch. Most hold what came
from outside: bars, records, configs. Each frame of kind ``batch`` closes one batch of bars with
what was decided and done, and with running hashes of all that is before it: a log that was changed
afterwards says so itself.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opportunity.errors import OpportunityError
from opportunity.storage.frames import Frame, FrameFile, digest, pack, sealed

FORMAT: Final = 1

HEADER: Final = "header.json"
LOG: Final = "log.frames"

BATCH: Final = "batch"
HASHED: Final[dict[str, str]] = {
    "stream": "bars", "load": "bars", "warm": "bars", "prime": "bars", "begin": "bars",
    "update": "bars", "flush": "bars", "adopt": "bars", "ready": "bars",
    "records": "records", "config": "config", "faults": "faults", BATCH: "outcomes",
    "account": "config", "hand": "config",
}  # fmt: skip
"""Which running hash each kind of frame goes into."""

_SHOWN: Final = 16  # hexadecimal digits of a hash


class SessionError(OpportunityError):
    """Raised when there is no session to read, or it is of another format or damaged."""


class Hashes:
    """Running hashes of a log; each begins with the header."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        text = json.dumps(header, sort_keys=True).encode()
        self._running = {name: hashlib.sha256(text) for name in sorted(set(HASHED.values()))}

    def add(self, kind: str, hashed: bytes) -> None:
        """Take the hash of a frame."""
        name = HASHED.get(kind)
        if name is not None:
            self._running[name].update(hashed)

    def shown(self) -> dict[str, str]:
        """Return the hashes so far."""
        return {name: one.hexdigest()[:_SHOWN] for name, one in self._running.items()}


class SessionWriter:
    """Writes a session; one thread owns it.

    Parameters
    ----------
    folder : Path
        Made here; it must not exist.
    header : mapping
        Plain values that say what runs.

    Raises
    ------
    OSError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True)
        self.folder, self.header = folder, dict(header) | {"format": FORMAT}
        fresh = folder / f"{HEADER}.new"
        fresh.write_text(json.dumps(self.header, indent=1, sort_keys=True) + "\n")
        fresh.replace(folder / HEADER)
        self._file = (folder / LOG).open("ab")
        self._hashes = Hashes(self.header)

    def append(self, frame: Frame) -> None:
        """Write a frame; a batch is given the hashes of what came before it.

        Raises
        ------
        OSError
            If it cannot be written; what is left of it is dropped when the log is read.
        """
        if frame.kind == BATCH:
            frame = Frame(BATCH, frame.meta | {"hashes": self._hashes.shown()}, frame.arrays)
        pieces = pack(frame)
        self._hashes.add(frame.kind, digest(pieces))
        self._file.writelines(sealed(pieces))

    def flush(self, sync: bool = False) -> None:
        """Hand what was written to the system; with `sync` wait until it is on the disk."""
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; what the disk does not take any more is dropped."""
        self._file.close()


@dataclass(slots=True)
class SessionLog:
    """A session as it was read.

    Parameters
    ----------
    folder : Path
    header : dict
    changed : dict of str to int
        For each hash that does not fit what was read: the first batch that says so.
    """

    folder: Path
    header: dict[str, Any]
    changed: dict[str, int] = field(default_factory=dict)
    _file: FrameFile | None = None

    @property
    def torn(self) -> int:
        """Bytes at the end that were not written whole; known once all frames were read."""
        return 0 if self._file is None else self._file.torn

    def __iter__(self) -> Iterator[Frame]:
        """Read the frames, and hold them against the hashes in the batches.

        Raises
        ------
        FrameError
            If a frame is damaged that others come after.
        """
        self._file, self.changed = FrameFile(self.folder / LOG), {}
        hashes, n_batches = Hashes(self.header), 0
        for stored in self._file:
            frame = stored.frame
            if frame.kind == BATCH:
                for name, value in hashes.shown().items():
                    if frame.meta["hashes"].get(name) != value:
                        self.changed.setdefault(name, n_batches)
                n_batches += 1
            hashes.add(frame.kind, stored.digest)
            yield frame


def read_session(folder: Path) -> SessionLog:
    """Open a session.

    Raises
    ------
    SessionError
        If there is none, or it is of another format.
    """
    try:
        header = json.loads((folder / HEADER).read_text())
    except FileNotFoundError as error:
        raise SessionError(f"session must be a folder with {HEADER}, was {folder}") from error
    except ValueError as error:
        raise SessionError(f"{folder / HEADER} must be JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        was = header.get("format") if isinstance(header, dict) else header
        raise SessionError(f"format of {folder.name} must be {FORMAT}, was {was!r}")
    if not (folder / LOG).exists():
        raise SessionError(f"session {folder.name} must hold {LOG}, did not")
    return SessionLog(folder, header)


def sessions_in(folder: Path) -> list[Path]:
    """Return the sessions of a folder by name, which is by start; none where there is none."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if (p / HEADER).is_file())
