"""Numbers for monitoring: as JSON in two older shapes, and as Prometheus text.

Nothing counts along the way: values are read from the running objects when somebody asks.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.base import BaseHandler, iso
from app.api.broadcast import Realtime
from app.api.health import active_signals
from app.api.operations import operation
from app.auth.roles import Role
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


class LiveCollector(Collector):
    """Reads the running objects at each scrape."""

    def __init__(self, services: Services, realtime: Realtime) -> None:
        self._services, self._realtime = services, realtime

    def collect(self) -> Iterator[Metric]:
        """Yield one family after the other."""
        for name, text, value in self._gauges():
            yield GaugeMetricFamily(f"opportunity_{name}", text, value=value)
        for name, text, value in self._counters():
            yield CounterMetricFamily(f"opportunity_{name}", text, value=value)
        services = self._services
        about = GaugeMetricFamily(
            "opportunity_build_info", "Version and source of the market data.",
            labels=["version", "source"],
        )  # fmt: skip
        about.add_metric([services.version, services.source], 1)
        yield about

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        services, realtime, agent = self._services, self._realtime, self._services.agent
        yield "uptime_seconds", "Time since the server began.", services.uptime_s
        yield "agent_enabled", "Whether the agent publishes signals.", float(agent.enabled)
        yield "agent_running", "Whether the agent's loop turns.", float(agent.running)
        yield "symbols", "Symbols that are watched.", float(len(services.symbols))
        yield "active_signals", "Symbols that pass the shared rules.", active_signals(services)
        if agent.last_scan_ms is not None:
            yield "scan_last_duration_seconds", "Duration of the last scan.", (
                agent.last_scan_ms / 1e3
            )
        yield "scans_last_minute", "Scans published within the last minute.", (
            realtime.scans_per_min
        )
        yield "websocket_connections", "Open WebSockets.", len(realtime.clients)
        yield "websocket_subscriptions", "Pairs of WebSocket and symbol.", (
            realtime.stats["subscriptions"]
        )
        yield "websocket_waiting_bytes", "Bytes that wait for slow clients.", float(
            sum(client.outlet.waiting_bytes for client in realtime.clients)
        )
        yield "event_loop_lag_seconds", "How late the server's loop was at its last tick.", (
            realtime.lag_s
        )

    def _counters(self) -> Iterator[tuple[str, str, float]]:
        realtime = self._realtime
        yield "websocket_messages_sent", "Messages handed to sockets.", (
            realtime.stats["messages_sent"]
        )
        yield "websocket_coalesced", "States that a newer one replaced before it was sent.", (
            realtime.coalesced
        )
        yield "websocket_slow_closed", "Clients closed because they were too slow.", realtime.slow
        yield "websocket_broken_messages", "Messages that broke their contract.", realtime.broken


class MetricsHandler(BaseHandler):
    """Metrics as JSON."""

    @operation(Role.VIEWER)
    def get(self) -> None:
        """Return the nested and the flat shape in one object."""
        realtime = Realtime.of(self.application, self.services)
        self.send(metrics_of(self.services, realtime))


class PrometheusHandler(BaseHandler):
    """Metrics as Prometheus text."""

    @operation(Role.VIEWER)
    def get(self) -> None:
        """Return the text format, values as of now."""
        realtime = Realtime.of(self.application, self.services)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(LiveCollector(self.services, realtime))
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(registry))


routes = [
    ("/api/metrics", MetricsHandler),
    ("/metrics", PrometheusHandler),
]
