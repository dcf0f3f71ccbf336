"""The assessment of a portfolio as it travels: score, what it is made of, alerts, stress."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Number
from opportunity.contracts.risk import PortfolioLevel, TailItem


class VarAnalysis(Answer):
    """The tail of a day."""

    score: Number = Field(description="points of 30")
    var_95: Number = Field(description="by equity, parametric")
    var_99: Number
    es_95: Number
    es_99: Number
    var_95_amount: Number
    var_99_amount: Number
    limit: float
    methods: list[TailItem] = Field(description="all methods at 0.95")


class ClusterItem(Answer):
    """Positions that move as one."""

    symbols: list[str]
    net: float
    gross: float


class ConcentrationAnalysis(Answer):
    """Where the money is."""

    score: Number = Field(description="points of 25")
    herfindahl: float
    effective_positions: float
    largest: Number = Field(description="largest position by equity")
    limit: float
    long: float
    short: float
    gross: float
    net: float
    leverage: Number
    by_asset: dict[str, float] = Field(description="signed notional, largest first")
    clusters: list[ClusterItem] | None = Field(description="null when correlations are unknown")


class CorrelationAnalysis(Answer):
    """How alike positions are."""

    score: Number = Field(description="points of 25")
    highest: Number = Field(description="of two positions' P&L; null with fewer than two")
    pair: list[str] | None
    limit: float


class DrawdownAnalysis(Answer):
    """How far the equity is below its peak."""

    score: Number = Field(description="points of 20")
    current: float
    limit: float


class LiquidityAnalysis(Answer):
    """How long leaving takes."""

    share: float = Field(description="of the volume that one may be")
    longest_hours: Number = Field(description="of the slowest position; null when not known")
    hours: dict[str, Number]


class StressItem(Answer):
    """What a scenario would do."""

    name: str
    assumes: str
    pnl: Number = Field(description="quote currency, below 0 for a loss")
    fraction: Number = Field(description="by equity")
    worst: str = Field(description="the position that loses most; empty where none does")
    note: str = Field(description="why it is null; empty otherwise")


class AlertItem(Answer):
    """A limit that is passed, or nearly, or something not known."""

    code: str
    severity: Literal["MEDIUM", "HIGH", "CRITICAL"]
    message: str
    value: Number
    limit: Number


class RiskChecks(Answer):
    """Whether each limit is kept; null where that is not known."""

    daily_risk_ok: bool
    drawdown_ok: bool
    var_ok: bool | None
    positions_ok: bool


class PortfolioAssessment(Answer):
    """How a portfolio stands; two shapes that are asked for, in one."""

    status: Literal["success"] = "success"
    assessment_time: str = Field(description="ISO 8601, time of the feed")
    time: int
    overall_risk_score: Number = Field(description="0 to 100; null when a part is not known")
    risk_level: PortfolioLevel | None
    overall_risk: PortfolioLevel | None = Field(description="the same as risk_level")
    portfolio_value: float
    total_pnl: float = Field(description="equity minus the cash at the start")
    pnl_pct: float = Field(description="the same as a fraction of that cash")
    drawdown: float
    var: Number = Field(description="value at risk of a day at 0.95, quote currency")
    var_analysis: VarAnalysis
    concentration_analysis: ConcentrationAnalysis
    correlation_analysis: CorrelationAnalysis
    drawdown_analysis: DrawdownAnalysis
    liquidity_analysis: LiquidityAnalysis
    stress: list[StressItem]
    risk_checks: RiskChecks
    alerts: list[AlertItem]
    recommendations: list[str]
    timeframe: str | None
    n_rows: int
    missing: dict[str, str]
    source: str
