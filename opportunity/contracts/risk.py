"""Answers about risk: status, sizes, stops, assessment, tails, limits.

Fractions are fractions of 1, money is in quote currency, both losses and drawdowns are positive.
A number that is not known is null.
"""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number
from opportunity.contracts.portfolio import BreakerItem
from opportunity.contracts.risk_asked import MethodName

PortfolioLevel = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
Side = Literal["BULLISH", "BEARISH"]


class RiskBlock(Answer):
    """The paper account against its limits."""

    account_balance: float = Field(description="cash")
    portfolio_value: float = Field(description="equity: cash and positions at their marks")
    daily_risk_used: float = Field(description="loss since midnight UTC, fraction; 0 for a gain")
    daily_pnl: float
    open_positions: int
    current_drawdown: float = Field(description="loss from the peak, fraction")
    max_drawdown: float = Field(description="the limit on it")
    daily_risk_limit: float = Field(description="the limit on the loss of a day, fraction")
    position_limit: int
    can_trade: bool


class LimitBlock(Answer):
    """The limits in force, by the names of the status; `/api/risk/limits` has all."""

    max_risk_per_trade: float | None = Field(description="null when sizes do not follow a stop")
    max_risk_per_day: float
    max_positions: int
    max_correlation: float
    max_single_asset: float
    max_drawdown: float
    max_var_95: float
    max_leverage: float


class RiskStatus(Answer):
    """Where the paper account stands; null only for what is not known."""

    status: Literal["success"] = "success"
    var95: Number = Field(description="value at risk of a day at 0.95 by equity, parametric")
    leverage: Number = Field(description="notional of all positions by equity")
    drawdown: float
    es95: Number = Field(description="expected shortfall of the same day, by equity")
    risk_status: RiskBlock
    limits: LimitBlock
    breakers: list[BreakerItem]
    why_not: str = Field(description="what forbids entries; empty while can_trade")
    storage: str = Field(description="`ok`, or why nothing is stored now")
    note: str = Field(description="why var95 is null; empty otherwise")
    time: int = Field(description="ms UTC of the feed")
    timestamp: str = Field(description="the same as ISO 8601")
    source: str


class BoundItem(Answer):
    """How large one rule lets a position be; null units where it holds nothing."""

    name: str
    units: Number
    notional: Number
    text: str


class PositionItem(Answer):
    """The position to enter: the capped size."""

    symbol: str | None
    direction: Side
    quantity: float
    entry_price: float
    stop_loss: float
    take_profit: list[float] = Field(description="1, 2 and 3 distances of the stop away")
    risk_amount: float = Field(description="what the quantity loses at the stop")
    risk_pct: float = Field(description="the same by the account, in percent")
    r_multiple: float = Field(description="what the second target wins by what the stop loses")
    max_leverage: float


class PositionAnswer(Answer):
    """A size by risk alone, under every bound, and what to do about the stop."""

    status: Literal["success", "rejected"]
    reason: str = Field(description="why it is rejected; empty otherwise")
    position: PositionItem
    position_size: float = Field(description="units by the risk alone, under no other bound")
    position_value: float = Field(description="their notional")
    position_percent: float = Field(description="the same by the account, in percent")
    capped_size: float = Field(description="units under every bound, in whole steps")
    capped_value: float
    bounds: list[BoundItem]
    binding: str = Field(description="name of the least bound")
    account_size: float
    risk_percent: float
    risk_status: RiskBlock | None = Field(description="null before the paper account has begun")
    note: str = Field(description="of an entry far from the newest price; empty otherwise")
    source: str


class StopAnswer(Answer):
    """Where to give up."""

    status: Literal["success"] = "success"
    stop_loss: float
    basis: Literal["atr", "structure"] = Field(description="which of the two is nearer")
    atr_stop: Number
    structure_stop: Number
    entry_price: float
    direction: Side
    atr: Number
    symbol: str | None
    note: str = Field(description="of an entry far from the newest price; empty otherwise")


class PairItem(Answer):
    """A position held beside the new one."""

    symbol: str
    direction: Side
    correlation: Number = Field(description="of the two assets' returns")
    together: Number = Field(description="of the two positions' P&L: below 0 for a hedge")
    note: str


class CorrelationAnswer(Answer):
    """What the limit on correlations says about a new position; it warns, it does not block."""

    status: Literal["allowed", "refused", "unknown"]
    allowed: bool | None
    reason: str
    max_correlation: Number = Field(description="highest `together`; 0 when nothing is held")
    limit: float
    correlated_assets: list[PairItem] = Field(description="those above the limit")
    pairs: list[PairItem] = Field(description="all of them, most alike first")
    source: str


class TailItem(Answer):
    """What may be lost, by one method."""

    method: MethodName
    var: Number = Field(description="value at risk, quote currency")
    es: Number = Field(description="expected shortfall, quote currency")
    var_fraction: Number = Field(description="by equity")
    es_fraction: Number
    note: str = Field(description="why it is null; empty otherwise")


class ComponentItem(Answer):
    """What a position adds to the parametric value at risk."""

    symbol: str
    notional: float = Field(description="negative for a short")
    component: float = Field(description="they add up to component_var; below 0 for a hedge")
    marginal: float = Field(description="change of the value at risk for 1 more of notional")
    alone: float = Field(description="value at risk of it by itself")


class VarAnswer(Answer):
    """Value at risk and expected shortfall of the paper account."""

    status: Literal["success"] = "success"
    level: float
    horizon_days: float
    horizon_bars: Number
    method: MethodName
    var: Number
    es: Number
    var_fraction: Number
    es_fraction: Number
    methods: list[TailItem]
    component_var: Number = Field(description="the sum of the components in their order")
    components: list[ComponentItem]
    diversified: Number = Field(description="share that holding them together saves")
    portfolio_value: float
    timeframe: str | None = Field(description="of the returns; null when there are none")
    n_rows: int = Field(description="returns of each symbol")
    shrinkage: Number = Field(description="of Ledoit and Wolf, 0 to 1")
    missing: dict[str, str] = Field(description="why a symbol has no returns")
    time: int
    source: str


class LimitValues(Answer):
    """Every limit in force."""

    max_positions: int
    max_position: float
    max_leverage: float
    max_daily_loss: float
    max_drawdown: float
    max_losses: int
    cooldown_h: float
    max_volume: float
    max_volatility: float
    kelly: float
    payoff: float
    stale_bars: int
    max_var95: float
    max_correlation: float
    risk_per_trade: float | None = Field(description="null when sizes do not follow a stop")


class LimitsAnswer(Answer):
    """The limits and their version (also in the ETag)."""

    status: Literal["success"] = "success"
    limits: LimitValues
    version: int


class BreakersAnswer(Answer):
    """The breakers after a reset."""

    status: Literal["success"] = "success"
    breakers: list[BreakerItem]
    can_trade: bool
    source: str
