"""The agent over REST: status, switch, default subscription, configuration."""

from dataclasses import asdict
from typing import Any

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.api.symbols import no_symbol, read_symbols, require_at_most, sort_out
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts.agent import (
    INTERVAL_MS,
    AgentConfig,
    AgentStatus,
    ConfigAnswer,
    ConfigBody,
    ConfigQuery,
    FeedLine,
    Rules,
    SubscribeAnswer,
    SubscribeBody,
    ToggleBody,
    ToggleQuery,
)
from opportunity.contracts.base import TIMEFRAME_NAMES
from opportunity.feeds.status import FeedStatus


def status_of(services: Services) -> AgentStatus:
    """Return the agent's status as it travels."""
    agent = services.agent
    return AgentStatus(
        enabled=agent.enabled,
        scan_interval_ms=agent.scan_interval_ms,
        subscribed_symbols=list(services.controls.subscribed),
        running=agent.running,
        last_scan_at=agent.last_scan_at or None,
        last_scan_ms=agent.last_scan_ms,
        next_scan_at=agent.next_scan_at or None,
        last_error=agent.last_error or None,
        source=services.source,
        feed=feed_line(services.feed_status()),
    )


def feed_line(status: FeedStatus | None) -> FeedLine | None:
    """Return the line to the market as it travels."""
    return None if status is None else FeedLine(**asdict(status))


def config_of(services: Services) -> dict[str, Any]:
    """Return the fields of `AgentConfig`."""
    rules = services.rules
    return {
        "scan_interval_ms": services.agent.scan_interval_ms,
        "max_symbols": services.settings.max_symbols,
        "supported_timeframes": list(TIMEFRAME_NAMES),
        "symbols": list(services.symbols),
        "timeframes": list(services.timeframes),
        "rules": Rules(
            type=rules.type,
            threshold=rules.threshold,
            min_confidence=rules.min_confidence,
            max_risk=rules.max_risk,
            exclude_neutral=rules.exclude_neutral,
            min_volume_usd=rules.min_volume_usd,
            exclude_symbols=list(rules.exclude_symbols),
            direction=rules.direction,
            min_trust=rules.min_trust,
            timeframe_weights=dict(rules.timeframe_weights),
        ),
    }


class StatusHandler(BaseHandler):
    """What the agent is doing."""

    @operation(Role.VIEWER, answer=AgentStatus)
    def get(self) -> None:
        """Return switch, heartbeat, default subscription and the last scan."""
        self.send(status_of(self.services))


class ToggleHandler(BaseHandler):
    """The agent's switch."""

    @operation(Role.TRADER, answer=AgentStatus, query=ToggleQuery, body=ToggleBody)
    async def put(self) -> None:
        """Switch on or off by `?enabled=` or a JSON body; twice is the same as once."""
        asked, told = self.query(ToggleQuery).enabled, self.body(ToggleBody).enabled
        if asked is None and told is None:
            raise ApiError(422, "invalid", "enabled: must be given, true or false", "enabled")
        if asked is not None and told is not None and asked != told:
            raise ApiError(
                400, "contradiction", "enabled must be one thing, was two: query and body.",
                "enabled",
            )
        enabled = bool(told if asked is None else asked)
        await self.services.controls.set_enabled(enabled, by=self.caller.name)
        self.send(status_of(self.services))


class SubscribeHandler(BaseHandler):
    """What the default stream pushes."""

    @operation(Role.TRADER, answer=SubscribeAnswer, body=SubscribeBody, problems=(404,))
    async def post(self) -> None:
        """Replace the list of symbols; those that are not watched are listed as rejected."""
        asked = self.body(SubscribeBody).symbols
        require_at_most(len(read_symbols(asked, "symbols")), self.services.settings.max_symbols,
                        "symbols")
        accepted, rejected = sort_out(asked, self.services.symbols)
        if rejected and not accepted:
            raise no_symbol(rejected[0].symbol, self.services.symbols)
        await self.services.controls.subscribe(list(accepted))
        spelt = list(accepted.values())
        self.send(SubscribeAnswer(subscribed_symbols=spelt, count=len(spelt), rejected=rejected))

    @operation(Role.TRADER, answer=SubscribeAnswer, body=SubscribeBody, problems=(404,))
    async def put(self) -> None:
        """Do the same as POST."""
        await self.post()


class ConfigHandler(BaseHandler):
    """How the agent is set up."""

    @operation(Role.VIEWER, answer=AgentConfig)
    def get(self) -> None:
        """Return heartbeat, bounds, universe, timeframes and shared scan rules."""
        self.send(AgentConfig(**config_of(self.services)))

    @operation(Role.TRADER, answer=ConfigAnswer, query=ConfigQuery, body=ConfigBody)
    async def put(self) -> None:
        """Change the heartbeat (query or body) and shared scan rules; the rest stays."""
        asked, told = self.query(ConfigQuery).scan_interval_ms, self.body(ConfigBody)
        if None not in (asked, told.scan_interval_ms) and asked != told.scan_interval_ms:
            raise ApiError(
                400, "contradiction", "scan_interval_ms must be one value, was two.",
                "scan_interval_ms",
            )
        interval = told.scan_interval_ms if asked is None else asked
        if interval is not None and not INTERVAL_MS[0] <= interval <= INTERVAL_MS[1]:
            raise ApiError(
                400, "out_of_bounds",
                f"scan_interval_ms must be {INTERVAL_MS[0]} to {INTERVAL_MS[1]}, was {interval}",
                "scan_interval_ms",
            )
        rules = told.rules.given() if told.rules else {}
        if "exclude_symbols" in rules:
            names = read_symbols(rules["exclude_symbols"], "rules.exclude_symbols")
            rules["exclude_symbols"] = list(names)
        if rules:
            await self.services.controls.set_rules(rules, by=self.caller.name)
        if interval is not None:
            await self.services.controls.set_interval(interval, by=self.caller.name)
        self.send(ConfigAnswer(**config_of(self.services)))


routes = [
    ("/api/agent/status", StatusHandler),
    ("/api/agent/toggle", ToggleHandler),
    ("/api/agent/subscribe", SubscribeHandler),
    ("/api/agent/config", ConfigHandler),
]
