"""Alerts: rules, channels (never their addresses), a test, and what was told."""

from app.alerts.service import Alerts
from app.api.base import BaseHandler
from app.api.etags import expected_version, stale, tag_of
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.auth.roles import Role
from opportunity.contracts.alerts import (
    ChannelItem,
    ChannelsAnswer,
    NotificationChange,
    NotificationSettings,
    OutboxAnswer,
    OutboxItem,
    OutboxQuery,
    TestAnswer,
    TestBody,
    TestResult,
)
from opportunity.errors import ConflictError
from opportunity.storage.outbox_rows import ChannelTally, Row


class SettingsHandler(BaseHandler):
    """What is worth an alert."""

    def compute_etag(self) -> str | None:
        """Return the version of the rules as a strong tag."""
        return tag_of(self.services.alerts.version)

    @operation(Role.VIEWER, answer=NotificationSettings, etag=True)
    def get(self) -> None:
        """Return the rules in force; the ETag carries their version."""
        self.set_header("Cache-Control", "no-cache")
        self.send(_settings(self.services.alerts))

    @operation(Role.TRADER, answer=NotificationSettings, body=NotificationChange, etag=True)
    async def put(self) -> None:
        """Change the rules that are named; with If-Match only if nobody was quicker."""
        alerts, asked = self.services.alerts, self.body(NotificationChange)
        changes = asked.changes()
        if not changes:
            raise invalid("body", "must name a rule or more")
        given = self.request.headers.get("If-Match")
        expected = expected_version(given, alerts.version, "settings")
        try:
            await alerts.set_rules(changes, "api", asked.why, expected)
        except ConflictError as error:
            raise stale(alerts.version, "settings") from error
        except (TypeError, ValueError) as error:
            name = str(error).split(" ", 1)[0]
            raise invalid(name if name in changes else "routes", str(error)) from error
        self.set_header("Etag", tag_of(alerts.version))
        self.send(_settings(alerts))


class ChannelsHandler(BaseHandler):
    """Where alerts go."""

    @operation(Role.VIEWER, answer=ChannelsAnswer)
    async def get(self) -> None:
        """Return the channels with how it goes; no addresses."""
        alerts = self.services.alerts
        tallies = await alerts.tallies()
        self.send(ChannelsAnswer(channels=[
            _channel(name, alerts.channels[name].service, tally) for name, tally in tallies.items()
        ]))  # fmt: skip


class TestHandler(BaseHandler):
    """The button that shows whether alerts arrive."""

    __test__ = False

    @operation(Role.TRADER, answer=TestAnswer, body=TestBody, problems=(404,))
    async def post(self) -> None:
        """Send a test to one channel or all at once, past the outbox, and say how it went."""
        asked, alerts = self.body(TestBody), self.services.alerts
        try:
            found = await alerts.test(asked.channel)
        except ValueError as error:
            raise ApiError(404, "unknown_channel", str(error), "channel") from error
        results = [
            TestResult(channel=name, sent=not error, text=f"not sent: {error}" if error else "sent")
            for name, error in found.items()
        ]
        failed = [name for name, error in found.items() if error]
        if not found and alerts.channels:
            text = "Tests go to no channel; `routes` of the settings says so."
        elif not found:
            text = "There is no channel; OPPORTUNITY_ALERTS names them."
        elif failed:
            text = f"{', '.join(failed)} did not take it."
        else:
            text = f"{', '.join(found)} took it."
        status = "failed" if failed else "success" if found else "no_channels"
        self.send(TestAnswer(status=status, message=text, results=results))


class NotificationsHandler(BaseHandler):
    """What was told, and what waits to be."""

    @operation(Role.VIEWER, answer=OutboxAnswer, query=OutboxQuery)
    async def get(self) -> None:
        """Return the newest messages of the outbox, of one channel or status if asked."""
        asked = self.query(OutboxQuery)
        page = await self.services.alerts.page(
            asked.limit, asked.after, asked.channel, asked.status
        )
        self.send(OutboxAnswer(notifications=[_row(row) for row in page.rows], next=page.after))


def _settings(alerts: Alerts) -> NotificationSettings:
    return NotificationSettings(**alerts.rules.as_dict(), version=alerts.version)


def _channel(name: str, service: str, tally: ChannelTally) -> ChannelItem:
    state = "ready" if not tally.waiting else "failing" if tally.last_error else "waiting"
    return ChannelItem(
        name=name, service=service, state=state, waiting=tally.waiting, failed=tally.failed,
        last_sent_at=tally.last_sent_at, last_error=tally.last_error,
    )  # fmt: skip


def _row(row: Row) -> OutboxItem:
    return OutboxItem(
        id=row.id, channel=row.channel, kind=row.kind, title=row.title, body=row.body,
        status=row.status, attempts=row.attempts, created_at=row.created_at, next_at=row.next_at,
        sent_at=row.sent_at, error=row.error,
    )  # fmt: skip


routes = [
    ("/api/notifications", NotificationsHandler),
    ("/api/notifications/settings", SettingsHandler),
    ("/api/notifications/channels", ChannelsHandler),
    ("/api/notifications/test", TestHandler),
]
