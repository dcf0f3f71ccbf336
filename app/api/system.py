"""The server as a whole: its parts, its providers and its detectors."""

from typing import Final, Literal

import numpy as np

from app.api.agent import feed_line
from app.api.base import BaseHandler, iso
from app.api.health import CUT, active_signals, health_of
from app.api.operations import operation
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.system import (
    DetectorsAnswer,
    JobCounts,
    KnownDetector,
    ProvidersHealth,
    StreamCounts,
    SystemStatus,
)
from opportunity.detectors import DETECTORS
from opportunity.feeds.clock import wall_ms
from opportunity.scoring.presence import existing

BARS: Final = "bars"


class ProvidersHandler(BaseHandler):
    """What the server lives on."""

    @operation(Role.VIEWER, answer=ProvidersHealth)
    def get(self) -> None:
        """Return which providers answer, and which detectors have what they read."""
        services = self.services
        health, connected = health_of(services), _connected(services)
        line = services.feed_status()
        here = {f"{services.feed_name}.{BARS}": line is None or line.state not in CUT}
        read: dict[str, bool] = {}
        for detector, has in zip(DETECTORS, connected, strict=True):
            if detector.needs:
                read[f"{services.feed_name}.{detector.name}"] = has
        self.send(ProvidersHealth(
            status=health.status, reason=health.reason, providers=here | read,
            detectors=[n for n, has in zip(DETECTOR_NAMES, connected, strict=True) if has],
            timestamp=health.timestamp, source=services.source,
        ))  # fmt: skip


class SystemHandler(BaseHandler):
    """The server at a glance."""

    @operation(Role.VIEWER, answer=SystemStatus)
    def get(self) -> None:
        """Return state, agent, account, database, stream and jobs in one answer."""
        services, agent = self.services, self.services.agent
        health, state = health_of(services), services.paper.state()
        snapshot = services.snapshot()
        self.send(SystemStatus(
            status=health.status, reason=health.reason, version=services.version,
            timestamp=iso(wall_ms()), market_time=None if snapshot is None else snapshot.time,
            uptime_s=services.uptime_s, feed_name=services.feed_name,
            feed=feed_line(services.feed_status()), enabled=agent.enabled,
            running=agent.running, last_error=agent.last_error or None,
            symbols=len(services.symbols), timeframes=list(services.timeframes),
            active_signals=active_signals(services),
            can_trade=None if state is None else state.can_trade,
            open_positions=None if state is None else len(state.positions),
            database=_database(services), storage=None if state is None else state.storage,
            recording=services.settings.record, websocket=_stream(services),
            jobs=_jobs(services), source=services.source,
        ))  # fmt: skip


class DetectorsHandler(BaseHandler):
    """The detectors."""

    @operation(Role.VIEWER, answer=DetectorsAnswer)
    def get(self) -> None:
        """Return each detector: what it reads, its shared weight, and how much it scores now."""
        services, snapshot = self.services, self.services.snapshot()
        weights, connected = services.weights.as_dict(), _connected(services)
        found = []
        for i, detector in enumerate(DETECTORS):
            name = DETECTOR_NAMES[i]
            scored = None if snapshot is None else np.isfinite(snapshot.scores[..., i])
            found.append(KnownDetector(
                name=name, title=detector.title,
                reads=sorted(kind.__name__.lower() for kind in detector.needs),
                weight=weights[name], connected=connected[i],
                streams=0 if scored is None else int(scored.sum()),
                share=float(scored.mean()) if scored is not None and scored.size else None,
                kinds=[kind.name for kind in detector.kinds],
            ))  # fmt: skip
        self.send(DetectorsAnswer(detectors=found, source=services.source))


def _connected(services: Services) -> list[bool]:
    """Tell of each detector whether it has what it reads; bars count once there are scores."""
    snapshot = services.snapshot()
    found = existing(None if snapshot is None else snapshot.scores)
    return [bool(one) for one in found]


def _database(services: Services) -> Literal["sqlite", "postgresql"]:
    return "postgresql" if services.settings.database.startswith("postgres") else "sqlite"


def _stream(services: Services) -> StreamCounts:
    stats = services.websocket_stats
    return StreamCounts(
        connections=stats["connections"], subscriptions=stats["subscriptions"],
        messages_sent=stats["messages_sent"],
    )  # fmt: skip


def _jobs(services: Services) -> JobCounts:
    states = [job.state for job in services.backtests.jobs.all()]
    return JobCounts(
        queued=states.count("queued"),
        running=states.count("running") + states.count("cancelling"), kept=len(states),
    )  # fmt: skip


routes = [
    ("/api/health", ProvidersHandler),
    ("/api/system/status", SystemHandler),
    ("/api/detectors", DetectorsHandler),
]
