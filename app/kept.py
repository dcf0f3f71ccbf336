"""A shared object that people turn, kept over a restart with a version and an audit."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from opportunity.errors import unknown
from opportunity.storage.failures import DatabaseError
from opportunity.storage.turned import TurnedRepository, Why

logger = structlog.get_logger(__name__)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turnable:
    """What is kept, and how it is read and set.

    Parameters
    ----------
    name : str
        In the table of settings, and in messages.
    kind : str
        Of its audit events.
    get : callable
        Returns the present values by name.
    put : callable
        Sets values that `check` let through.
    check : callable
        Raises ValueError or TypeError for values that break a rule.
    """

    name: str
    kind: str
    get: Callable[[], Values]
    put: Callable[[Values], None]
    check: Callable[[Values], None]


class Kept:
    """Keeps what somebody turns: restored at the start, stored before it is set.

    Parameters
    ----------
    what : Turnable
    stored : TurnedRepository
    now : callable
        Feed time of the audit, ms UTC.
    told : callable
        `told(values, version, by)`, after every change.
    """

    def __init__(
        self, what: Turnable, stored: TurnedRepository, now: Callable[[], int],
        told: Callable[[Values, int, str], None],
    ) -> None:  # fmt: skip
        self._what, self._stored, self._now, self._told = what, stored, now, told
        self._busy = False
        self._turn = asyncio.Lock()
        before = stored.read(what.name)
        self.version = before.version
        self._restore(before.values)
        self._values = what.get()

    def get(self) -> Values:
        """Return the present values; those that Python has set behind our back are kept first."""
        self.changed()
        return self._what.get()

    async def set(
        self, values: Mapping[str, Any], by: str, why: str = "", expected: int | None = None
    ) -> int:
        """Change some values: stored first, on a thread, then in force at once.

        Parameters
        ----------
        values : mapping
            Those that change.
        by, why : str
            For the audit.
        expected : int, optional
            Version that the caller started from.

        Returns
        -------
        int
            The new version.

        Raises
        ------
        ValueError, TypeError
            If a name is unknown or a value breaks its rule.
        ConflictError
            If somebody else was quicker.
        DatabaseError
            If it cannot be stored; nothing has changed then.
        """
        about = Why(self._what.kind, by, why, self._now())
        async with self._turn:  # of two the second starts from what the first has set
            there, known = self._what.get(), self._values
            for name in values:
                if name not in there:
                    raise ValueError(unknown(self._what.kind.removesuffix("s"), name, there))
            wanted = there | dict(values)
            self._what.check(wanted)
            turned = await asyncio.to_thread(
                self._stored.write, self._what.name, wanted, there, about, expected
            )
            alone = self._values is known  # else Python has set something meanwhile
            with self._own():
                self._what.put(self._what.get() | dict(values))
            self._settle(turned.version, by)
            if not alone:  # what is stored last need not be what is in force
                self._keep(wanted)
            return self.version

    def changed(self, *_: Any) -> None:
        """Keep what Python code has set already; the watcher of the shared object."""
        if self._busy:
            return
        if self._what.get() != self._values:
            self._keep(self._values)

    def _keep(self, before: Values) -> None:
        values = self._what.get()
        about = Why(self._what.kind, "python", "", self._now())
        try:
            self.version = self._stored.write(self._what.name, values, before, about).version
        except DatabaseError as error:  # it is in force all the same, until the next start
            logger.error("change not stored", what=self._what.name, error=str(error))
        self._settle(self.version, "python")

    def _settle(self, version: int, by: str) -> None:
        self.version, self._values = version, self._what.get()
        self._told(self._values, version, by)

    def _restore(self, values: Values) -> None:
        """Set what was stored; a value that is not allowed any more falls back, with a warning."""
        there = self._what.get()
        stored = {name: value for name, value in values.items() if name in there}
        if not stored:
            return
        if self._fits(there | stored):  # some only fit together
            there |= stored
        else:
            for name, value in stored.items():
                if self._fits(there | {name: value}):
                    there[name] = value
                else:
                    logger.warning("setting not restored", what=self._what.name, setting=name)
        with self._own():
            self._what.put(there)

    def _fits(self, values: Values) -> bool:
        try:
            self._what.check(values)
        except (TypeError, ValueError):
            return False
        return True

    @contextmanager
    def _own(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
