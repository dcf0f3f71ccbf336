"""Numbers of the stream, the hub, the jobs and the bus."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from prometheus_client.metrics_core import Metric

from app.observing.families import counter, gauge, gauges

JOB_STATES: Final = ("queued", "running", "cancelling", "done", "failed", "cancelled")


def stream_families(realtime: Any) -> Iterator[Metric]:
    """Yield how the WebSockets do."""
    stats = realtime.stats
    yield from gauge("websocket_connections", "Open WebSockets.", len(realtime.clients))
    yield from gauge(
        "websocket_connections_elsewhere", "Open WebSockets of this server's other processes.",
        stats.get("elsewhere", 0),
    )  # fmt: skip
    yield from gauge(
        "websocket_connections_limit", "At which new ones are refused.",
        realtime.limits.max_connections,
    )  # fmt: skip
    yield from gauge(
        "websocket_subscriptions", "Pairs of WebSocket and symbol.", stats["subscriptions"]
    )
    waiting = sum(client.outlet.waiting_bytes for client in tuple(realtime.clients))
    yield from gauge("websocket_waiting_bytes", "Bytes that wait for slow clients.", waiting)
    yield from gauge(
        "scans_last_minute", "Scans published within the last minute.", realtime.scans_per_min
    )
    yield from counter(
        "websocket_messages_sent", "Messages handed to sockets.", stats["messages_sent"]
    )
    yield from counter(
        "websocket_coalesced", "States that a newer one replaced before it was sent.",
        realtime.coalesced,
    )  # fmt: skip
    yield from counter(
        "websocket_slow_closed", "Clients closed because they were too slow.", realtime.slow
    )
    yield from counter(
        "websocket_broken_messages", "Messages that broke their contract.", realtime.broken
    )


def hub_families(hub: Any) -> Iterator[Metric]:
    """Yield what waits between the agent's thread and the server's loop."""
    states, events = hub.waiting
    yield gauges(
        "hub_waiting", "What the server's loop has not taken yet.", "kind",
        [("states", states), ("events", events)],
    )  # fmt: skip


def job_families(jobs: Any) -> Iterator[Metric]:
    """Yield how many jobs there are by state."""
    found = Counter(job.state for job in jobs.all())
    yield gauges(
        "jobs", "Jobs that are known, by state.", "state",
        [(state, found[state]) for state in JOB_STATES],
    )  # fmt: skip


def bus_families(bus: Any) -> Iterator[Metric]:
    """Yield how the bus between processes does; nothing without one.

    Parameters
    ----------
    bus : object or None
        With `up` (bool), `n_waiting` and `n_published` (int), and `lag_s` (float or None), how long
        its last write took.
    """
    if bus is None:
        return
    yield from gauge("bus_up", "Whether Redis takes what is written.", bus.up)
    yield from gauge("bus_waiting", "Messages that wait for Redis.", bus.n_waiting)
    yield from gauge("bus_lag_seconds", "How long the last write took.", bus.lag_s)
    yield from counter("bus_published", "Messages that were written.", bus.n_published)
