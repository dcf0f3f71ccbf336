"""Wire models of the server as a whole: its parts, its providers and its detectors."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.agent import FeedLine
from opportunity.contracts.base import Answer, Unit

State = Literal["healthy", "starting", "degraded"]


class ProvidersHealth(Answer):
    """Whether what the server lives on is there."""

    status: State
    reason: str | None
    providers: dict[str, bool] = Field(description="name -> whether it answers now")
    detectors: list[str] = Field(description="that have what they read")
    timestamp: str = Field(description="ISO 8601, UTC")
    source: str


class JobCounts(Answer):
    """Backtests and sweeps that are kept."""

    queued: int
    running: int
    kept: int


class StreamCounts(Answer):
    """The stream, counted since the server started."""

    connections: int
    subscriptions: int
    messages_sent: int


class SystemStatus(Answer):
    """The server at a glance."""

    status: State
    reason: str | None
    version: str
    timestamp: str = Field(description="wall time, ISO 8601 UTC")
    market_time: int | None = Field(description="up to which bars are worked in; null: none yet")
    uptime_s: float
    feed_name: str
    feed: FeedLine | None = Field(description="the line to an exchange; null without one")
    enabled: bool
    running: bool
    last_error: str | None
    symbols: int
    timeframes: list[str]
    active_signals: int = Field(description="symbols that pass the shared rules now")
    can_trade: bool | None = Field(description="null before the paper account is open")
    open_positions: int | None
    database: Literal["sqlite", "postgresql"]
    storage: str | None = Field(description="`ok`, or why nothing can be stored; null: not known")
    recording: bool = Field(description="the session is recorded")
    websocket: StreamCounts
    jobs: JobCounts
    source: str


class KnownDetector(Answer):
    """One of the detectors."""

    name: str
    title: str
    reads: list[str] = Field(description="kinds of records besides bars; [] for bars alone")
    weight: float = Field(description="shared weight")
    connected: bool = Field(description="it has what it reads")
    streams: int = Field(description="pairs of symbol and timeframe that it scores now")
    share: Unit = Field(description="of all such pairs; null before the first scan")
    kinds: list[str] = Field(description="events that it may show on a chart")


class DetectorsAnswer(Answer):
    """The detectors in the order of the weights."""

    detectors: list[KnownDetector]
    source: str
