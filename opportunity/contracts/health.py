"""Wire models of health and metrics."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number


class Health(Answer):
    """How the server is: `healthy`, `starting` (no scores yet) or `degraded` (see `reason`)."""

    status: Literal["healthy", "starting", "degraded"]
    timestamp: str = Field(description="ISO 8601, UTC")
    version: str
    active_signals: int = Field(description="symbols that pass the shared rules now")
    websocket_connections: int
    total_apis: int = Field(description="data providers in use")
    data_source: str = Field(description="e.g. `simulated`, `replay:binance`")
    source: str = Field(description="same as `data_source`, under the name used everywhere else")
    reason: str | None


class Live(Answer):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(Answer):
    """Scores exist, the database answers and the market is there."""

    status: Literal["ready"] = "ready"


class WebSocketMetrics(Answer):
    """The stream, counted since the server started."""

    connections: int
    subscriptions: int = Field(description="pairs of connection and symbol")
    messages_sent: int
    uptime: int = Field(description="seconds")


class AgentMetrics(Answer):
    """The agent's switch and heartbeat."""

    enabled: bool
    scan_interval_ms: int


class SystemMetrics(Answer):
    """What the product shows."""

    active_signals: int
    version: str


class Metrics(Answer):
    """Both shapes that monitoring reads: nested, and flat with other names."""

    timestamp: str = Field(description="ISO 8601, UTC")
    websocket: WebSocketMetrics
    agent: AgentMetrics
    system: SystemMetrics
    ws_connections: int
    scans_per_min: float = Field(description="scans of the last minute")
    last_scan_latency_ms: Number
    active_symbols: int
    uptime_seconds: float
    source: str
