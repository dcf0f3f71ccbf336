"""Numbers for monitoring: as JSON in two older shapes, and as Prometheus text."""

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from app.api.base import BaseHandler, iso
from app.api.broadcast import Realtime
from app.api.health import active_signals
from app.api.operations import operation
from app.auth.roles import Role
from app.observing.observing import Observing
from app.services import Services
from opportunity.contracts.health import AgentMetrics, Metrics, SystemMetrics, WebSocketMetrics
from opportunity.feeds.clock import wall_ms


def metrics_of(services: Services, realtime: Realtime) -> Metrics:
    """Return both shapes in one object."""
    stats, agent = services.websocket_stats, services.agent
    return Metrics(
        timestamp=iso(wall_ms()),
        websocket=WebSocketMetrics(
            connections=stats["connections"],
            subscriptions=stats["subscriptions"],
            messages_sent=stats["messages_sent"],
            uptime=int(services.uptime_s),
        ),
        agent=AgentMetrics(enabled=agent.enabled, scan_interval_ms=agent.scan_interval_ms),
        system=SystemMetrics(active_signals=active_signals(services), version=services.version),
        ws_connections=stats["connections"],
        scans_per_min=float(realtime.scans_per_min),
        last_scan_latency_ms=agent.last_scan_ms,
        active_symbols=len(services.symbols),
        uptime_seconds=services.uptime_s,
        source=services.source,
    )


class MetricsHandler(BaseHandler):
    """Metrics as JSON."""

    @operation(Role.VIEWER, answer=Metrics)
    def get(self) -> None:
        """Return the nested and the flat shape in one object."""
        realtime = Realtime.of(self.application, self.services)
        self.send(metrics_of(self.services, realtime))


class PrometheusHandler(BaseHandler):
    """Metrics as Prometheus text."""

    @operation(Role.VIEWER, media="text/plain")
    async def get(self) -> None:
        """Return the text format, values as of now."""
        text = await Observing.of(self.application).text()
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(text)


routes = [
    ("/api/metrics", MetricsHandler),
    ("/metrics", PrometheusHandler),
]
