"""For how long rows are kept: turned by people, stored and audited, obeyed by the housekeeping."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.kept import Kept, Turnable
from opportunity.config import Settings
from opportunity.config_lists import MOST_DAYS, RETENTION_DAYS, check_retention
from opportunity.errors import unknown
from opportunity.storage.extents import Extent
from opportunity.storage.repositories import Memory

SETTING: Final = "retention"


class Retention:
    """Days by table; what people set counts more than the environment, also after a restart.

    Parameters
    ----------
    settings : Settings
        The days at the very first start.
    memory : Memory
    now : callable
        Feed time of the audit, ms UTC.
    """

    def __init__(self, settings: Settings, memory: Memory, now: Callable[[], int]) -> None:
        self._memory = memory
        self._days = dict(settings.retention)
        what = Turnable(SETTING, "audit", self.days, self._put, _check)
        self._kept = Kept(what, memory.turned, now, lambda *_: None)

    @property
    def version(self) -> int:
        """Rises with every change."""
        return self._kept.version

    def days(self) -> dict[str, int]:
        """Return the days in force by table; 0 is for ever."""
        return dict(self._days)

    async def set(
        self, values: Mapping[str, Any], by: str, why: str = "", expected: int | None = None
    ) -> int:
        """Change the days of some tables; return the new version.

        Raises
        ------
        ValueError, TypeError
            If a table is not pruned, or days are no whole number from 0 to 36500.
        ConflictError
            If somebody else was quicker.
        DatabaseError
            If it cannot be stored; nothing has changed then.
        """
        for name in values:
            if name not in RETENTION_DAYS:
                raise ValueError(unknown("table", name, RETENTION_DAYS))
        return await self._kept.set(values, by, why, expected)

    async def extents(self) -> tuple[Extent, ...]:
        """Return rows and oldest row of each table that is pruned; counted on a thread."""
        return await asyncio.to_thread(self._memory.extents)

    def _put(self, values: dict[str, Any]) -> None:
        self._days = dict(values)


def _check(values: dict[str, Any]) -> None:
    for name, days in values.items():
        if not isinstance(days, int) or isinstance(days, bool):
            raise TypeError(f"days of {name} must be whole and 0 to {MOST_DAYS}, was {days!r}")
    check_retention(values)
