"""A folder into which files of headlines are dropped: a source without a network."""

from pathlib import Path
from typing import Final

import structlog

from opportunity.feeds.polling import MOST_BYTES, PollError
from opportunity.feeds.syndication import Entry, FeedError, parse_entries

logger = structlog.get_logger(__name__)

ENDINGS: Final = frozenset((".json", ".xml", ".rss", ".atom"))
MOST_FILES: Final = 1_000
"""Files that are looked at, the first by name."""


class DropFolder:
    """The files of a folder, each read when it is new or has changed.

    Parameters
    ----------
    path : path-like
        Files that end in .json, .xml, .rss or .atom are read; write them elsewhere and move
        them in, so that none is read half-written.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).expanduser()
        self._read: dict[str, tuple[int, int]] = {}

    def entries(self) -> list[Entry]:
        """Return the headlines of new and changed files, by the names of the files.

        A file that cannot be read is logged once and left alone until it changes.

        Raises
        ------
        PollError
            If there is no such folder.
        """
        found: list[Entry] = []
        for path in self._files():
            try:
                status = path.stat()
            except OSError:  # gone since it was listed
                continue
            state = (status.st_mtime_ns, status.st_size)
            if self._read.get(path.name) == state:
                continue
            self._read[path.name] = state
            try:
                if status.st_size > MOST_BYTES:
                    raise FeedError(f"file must be <= {MOST_BYTES} bytes, was {status.st_size}")
                found += parse_entries(path.read_bytes())
            except (FeedError, OSError) as error:
                logger.warning("file not read", file=path.name, error=str(error))
        return found

    def _files(self) -> list[Path]:
        try:
            listed = sorted(p for p in self._path.iterdir() if p.suffix.lower() in ENDINGS)
        except OSError as error:
            raise PollError(f"folder cannot be read ({type(error).__name__})") from None
        return [p for p in listed if p.is_file()][:MOST_FILES]
