"""The last problems that were logged, kept in memory so that a page can show them."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from app.observing.redaction import clean
from opportunity.feeds.clock import wall_ms

MOST: Final = 200
"""Different problems that are kept, the newest."""

MOST_CHARS: Final = 400
LEVELS: Final = frozenset({"warning", "error", "critical", "exception"})
_NOT_TOLD: Final = frozenset({"event", "level", "timestamp", "exception", "stack", "logger"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was logged at level warning or above.

    Parameters
    ----------
    level : str
        ``warning`` or ``error``.
    text, detail : str
        What happened, and the values that were logged with it, without secrets.
    at : int
        When it was logged last, wall time, ms UTC.
    n : int
        How often in a row.
    """

    level: str
    text: str
    detail: str
    at: int
    n: int = 1


class Problems:
    """Keeps the newest problems; from any thread. One that repeats itself is counted.

    Parameters
    ----------
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, clock: Callable[[], int] = wall_ms) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: deque[Problem] = deque(maxlen=MOST)
        self.n_seen = 0
        """How many since the start."""

    def add(self, level: str, text: str, detail: str = "") -> None:
        """Keep a problem."""
        level = "warning" if level == "warning" else "error"
        new = Problem(level, text[:MOST_CHARS], detail[:MOST_CHARS], self._clock())
        with self._lock:
            self.n_seen += 1
            last = self._kept[-1] if self._kept else None
            if last is not None and (last.level, last.text) == (new.level, new.text):
                self._kept[-1] = replace(new, n=last.n + 1)
            else:
                self._kept.append(new)

    def all(self) -> tuple[Problem, ...]:
        """Return them, newest first."""
        with self._lock:
            return tuple(reversed(self._kept))


PROBLEMS: Final = Problems()
"""Of this process."""


def keep(logger: object, method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep a line that tells of a problem, once it is cleaned; a processor of structlog."""
    level = str(event.get("level", method))
    if level in LEVELS:
        detail = " ".join(f"{n}={v}" for n, v in event.items() if n not in _NOT_TOLD)
        PROBLEMS.add(level, str(event.get("event", "")), detail)
    return event


class Keeper(logging.Handler):
    """Keeps what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, without secrets."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # its values do not fit: not the library's end
            text = str(record.msg)
        PROBLEMS.add(record.levelname.lower(), clean(text), f"of {record.name}")
