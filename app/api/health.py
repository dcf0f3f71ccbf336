"""Is the server alive, is it ready, how is it."""

from typing import Literal

from app.api.base import BaseHandler, iso
from app.api.operations import operation
from app.api.problems import WARMING_S, ApiError
from app.auth.roles import Role
from app.observing.observing import Observing
from app.observing.ready import CUT as CUT
from app.services import Services
from opportunity.contracts.health import Health, Live, Ready
from opportunity.feeds.clock import wall_ms


def active_signals(services: Services) -> int:
    """Return how many symbols pass the shared rules now; 0 before the first ranking."""
    evaluation = services.evaluation()
    return 0 if evaluation is None else len(evaluation)


def health_of(services: Services) -> Health:
    """Return how the server is."""
    status: Literal["healthy", "starting", "degraded"] = "healthy"
    reason = None
    if services.agent.last_error:
        status, reason = "degraded", "the agent reports an error; see /api/agent/status"
    elif (line := services.feed_status()) is not None and line.state in CUT:
        status = "degraded"
        reason = f"the line to the market is {line.state}; see /api/agent/status"
    elif services.snapshot() is None:
        status, reason = "starting", "the agent is still reading history"
    return Health(
        status=status,
        timestamp=iso(wall_ms()),
        version=services.version,
        active_signals=active_signals(services),
        websocket_connections=services.websocket_stats["connections"]
        + services.websocket_stats.get("elsewhere", 0),
        total_apis=1 + len(services.settings.news_sources) + services.settings.fear_greed,
        data_source=services.source,
        source=services.source,
        reason=reason,
    )


class HealthHandler(BaseHandler):
    """How the server is."""

    @operation(Role.ANYBODY, answer=Health)
    def get(self) -> None:
        """Return a summary; 200 whatever the state, which is in `status`."""
        self.send(health_of(self.services))


class LiveHandler(BaseHandler):
    """Whether the process answers."""

    @operation(Role.ANYBODY, answer=Live)
    def get(self) -> None:
        """Return 200 as long as the loop turns."""
        self.send(Live())


class ReadyHandler(BaseHandler):
    """Whether the server can do its work."""

    @operation(Role.ANYBODY, answer=Ready)
    async def get(self) -> None:
        """Return 200 once there are scores, the database answers and the market is there."""
        reasons = await Observing.of(self.application).not_ready()
        if reasons:
            raise ApiError(
                503, "not_ready", f"Not ready: {'; '.join(reasons)}.",
                headers={"Retry-After": str(WARMING_S)}, retry_after_s=WARMING_S,
            )  # fmt: skip
        self.send(Ready())


routes = [
    ("/health", HealthHandler),
    ("/health/live", LiveHandler),
    ("/health/ready", ReadyHandler),
]
