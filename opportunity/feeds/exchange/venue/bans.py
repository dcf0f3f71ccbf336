"""Bans on disk: a restart, or a second process, must not call a venue that has locked us out."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from opportunity.feeds.exchange.venue.failures import LONGEST_MS

logger = structlog.get_logger(__name__)

UNREADABLE_MS: Final = 120_000
"""Ban assumed when the file cannot be read, ms: the shortest that an exchange gives."""

BACK_MS: Final = 5_000
"""The wall clock went back if a ban was noted further than this in the future, ms."""

_Stamp = tuple[int, int, int] | None
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Ban:
    """A pause that a venue asked for.

    Parameters
    ----------
    at, until : int
        When it was noted and when it ends, ms UTC of the wall clock.
    kind : str
        ``limited`` or ``banned``.
    strikes : int
        How often in a row the venue has asked; the pause grows with it.
    """

    at: int
    until: int
    kind: str
    strikes: int

    def remaining_ms(self, now: int) -> int:
        """Return how long it still lasts: never longer than when it was noted."""
        return max(0, min(self.until - now, self.until - self.at))


class Bans:
    """The newest ban of one venue, in a file that several processes may share.

    Parameters
    ----------
    path : Path or None
        The file; None keeps the ban in memory alone.

    Attributes
    ----------
    own : bool
        Whether the newest ban was noted by this object, not by another process or an earlier one.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: _Stamp = None
        self._ban: Ban | None = None
        self.own = False

    def read(self, now: int) -> Ban | None:
        """Return the newest ban, also one that is over; cheap while the file does not change.

        A file that cannot be understood counts as a ban of `UNREADABLE_MS` and is rewritten.
        """
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            if stamp is not None:
                self._ban, self.own = self._load(now), False
        if self._ban is not None and self._ban.at > now + BACK_MS:
            self._anew(now)
        return self._ban

    def write(self, ban: Ban) -> None:
        """Keep a ban; where another process has noted a longer one, that one stays."""
        if self._path is None:
            self._ban, self.own = ban, True
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                there = self._load(ban.at) if self._stamp() != self._seen else self._ban
                kept = there if there is not None and there.until > ban.until else ban
                self.own = kept is ban
                self._ban = replace(kept, strikes=max(ban.strikes, kept.strikes))
                self._replace(self._ban)
        except OSError as error:  # the ban still holds in this process
            self._ban, self.own, self._seen = ban, True, self._stamp()
            logger.error("ban not kept", file=self._path.name, error=str(error))

    def settle(self, now: int) -> None:
        """Forget the strikes: the venue answers again."""
        ban = self.read(now)
        if ban is not None and ban.strikes and not ban.remaining_ms(now):
            self._ban = replace(ban, strikes=0)
            if self._path is not None:
                try:
                    with self._locked():
                        self._replace(self._ban)
                except OSError as error:
                    logger.error("ban not kept", file=self._path.name, error=str(error))

    def _anew(self, now: int) -> None:
        # the clock went back: what is left cannot be told, so all of it starts again
        assert self._ban is not None
        length = min(self._ban.until - self._ban.at, LONGEST_MS)
        self._ban = replace(self._ban, at=now, until=now + length)

    def _stamp(self) -> _Stamp:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return (0, 0, 0)
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _load(self, now: int) -> Ban | None:
        assert self._path is not None
        try:
            return _parsed(orjson.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            logger.warning("ban file unreadable", file=self._path.name, error=str(error)[:200])
            ban = Ban(now, now + UNREADABLE_MS, "banned", 1)
            try:
                self._replace(ban)
            except OSError as failed:
                logger.error("ban not kept", file=self._path.name, error=str(failed))
            return ban

    def _replace(self, ban: Ban) -> None:
        assert self._path is not None
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.{next(_serial)}.tmp")
        try:
            with temporary.open("wb") as stream:
                stream.write(orjson.dumps(asdict(ban)))
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self._path)
        finally:
            temporary.unlink(missing_ok=True)
        self._seen = self._stamp()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # two processes that are banned together must not overwrite the longer ban
        assert self._path is not None
        with self._path.with_name(f".{self._path.name}.lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _parsed(data: Any) -> Ban:
    at, until, strikes = (data[k] for k in ("at", "until", "strikes"))
    if not all(type(v) is int and v >= 0 for v in (at, until, strikes)) or until < at:
        raise ValueError(f"a ban must have whole times in order, was {data}")
    if data["kind"] not in ("limited", "banned"):
        raise ValueError(f"kind must be limited or banned, was {data['kind']!r}")
    return Ban(at, min(until, at + LONGEST_MS), data["kind"], strikes)
