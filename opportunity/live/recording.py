"""Writes what the agent is given and does to a session log, on a thread of its own.

Nothing here holds the agent's loop: what it hands over is put into a queue. A disk that is full
or too slow ends the log, which says so, and not the agent.
"""

import queue
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import structlog

from opportunity.live.streams import Streams
from opportunity.market.observations import Record
from opportunity.storage.frames import Frame
from opportunity.storage.record_frames import frames_of
from opportunity.storage.session import BATCH, SessionWriter

logger = structlog.get_logger(__name__)

MOST_WAITING: Final = 20_000
"""Frames that wait for a disk; more, and the log ends."""

SYNC_EVERY: Final = 100
"""Batches after which the system is asked to put the log on the disk for good."""


class Recorder:
    """The log of one session.

    Parameters
    ----------
    folder : Path
        Made here.
    header : mapping
        Plain values that say what runs.

    Raises
    ------
    OSError
        If the folder exists or cannot be made.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.error = ""
        """Why the log ended before the session; empty while all is well."""
        self.closed = False
        self._writer = SessionWriter(folder, header)
        self._waiting: queue.SimpleQueue[Frame | Sequence[Record] | None] = queue.SimpleQueue()
        self._numbers: WeakKeyDictionary[Streams, int] = WeakKeyDictionary()
        self._n_streams = 0
        self._numbering = threading.Lock()
        self._thread = threading.Thread(target=self._write, name="session log", daemon=True)
        self._thread.start()

    def put(self, frame: Frame | Sequence[Record]) -> None:
        """Have a frame written, or records; from any thread, arrays must not change later."""
        if self.error or self.closed:
            return
        if self._waiting.qsize() > MOST_WAITING:
            self.end("the disk is too slow")
            return
        self._waiting.put(frame)

    def heard(self, streams: Streams, call: str, given: Mapping[str, Any]) -> None:
        """Take a call of streams; see `streams.Tap`."""
        arrays = {name: np.asarray(v) for name, v in given.items() if not isinstance(v, Streams)}
        meta = {"streams": self.number(streams)}
        if "other" in given:
            meta |= {"other": self.number(given["other"]), "version": streams.version}
        self.put(Frame(call, meta, arrays))

    def number(self, streams: Streams) -> int:
        """Return by what number streams are called in the log."""
        with self._numbering:
            if streams not in self._numbers:
                self._numbers[streams] = self._n_streams
                meta = {"streams": self._n_streams, "symbols": list(streams.symbols)}
                self._n_streams += 1
                self.put(Frame("stream", meta))
            return self._numbers[streams]

    def close(self) -> None:
        """Write what waits and close the file; blocks, call on a thread."""
        self.closed = True
        self._waiting.put(None)
        self._thread.join()

    def end(self, why: str) -> None:
        """Write nothing more, and say why; the first reason stays."""
        if not self.error:
            self.error = why
            logger.error("session not recorded any more", error=why)

    def _write(self) -> None:
        n_batches = 0
        try:
            while (item := self._waiting.get()) is not None:
                if self.error:
                    continue  # only to let go of what waits
                for frame in (item,) if isinstance(item, Frame) else frames_of(item):
                    self._writer.append(frame)
                    n_batches += frame.kind == BATCH
                if self._waiting.empty():
                    sync = n_batches >= SYNC_EVERY
                    self._writer.flush(sync)
                    n_batches = 0 if sync else n_batches
            self._writer.flush(sync=True)
        except (OSError, ValueError, TypeError) as error:
            self.end(str(error))
            while self._waiting.get() is not None:
                pass
        finally:
            self._let_go()

    def _let_go(self) -> None:
        try:
            self._writer.close()
        except OSError as error:
            self.end(str(error))
