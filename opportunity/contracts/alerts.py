"""Wire models of alerts: rules, channels without their addresses, the outbox, price alerts."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Body, Query, SymbolText

MOST_ROWS: Final = 1_000

Name = Annotated[str, Field(min_length=1, max_length=64)]
AlertKind = Literal[
    "signal", "breaker", "trade", "fill", "price", "feed", "storage", "decay", "return", "loss",
    "drawdown", "summary", "heartbeat", "test",
]  # fmt: skip
"""A test holds this equal to `app.alerts.rules.KINDS`."""

RowStatus = Literal["waiting", "sent", "digested", "failed"]
Direction = Literal["any", "BULLISH", "BEARISH"]
Routes = dict[AlertKind, Annotated[list[Name], Field(max_length=20)]]
Steps = Annotated[list[Annotated[float, Field(ge=0.1, le=100)]], Field(max_length=10)]


class NotificationChange(Body):
    """Alert rules to change; what is not named stays as it is."""

    signal_alerts: bool | None = Field(None, description="strong signals")
    portfolio_alerts: bool | None = Field(None, description="returns, losses, drawdown")
    risk_alerts: bool | None = Field(None, description="breakers")
    api_health_alerts: bool | None = Field(None, description="the line to the market")
    daily_summary: bool | None = None
    trade_alerts: bool | None = Field(None, description="trades that ended")
    fill_alerts: bool | None = None
    price_alerts: bool | None = None
    storage_alerts: bool | None = None
    decay_alerts: bool | None = Field(None, description="detectors that fade")
    min_confidence_threshold: float | None = Field(None, ge=0, le=1)
    min_score: float | None = Field(
        None, ge=0.5, le=1, description="a bearish signal counts by 1 - score"
    )
    direction: Direction | None = None
    signal_pause_s: int | None = Field(
        None, ge=0, le=86_400, description="between two alerts of one symbol"
    )
    feed_down_s: int | None = Field(None, ge=5, le=86_400)
    return_pct: float | None = Field(None, ge=0.1, le=100, description="gain or loss of a day")
    unrealised_loss: float | None = Field(
        None, ge=0.01, le=1e12, description="of all positions, quote currency"
    )
    drawdown_steps_pct: Steps | None = Field(None, description="rising")
    summary_hour: int | None = Field(None, ge=0, le=23, description="UTC, feed time")
    heartbeat_hours: int | None = Field(None, ge=0, le=168, description="0: off")
    routes: Routes | None = Field(
        None, description="channels by kind; a kind that is not named goes to all"
    )
    why: str = Field("", max_length=200, description="for the audit")

    def changes(self) -> dict[str, Any]:
        """Return what is to change, by name."""
        return self.model_dump(exclude_none=True, exclude={"why"})


class NotificationSettings(Answer):
    """The alert rules in force; the ETag carries their version."""

    signal_alerts: bool
    portfolio_alerts: bool
    risk_alerts: bool
    api_health_alerts: bool
    daily_summary: bool
    trade_alerts: bool
    fill_alerts: bool
    price_alerts: bool
    storage_alerts: bool
    decay_alerts: bool
    min_confidence_threshold: float
    min_score: float
    direction: Direction
    signal_pause_s: int
    feed_down_s: int
    return_pct: float
    unrealised_loss: float
    drawdown_steps_pct: list[float]
    summary_hour: int
    heartbeat_hours: int
    routes: dict[str, list[str]]
    version: int


class ChannelItem(Answer):
    """A channel; its address is never shown."""

    name: str
    service: str = Field(description="e.g. Telegram")
    state: Literal["ready", "waiting", "failing"]
    waiting: int = Field(description="messages that wait to be sent")
    failed: int = Field(description="messages given up within a day")
    last_sent_at: int | None = Field(description="wall time, ms UTC")
    last_error: str = Field(description="kind of the newest failure of a day; '': none")


class ChannelsAnswer(Answer):
    """All channels, in the order of the settings."""

    channels: list[ChannelItem]


class TestBody(Body):
    """Which channel to test; none named: all."""

    __test__ = False  # not one of pytest's

    channel: Name | None = None


class TestResult(Answer):
    """How the test of a channel went."""

    __test__ = False

    channel: str
    sent: bool
    text: str


class TestAnswer(Answer):
    """How it went: `success` when every channel took it."""

    __test__ = False

    status: Literal["success", "failed", "no_channels"]
    message: str
    results: list[TestResult]


class OutboxQuery(Query):
    """Which messages, and how many."""

    limit: int = Field(100, ge=1, le=MOST_ROWS)
    after: int | None = Field(
        None, ge=0, lt=2**53, description="`next` of the page before this one"
    )
    channel: Name | None = None
    status: RowStatus | None = None


class OutboxItem(Answer):
    """A message for one channel; times are wall time, ms UTC."""

    id: int
    channel: str
    kind: str
    title: str
    body: str
    status: RowStatus
    attempts: int
    created_at: int
    next_at: int = Field(description="not sent before")
    sent_at: int | None
    error: str = Field(description="kind of the newest failure; '': none")


class OutboxAnswer(Answer):
    """Messages, newest first."""

    notifications: list[OutboxItem]
    next: int | None = Field(description="`after` of the next page; null: these are the last")


class PriceAlertBody(Body):
    """A price to be told of."""

    symbol: SymbolText
    rule: Literal["above", "below"]
    price: float = Field(gt=0, le=1e15)
    note: str = Field("", max_length=200)
    again: bool = Field(False, description="told again once the price was on the other side")


class PriceAlertItem(Answer):
    """A price alert."""

    id: int
    symbol: str
    rule: Literal["above", "below"]
    price: float
    note: str
    again: bool
    state: Literal["waiting", "fired", "leaving"] = Field(
        description="leaving: fired, and waits for the price to go back before it counts again"
    )
    created_at: int = Field(description="wall time, ms UTC")
    fired_at: int | None = Field(description="feed time of the bar, ms UTC")


class PriceAlertsAnswer(Answer):
    """All price alerts, newest first."""

    alerts: list[PriceAlertItem]
    source: str


class PriceAlertDeleted(Answer):
    """A price alert is gone."""

    status: Literal["success"] = "success"
    id: int
