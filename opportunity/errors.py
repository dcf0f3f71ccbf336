"""Errors that a caller may want to catch; everything else is a ValueError or a TypeError."""

import difflib
from collections.abc import Iterable
from typing import Any


class OpportunityError(Exception):
    """Base of the errors that this package raises on purpose."""

    @property
    def passing(self) -> bool:
        """Whether waiting may help: the same may go well later."""
        return False


class CoverageError(OpportunityError):
    """Raised when stored history does not cover what was asked; the text lists what is there.

    `report` holds the same as plain values, where a span of bars was asked for.
    """

    report: dict[str, Any] | None = None


class BarError(OpportunityError, ValueError):
    """Raised when bars break a rule (order, grid, sanity); the text names field, rule and value."""


class ThreadError(OpportunityError):
    """Raised when an object shared with the server is set from a thread that does not own it."""


class ConflictError(OpportunityError):
    """Raised when a write is based on a version that is no longer the newest."""


class CalibrationError(OpportunityError):
    """Raised when outcomes are too few to calibrate, or a stored calibration cannot be read."""


class NotSweepable(OpportunityError):
    """Raised when a sweep cannot give what the single engine would; the text says why."""


class DatabaseError(OpportunityError):
    """Raised when the database cannot be opened, read or written, or is of a newer program."""


class StorageFull(DatabaseError):
    """Raised when the database takes no writes for want of room; what is in it can be read."""

    @property
    def passing(self) -> bool:
        """Once there is room again the same goes well."""
        return True


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Word the message for an unknown name, with the nearest known one where there is one."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    others = f" Known: {', '.join(names)}." if names else " There is none."
    hint = f" Did you mean {near[0]!r}?" if near else others
    return f"{what} must be a known name, was {name!r}.{hint}"
