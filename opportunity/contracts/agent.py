"""Wire models of the agent: status, toggle, default subscription, configuration."""

from typing import Any, Literal

from pydantic import Field

from opportunity.contracts.base import (
    Answer,
    Body,
    Fraction,
    Number,
    Query,
    RiskLevel,
    SymbolText,
    TimeframeName,
    Unit,
)

RuleType = Literal["any", "all", "majority", "threshold"]
Side = Literal["BULLISH", "BEARISH"]

INTERVAL_MS = (100, 60_000)
"""Bounds of the heartbeat that the API accepts, ms."""


FeedState = Literal["connecting", "live", "polling", "recovering", "limited", "banned", "down"]
"""A test holds this equal to `feeds.status.LineState`, which lies in a higher room."""


class FeedLine(Answer):
    """The line to the market; times are wall time."""

    state: FeedState
    text: str = Field(description="one plain line for people")
    since: int = Field(description="when the state began, ms UTC")
    retry_at: int | None = Field(description="when the venue will be asked again, ms UTC")
    n_reconnects: int = Field(description="lines opened anew since the start")
    n_corrections: int = Field(description="bars corrected after they were given")
    n_refused: int = Field(description="rows that broke a rule")
    delay_ms: Number = Field(description="from a bar's close to its release, median, feed time")
    skew_ms: int | None = Field(description="the exchange's clock minus this machine's")


class AgentStatus(Answer):
    """What the agent is doing."""

    enabled: bool = Field(description="the switch")
    scan_interval_ms: int = Field(description="heartbeat that re-publishes every signal, ms")
    subscribed_symbols: list[str] = Field(description="what the default stream pushes")
    running: bool = Field(description="whether the loop turns; it does when off, too")
    last_scan_at: int | None = Field(description="ms UTC")
    last_scan_ms: Number = Field(description="duration of the last scan, ms")
    next_scan_at: int | None = Field(description="ms UTC")
    last_error: str | None
    source: str = Field(description="where the market data comes from, e.g. `simulated`")
    feed: FeedLine | None = Field(None, description="null for a feed that has no line")


class ToggleQuery(Query):
    """The switch as a query parameter."""

    enabled: bool | None = None


class ToggleBody(Body):
    """The switch as a JSON body."""

    enabled: bool | None = None


class SubscribeBody(Body):
    """Symbols that the default stream shall push; the list replaces the old one."""

    symbols: list[SymbolText] = Field(max_length=2_000)


class Rejected(Answer):
    """A symbol that was not taken, and why."""

    symbol: str = Field(description="as the client spelt it")
    reason: str


class SubscribeAnswer(Answer):
    """The accepted symbols in the client's spelling."""

    status: Literal["success"] = "success"
    subscribed_symbols: list[str]
    count: int
    rejected: list[Rejected]


class RulesBody(Body):
    """Scan rules to change; what is left out stays."""

    type: RuleType | None = None
    threshold: Fraction | None = None
    min_confidence: Fraction | None = None
    max_risk: RiskLevel | None = None
    exclude_neutral: bool | None = None
    min_volume_usd: float | None = Field(None, ge=0)
    exclude_symbols: list[SymbolText] | None = Field(None, max_length=2_000)
    direction: Side | None = Field(None, description="only this side; null for both")
    min_trust: Fraction | None = Field(None, description="least trust in the data of a symbol")
    timeframe_weights: dict[TimeframeName, Fraction] | None = Field(
        None, description="weights across timeframes; those not named are as by default"
    )

    def given(self) -> dict[str, Any]:
        """Return what was given; null gives nothing, except a `direction` of both sides."""
        return {
            name: value
            for name in type(self).model_fields
            if (value := getattr(self, name)) is not None
            or (name == "direction" and name in self.model_fields_set)
        }


class Rules(Answer):
    """The scan rules in force."""

    type: RuleType
    threshold: Unit
    min_confidence: Unit
    max_risk: RiskLevel
    exclude_neutral: bool
    min_volume_usd: Number
    exclude_symbols: list[str]
    direction: Side | None
    min_trust: Unit
    timeframe_weights: dict[str, float] = Field(
        description="weights across timeframes that are not the default ones"
    )


class AgentConfig(Answer):
    """How the agent is set up and what it supports."""

    scan_interval_ms: int
    max_symbols: int = Field(description="symbols of one scan request or one connection")
    supported_timeframes: list[TimeframeName]
    symbols: list[str] = Field(description="the universe")
    timeframes: list[TimeframeName] = Field(description="what the agent scores")
    rules: Rules


class ConfigQuery(Query):
    """The heartbeat as a query parameter."""

    scan_interval_ms: int | None = Field(None, gt=-(2**31), lt=2**31)


class ConfigBody(Body):
    """What to change; what is left out stays."""

    scan_interval_ms: int | None = None
    rules: RulesBody | None = None


class ConfigAnswer(AgentConfig):
    """The configuration after the change."""

    status: Literal["success"] = "success"
