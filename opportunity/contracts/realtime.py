"""Wire models of `/ws/realtime`: what a client may say, what the server sends."""

from typing import Any, Final, Literal, get_args

from pydantic import Field

from opportunity.contracts.agent import Rejected
from opportunity.contracts.base import (
    Answer,
    Body,
    Direction,
    Fraction,
    Number,
    RiskLevel,
    TimeframeName,
    Unit,
)
from opportunity.contracts.jobs import JobLine
from opportunity.contracts.portfolio import PortfolioAnswer

Channel = Literal[
    "signal", "price", "market_scan", "status", "config", "backtest", "trade", "alert", "portfolio"
]
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
SYMBOL_CHANNELS: Final[tuple[Channel, ...]] = ("signal", "price")
"""Channels that are subscribed symbol by symbol; the others come whole."""

EVENT_CHANNELS: Final[tuple[Channel, ...]] = ("config", "trade", "alert")
"""Channels whose messages all travel, numbered without a gap; of the others the newest wins."""

Action = Literal["subscribe", "unsubscribe", "ping", "get_status", "resume"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

Text = str | int | None


class Command(Body):
    """What every client message may carry."""

    action: Action
    id: Text = Field(None, description="echoed in the answer")


class Subscribe(Command):
    """Add symbols to channels; without symbols only whole channels are joined."""

    symbols: list[str] = Field(default=[], max_length=2_000)
    channels: list[str] | None = Field(None, max_length=20, description="default: signal")
    timeframes: list[TimeframeName] | None = Field(
        None, min_length=1, max_length=11, description="which to show in signals"
    )
    min_confidence: Fraction | None = Field(None, description="signals below are not sent")


class Unsubscribe(Command):
    """Drop symbols, or whole channels; neither given drops everything."""

    symbols: list[str] | None = Field(None, max_length=2_000)
    channels: list[str] | None = Field(None, max_length=20)


class Ping(Command):
    """Ask for a pong."""

    ts: float | None = Field(None, description="client time, echoed as client_ts")


class GetStatus(Command):
    """Ask for a status message."""


class Resume(Command):
    """Ask for what was missed: events after these numbers of the epoch, and the newest states.

    The channels that are named are joined. After another epoch its events come from the first on.
    """

    epoch: str | None = None
    seq: int | None = Field(None, ge=0, description="newest number seen on config")
    last_seq: int | None = Field(None, ge=0, description="older name of seq")
    seqs: dict[str, int] = Field(
        default={}, max_length=20, description="newest number seen, by channel of events"
    )


COMMANDS: Final[dict[str, type[Command]]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
    "get_status": GetStatus,
    "resume": Resume,
}


class Numbered(Answer):
    """What every message of a channel carries."""

    v: Literal[1] = 1
    epoch: str = Field(description="name of the event log; after a restore numbers start anew")
    seq: int = Field(
        description="number within (epoch, channel): of events without a gap, of states rising"
    )


class WebSocketStatus(Answer):
    """The stream's own state."""

    connections: int
    uptime: int = Field(description="seconds")
    run: str = Field("", description="changes when the agent's server restarts")


class AgentState(Answer):
    """The agent's switch."""

    enabled: bool
    running: bool


class StatusMessage(Numbered):
    """First message of every connection; later on channel `status`."""

    type: Literal["status"] = "status"
    ws: WebSocketStatus
    agent: AgentState
    ts: int
    source: str
    version: str


class StatusReply(StatusMessage):
    """Answer to get_status."""

    id: Text = None


class SignalMessage(Numbered):
    """The newest judgement of a symbol."""

    type: Literal["signal"] = "signal"
    symbol: str
    id: str
    direction: Direction
    confidence: Unit
    score: Unit = Field(description="0.5 is neutral")
    risk_level: RiskLevel
    success: Unit = Field(
        None, description="calibrated probability of the direction; null: not known"
    )
    timeframes: dict[TimeframeName, Unit] | None = None
    trust: Unit = Field(None, description="trust in the data; below 1 it lowers `confidence`")
    trust_note: str = Field("", description="why `trust` is below 1; else ''")
    ts: int = Field(description="feed time of the newest bar, ms UTC")
    source: str


class PriceMessage(Numbered):
    """The forming bar of a symbol."""

    type: Literal["price"] = "price"
    symbol: str
    id: str
    price: Number
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    change_24h: Number
    volume_24h: Number
    ts: int = Field(description="opening time of the forming bar, ms UTC")
    source: str


class ScanRow(Answer):
    """One row of the ranking as the stream shows it."""

    rank: int
    symbol: str
    id: str
    price: Number
    overall_score: Unit
    direction: Direction
    action: str
    confidence: Unit
    risk_level: RiskLevel
    consensus_strength: Unit
    timeframe_scores: dict[TimeframeName, Unit]


class MarketScanMessage(Numbered):
    """The best rows under the shared weights and rules."""

    type: Literal["market_scan"] = "market_scan"
    results: list[ScanRow] = Field(max_length=20)
    timestamp: int = Field(description="feed time, ms UTC")
    ts: int
    source: str


class BacktestMessage(Numbered, JobLine):
    """How a job goes: newest wins, but its end always comes."""

    type: Literal["backtest"] = "backtest"
    ts: int = Field(description="wall time, ms UTC")


class ConfigMessage(Numbered):
    """Somebody changed weights, rules, limits or the agent; an event, numbered without gap."""

    type: Literal["config_changed"] = "config_changed"
    channel: Literal["config"] = "config"
    id: int = Field(description="of the event log")
    what: Literal["weights", "agent", "rules", "limits", "trade_rules", "shadow", "universe"]
    value: Any
    version: int | None
    by: str
    ts: int


class EventMessage(Numbered):
    """Something that happened and is in the event log, where `id` finds it."""

    id: int
    event: str = Field(description="kind of event")
    symbol: str | None
    book: str = Field(description="account that it is about; '' for none")
    data: dict[str, Any] = Field(description="the event's own fields")
    time: int = Field(description="feed time, ms UTC")
    ts: int = Field(description="wall time, ms UTC")
    source: str


class TradeMessage(EventMessage):
    """An order, a fill, or a trade that ended; an event, numbered without gap."""

    type: Literal["trade"] = "trade"
    channel: Literal["trade"] = "trade"
    event: Literal["order", "fill", "trade"]


class AlertMessage(EventMessage):
    """A breaker, a price alert, or trouble; an event, numbered without gap."""

    type: Literal["alert"] = "alert"
    channel: Literal["alert"] = "alert"
    event: Literal["breaker", "price_alert", "alert", "storage", "lease"]


class PortfolioMessage(Numbered):
    """The paper account as it was committed last; newest wins."""

    type: Literal["portfolio"] = "portfolio"
    portfolio: PortfolioAnswer
    ts: int = Field(description="feed time, ms UTC")
    source: str


class Subscribed(Answer):
    """Answer to subscribe: the accepted symbols as the client spelt them."""

    type: Literal["subscription_confirmed"] = "subscription_confirmed"
    symbols: list[str]
    rejected: list[Rejected]
    channels: list[Channel]
    epoch: str
    seqs: dict[str, int] = Field(
        default={}, description="number of the newest event, by channel; the next ones follow"
    )
    id: Text = None


class Unsubscribed(Answer):
    """Answer to unsubscribe: the symbols as the client spelt them."""

    type: Literal["unsubscription_confirmed"] = "unsubscription_confirmed"
    symbols: list[str]
    channels: list[Channel]
    id: Text = None


class Pong(Answer):
    """Answer to ping."""

    type: Literal["pong"] = "pong"
    ts: int = Field(description="server time, ms UTC")
    client_ts: Number = None
    id: Text = None


class Resumed(Answer):
    """Answer to resume; the missed events and the newest states follow."""

    type: Literal["resumed"] = "resumed"
    epoch: str
    replayed: int = Field(description="events that follow")
    complete: bool = Field(description="false: events are missing, start from the states")
    seq: int = Field(description="number of the newest event of config")
    seqs: dict[str, int] = Field(description="number of the newest event, by channel")
    id: Text = None


class ErrorMessage(Answer):
    """A client message was not understood or not allowed; the connection stays open."""

    type: Literal["error"] = "error"
    message: str
    code: str
    action: str | None = None
    id: Text = None
    retry_after_ms: int | None = None


class ClosingMessage(Answer):
    """The server is going down; come back after the wait, which differs per client."""

    type: Literal["closing"] = "closing"
    code: int
    reconnect_after_ms: int
