"""Alerts, backups and retention of the System page: shown, turned, tried."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from app.auth.pages import act
from app.auth.roles import Role
from app.components.alert_channels import AlertChannels, alerts_state
from app.components.backups_panel import BackupsPanel, backups_state
from app.components.problems_log import ProblemsLog, problems_state
from app.components.retention_form import RetentionForm, retention_state
from app.observing.problems import PROBLEMS
from app.pages.head import Head
from opportunity.errors import ConflictError
from opportunity.feeds.clock import wall_ms
from opportunity.storage.extents import Extent

if TYPE_CHECKING:
    from app.services import Services

MESSAGES: Final = 30
COUNT_EVERY: Final = 60
"""Loads between two counts of all rows, which read whole indexes."""


class Keeping:
    """The parts that are read from database and files, and what is done by them.

    Parameters
    ----------
    services : Services
    head : Head
        Knows who looks.
    """

    def __init__(self, services: "Services", head: Head) -> None:
        self._services, self._head = services, head
        self.alerts = AlertChannels(self._alerted, head.later)
        self.backups = BackupsPanel(self._backed_up, head.later)
        self.retention = RetentionForm(self._retained, head.later)
        self.problems = ProblemsLog()
        self._trusted = head.who.role >= Role.TRADER
        self._extents: tuple[Extent, ...] = ()
        self._loads = 0
        self._loading = self._anew = self._closed = False

    def close(self) -> None:
        """Load nothing more."""
        self._closed = True

    def load(self) -> None:
        """Read everything anew; once more afterwards where it is being read."""
        if self._trusted:  # what the program complains of is not for everybody
            self.problems.draw(problems_state(PROBLEMS.all(), PROBLEMS.n_seen, wall_ms()))
        if self._closed:
            return
        if self._loading:
            self._anew = True  # what is read now may be from before a press
            return
        self._loading = True
        self._head.later.carry_out(self._read, self._arrived)

    async def _read(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        services, now = self._services, wall_ms()
        if self._loads % COUNT_EVERY == 0:
            self._extents = await services.retention.extents()
        self._loads += 1
        return await self._alerts(now), await self._copies(now), self._days(now)

    def _arrived(self, found: Any, failure: Exception | None) -> None:
        self._loading = False
        if self._closed:
            return
        anew, self._anew = self._anew, False
        if failure is None:  # else the state says that the database is silent
            alerts, copies, days = found
            self.alerts.draw(alerts)
            self.backups.draw(copies)
            self.retention.draw(days)
        if anew:
            self.load()

    async def _alerts(self, now: int) -> dict[str, Any]:
        alerts = self._services.alerts
        tallies, page = await asyncio.gather(alerts.tallies(), alerts.page(MESSAGES))
        channels = [(n, alerts.channels[n].service, tally) for n, tally in tallies.items()]
        return alerts_state(alerts.rules, alerts.version, channels, page.rows, now)

    async def _copies(self, now: int) -> dict[str, Any]:
        backups = self._services.backups
        copies = await backups.copies()
        return backups_state(copies, backups.folder.name, backups.making, now)

    def _days(self, now: int) -> dict[str, Any]:
        retention = self._services.retention
        return retention_state(retention.days(), retention.version, self._extents, now)

    # -- what the user asks for ----------------------------------------------------------------

    async def _alerted(self, asked: Mapping[str, Any]) -> Any:
        alerts, by = self._services.alerts, act(self._services, self._head.who)
        if asked.get("what") == "test":
            channel = asked.get("channel")
            found: Any = await alerts.test(None if channel is None else str(channel))
        else:
            values, version = _values(asked)
            try:
                await alerts.set_rules(values, by, "", version)
            except ConflictError as error:
                raise ValueError(_QUICKER) from error
            found = {"version": alerts.version, "rules": alerts.rules.as_dict()}
        self._again()
        return found

    async def _backed_up(self, asked: Mapping[str, Any]) -> Any:
        made = await self._services.backups.make(act(self._services, self._head.who))
        self._again()
        return {"name": made.path.name, "size": made.size, "seconds": made.seconds}

    async def _retained(self, asked: Mapping[str, Any]) -> Any:
        retention, by = self._services.retention, act(self._services, self._head.who)
        values, version = _values(asked)
        try:
            await retention.set(values, by, "", version)
        except ConflictError as error:
            raise ValueError(_QUICKER) from error
        self._again()
        return {"version": retention.version, "days": retention.days()}

    def _again(self) -> None:
        self._head.doc.add_next_tick_callback(self.load)


_QUICKER: Final = "somebody else was quicker; Reset shows what holds now"


def _values(asked: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    values, version = asked.get("values"), asked.get("version")
    if not isinstance(values, Mapping) or not isinstance(version, int):
        raise TypeError("values and version must be there")
    return dict(values), version
