"""Requests about risk: sizes, stops, correlations, limits and breakers.

Fractions are fractions of 1; `risk_percent` alone is in percent, because its callers send 2.
Several names of one thing are read alike; two that disagree raise `Contradiction`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from opportunity.contracts.base import Body, Direction, Fraction, Query, SymbolText

Price = Annotated[float, Field(ge=1e-15, le=1e15)]
"""Prices, steps and levels: so far apart that their ratios stay numbers."""
Money = Annotated[float, Field(ge=1e-15, le=1e15)]
Percent = Annotated[float, Field(gt=0, le=100)]
Cap = Annotated[float, Field(ge=0.001, le=100)]
Part = Annotated[float, Field(ge=0.001, le=1)]
SideWord = Literal["BULLISH", "BEARISH", "LONG", "SHORT", "BUY", "SELL", "long", "short"]
MethodName = Literal["historical", "parametric", "cornish_fisher", "monte_carlo"]
BreakerName = Literal["daily_loss", "drawdown", "losing_streak", "stale_data"]


class Contradiction(ValueError):
    """Raised when two names of one thing are given and disagree; `field` is the first."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second} must be one value, were two")
        self.field = first


def one_of(asked: Body | Query, *names: str) -> Any:
    """Return the value of the first name that is given; None when none is.

    Raises
    ------
    Contradiction
        If two are given and differ.
    """
    given = [(name, getattr(asked, name)) for name in names if getattr(asked, name) is not None]
    for name, value in given[1:]:
        if value != given[0][1]:
            raise Contradiction(given[0][0], name)
    return given[0][1] if given else None


def side_of(word: str | None) -> int:
    """Return 1 for a long, -1 for a short, 0 for neither."""
    if word is None or word == "NEUTRAL":
        return 0
    return 1 if word.upper() in ("BULLISH", "LONG", "BUY") else -1


class GivenScore(Body):
    """What a signal says."""

    confidence: Fraction | None = None
    direction: Direction | None = None


class PositionBody(Body):
    """A position to be sized.

    Without an account it is the paper account, with what it holds; without a risk the one that
    the agent trades; without a stop it is placed as `calculate-stop-loss` does, which takes a
    direction. A symbol brings ATR and 24 h volume, unless given.
    """

    entry_price: Price
    stop_loss: Price | None = None
    symbol: SymbolText | None = None
    account_size: Money | None = None
    account_balance: Money | None = Field(None, description="the same as account_size")
    risk_percent: Percent | None = Field(None, description="percent of the account, e.g. 2")
    risk_percentage: Percent | None = Field(None, description="the same as risk_percent")
    direction: SideWord | None = Field(None, description="checked against the side of the stop")
    score: GivenScore | None = None
    confidence: Fraction | None = Field(None, description="the same as score.confidence")
    atr: Price | None = Field(None, description="ATR14 of the decision timeframe, price")
    volume_24h: Annotated[float, Field(ge=0, le=1e15)] | None = Field(
        None, description="quote currency"
    )
    structure_levels: list[Price] | None = Field(None, max_length=1_000)
    quantity_step: Price | None = Field(None, description="smallest step of the quantity")
    min_notional: Price | None = Field(None, description="smallest notional that is taken")


class StopBody(Body):
    """A stop to be placed; without an ATR that of the symbol."""

    entry_price: Price
    direction: SideWord
    atr: Price | None = Field(None, description="ATR14 of the decision timeframe, price")
    structure_levels: list[Price] | None = Field(None, max_length=1_000)
    symbol: SymbolText | None = None


class GivenPosition(Body):
    """A position by symbol and side; other fields of a position are not needed."""

    symbol: SymbolText
    direction: SideWord | None = Field(None, description="long unless given")


class CorrelationBody(Body):
    """A position to be held against others; by default against those of the paper account."""

    new_position: SymbolText | GivenPosition
    existing_positions: list[SymbolText | GivenPosition] | None = Field(None, max_length=200)


class VarQuery(Query):
    """What is asked about the tail."""

    level: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = Field(
        None, description="the same as level"
    )
    horizon: Annotated[float, Field(gt=0, le=365)] = Field(1.0, description="days")
    method: MethodName = "parametric"


class LimitsBody(Body):
    """Limits to be changed; what is not given stays."""

    max_positions: Annotated[int, Field(ge=1, le=1_000)] | None = None
    max_position: Cap | None = None
    max_leverage: Cap | None = None
    max_daily_loss: Part | None = None
    max_drawdown: Part | None = None
    max_losses: Annotated[int, Field(ge=0, le=1_000)] | None = None
    cooldown_h: Annotated[float, Field(ge=0, le=8_760)] | None = None
    max_volume: Fraction | None = None
    max_volatility: Fraction | None = None
    kelly: Fraction | None = None
    payoff: Annotated[float, Field(ge=0.1, le=10)] | None = None
    stale_bars: Annotated[int, Field(ge=0, le=1_000)] | None = None
    max_var95: Part | None = None
    max_correlation: Fraction | None = None
    risk_per_trade: Annotated[float, Field(gt=0, le=1)] | None = None
    max_risk_per_trade: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="the same as risk_per_trade"
    )
    max_risk_per_day: Part | None = Field(None, description="the same as max_daily_loss")
    max_single_asset: Cap | None = Field(None, description="the same as max_position")
    max_var_95: Part | None = Field(None, description="the same as max_var95")
    why: str = Field("", max_length=500, description="for the audit")

    def changes(self) -> dict[str, Any]:
        """Return what is given, by the names of the limits.

        Raises
        ------
        Contradiction
            If two names of one limit disagree.
        """
        others = {"risk_per_trade": "max_risk_per_trade", "max_daily_loss": "max_risk_per_day",
                  "max_position": "max_single_asset", "max_var95": "max_var_95"}  # fmt: skip
        left = set(type(self).model_fields) - set(others.values()) - {"why"}
        found = {
            name: one_of(self, name, others[name]) if name in others else getattr(self, name)
            for name in type(self).model_fields
            if name in left
        }
        return {name: value for name, value in found.items() if value is not None}


class ResetBody(Body):
    """Which breaker to close; all of them unless one is named."""

    name: BreakerName | None = None
    why: str = Field("", max_length=500, description="for the audit")
