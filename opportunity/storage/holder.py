"""Who holds something on this machine, and whether that process is still there."""

import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, told apart from all others that ever ran.

    Parameters
    ----------
    host : str
        Name of the machine.
    pid : int
    started : str
        When the process began, in the system's own count; ``-`` where that is not known.
    machine : str
        This run of this machine, and of the container in it; ``-`` where that is not known.
    """

    host: str
    pid: int
    started: str
    machine: str

    def __str__(self) -> str:
        return "/".join((self.host, str(self.pid), self.started, self.machine))

    @property
    def text(self) -> str:
        """The process as people are told of it."""
        return f"process {self.pid} on {self.host}"

    @classmethod
    def parse(cls, text: str) -> "Holder | None":
        """Return the holder of which `str` told; None for what is none."""
        parts = text.split("/")
        if len(parts) != 4 or not parts[1].isdigit():
            return None
        return cls(parts[0], int(parts[1]), parts[2], parts[3])

    def gone(self) -> bool:
        """Say whether its process certainly ended: only for one of this run of this machine."""
        if _UNKNOWN in (self.machine, self.started) or self.machine != _machine():
            return False
        return _started(self.pid) != self.started


def myself() -> Holder:
    """Return this process."""
    host = platform.node().replace("/", "_")[:64] or "localhost"
    return Holder(host, os.getpid(), _started(os.getpid()) or _UNKNOWN, _machine())


def _started(pid: int) -> str | None:
    """Return when a process began; None where there is none, or nobody knows."""
    try:
        told = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = told.rpartition(")")[2].split()  # the name before may hold blanks and brackets
    if len(fields) < 20 or fields[0] in ("Z", "X"):  # ended, and not yet cleared away
        return None
    return fields[19]


@cache
def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:13]
        space = os.readlink(_PROC / "self/ns/pid").strip("pid:[]")
    except OSError:
        return _UNKNOWN
    return f"{boot}.{space}"
