"""Keep the streams' state on disk, so that a restart equals never having stopped."""

import asyncio
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.live.streams import Streams

logger = structlog.get_logger(__name__)

SAVE_EVERY_S: Final = 60.0
"""What a crash costs the next start, at most: bars of so long are read again."""

FIRST_S: Final = 5.0

Arrays = dict[str, NDArray[Any]]


class StateKeeper:
    """Has the state written now and then, off the loop and one after the other.

    Parameters
    ----------
    path : Path or None
        Without one nothing is kept.
    copy : callable
        Gives copies of all arrays, on any thread; None while they must not be kept.
    """

    def __init__(self, path: Path | None, copy: Callable[[], Arrays | None]) -> None:
        self._path, self._copy = path, copy
        self._writing = threading.Lock()  # the last save waits for one whose await was cancelled

    async def run(self) -> None:
        """Save soon after the start and every minute, until cancelled."""
        wait_s = FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            await self.save()
            wait_s = SAVE_EVERY_S

    async def save(self) -> None:
        """Have the state written; a full disk costs the next start its head start, not more."""
        if self._path is None:
            return
        try:
            await asyncio.to_thread(self.write)
        except OSError as error:
            logger.error("state not kept", error=str(error))

    def write(self) -> None:
        """Write the state, on the calling thread."""
        with self._writing:
            arrays = self._copy()
            if arrays is not None:
                save_state(self._path, arrays)

    async def drop(self) -> None:
        """Forget what is kept: it holds bars that have changed since."""
        if self._path is not None:
            await asyncio.to_thread(self._unlink, self._path)

    def _unlink(self, path: Path) -> None:
        try:
            with self._writing:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("state not removed", error=str(error))



def duplicate(array: NDArray[Any]) -> NDArray[Any]:
    """Copy a contiguous array byte by byte: NumPy's own copy of records goes field by field.

    Measured on the streams of 40 symbols x 6 timeframes: 0.4 ms instead of 3.2 ms.
    """
    if array.dtype.names is None:
        return array.copy()
    return array.view(np.uint8).copy().view(array.dtype)


def save_state(path: Path | None, arrays: Arrays) -> None:
    """Write the arrays to `path`, whole or not at all; without a path nothing is kept."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_state(path: Path | None, streams: Streams) -> bool:
    """Restore `streams` from `path`; False, with `streams` fresh, when it does not fit.

    A state of other kernels, of another universe or one cut short is left where it is: the
    streams start from history instead.
    """
    if path is None or not path.exists():
        return False
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            fits = streams.load({name: stored[name] for name in stored.files})
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logger.warning("stored state unreadable", path=path.name, error=str(error))
        return False
    if not fits:
        logger.info("stored state is of other kernels or symbols", path=path.name)
    return fits
