"""Copies of the database that people ask for while the server runs: made one at a time, listed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from app.audit import Audit
from opportunity.config import Settings
from opportunity.storage.backup import ENDINGS, Backup, back_up, file_name, unused
from opportunity.storage.engines import parse_url
from opportunity.storage.failures import DatabaseError

logger = structlog.get_logger(__name__)

MOST: Final = 50
"""Copies in the folder at which no more are made by a press: somebody has to clear it first."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that is there: its file's name, size in bytes, when it was written, ms UTC."""

    name: str
    size: int
    at: int
    automatic: bool


class Backups:
    """Makes and lists the copies in the data folder.

    Parameters
    ----------
    settings : Settings
        Names the database and the data folder.
    audit : Audit
        Is told who made which.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, settings: Settings, audit: Audit, clock: Callable[[], int]) -> None:
        self._url, self._audit, self._clock = parse_url(settings.database), audit, clock
        self.folder: Path = settings.home / "backups"
        self.making = False
        """Whether one is being made now."""

    async def copies(self) -> tuple[Copy, ...]:
        """Return the copies, newest first; the folder is read on a thread."""
        return await asyncio.to_thread(self._copies)

    async def make(self, by: str) -> Backup:
        """Copy the database as it is now, checked to its last page.

        Raises
        ------
        DatabaseError
            If one is being made, there are `MOST` already, or it cannot be written.
        """
        if self.making:
            raise DatabaseError("backup must be the only one under way, was the second")
        self.making = True
        try:
            made = await asyncio.to_thread(self._make)
            await asyncio.to_thread(
                self._audit.note, "audit", by, None,
                {"file": made.path.name, "bytes": made.size}, "backup",
            )  # fmt: skip
        finally:
            self.making = False
        logger.info("database copied", file=made.path.name, bytes=made.size, by=by)
        return made

    def _make(self) -> Backup:
        if len(self._copies()) >= MOST:
            raise DatabaseError(f"backups must be fewer than {MOST}, were as many: remove old ones")
        return back_up(self._url, unused(self.folder / file_name(self._url, self._clock())))

    def _copies(self) -> tuple[Copy, ...]:
        found = []
        for ending in ENDINGS.values():
            for path in self.folder.glob(f"[!.]*{ending}"):
                try:
                    stat = path.stat()
                except FileNotFoundError:  # removed since it was listed, or a link to nowhere
                    continue
                found.append(Copy(
                    path.name, stat.st_size, stat.st_mtime_ns // 1_000_000,
                    path.name.startswith("auto-"),
                ))  # fmt: skip
        return tuple(sorted(found, key=lambda copy: (-copy.at, copy.name)))
