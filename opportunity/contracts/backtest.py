"""Wire models of backtests: what to run, how it goes, what came of it.

Fee, slippage and spread are fractions per side; rates, shares and drawdowns fractions of 1; money
is in quote currency; times are ms UTC. What is not defined is null.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from opportunity.contracts.agent import Side
from opportunity.contracts.base import (
    Answer,
    Body,
    Fraction,
    Number,
    Query,
    SymbolText,
    TimeframeName,
    either,
)
from opportunity.contracts.weights import WeightConfig

MAX_SYMBOLS: Final = 20
MAX_POINTS: Final = 20_000
MAX_TRADES: Final = 10_000
YEARS: Final = range(2009, 2100)

_DAYS: Final = (
    r"20(?:09|[1-9][0-9])-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|20(?:1[26]|[2468][048]|[3579][26])-02-29"
)
DATE_PATTERN: Final = (
    rf"^(?:{_DAYS})(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{{1,6}})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?$"
)
"""Days that there are, from 2009 to 2099, and times of them."""

ExitReason = Literal["SL", "TP", "TIME", "SIGNAL", "END_OF_TEST", "MANUAL", "GONE"]
ExportFormat = Literal["csv", "json", "parquet", "html"]


def read_date(text: str) -> int:
    """Return a date (midnight UTC) or a time (UTC unless it says otherwise) as ms UTC.

    Raises
    ------
    ValueError
        If it is not ISO 8601 or not between 2009 and 2100.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("must be a date such as 2024-01-31 or an ISO 8601 time") from error
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    if aware.year not in YEARS:
        raise ValueError("must lie between 2009 and 2100")
    if not re.fullmatch(DATE_PATTERN, text):
        raise ValueError("must be written as 2024-01-31 or 2024-01-31T12:00:00Z")
    return round(aware.timestamp() * 1_000)


def _date(text: str) -> str:
    read_date(text)
    return text


DateText = Annotated[
    str,
    Field(
        min_length=10, max_length=40,
        json_schema_extra={"pattern": DATE_PATTERN, "examples": ["2024-01-31"]},
    ),
    AfterValidator(_date),
]  # fmt: skip
"""``2024-01-31`` (midnight UTC) or an ISO 8601 time."""

Cost = Annotated[float, Field(ge=0, le=0.1)]


class TradeRulesBody(Body):
    """When to trade and when to leave; what is left out keeps its default."""

    min_score: float | None = Field(None, ge=0.5, le=1, description="along the side")
    min_confidence: Fraction | None = None
    min_trust: Fraction | None = None
    max_disagreement: Fraction | None = None
    direction: Side | None = Field(None, description="only this side; null for both")
    fill: Literal["open", "close", "limit"] | None = Field(
        None, description="at the next open (default), at the close itself, or by a limit"
    )
    limit_atr: float | None = Field(None, ge=0, le=10, description="ATR below (above) the close")
    stop_atr: float | None = Field(None, ge=0, le=20, description="ATR from the entry; 0: no stop")
    targets_r: list[Annotated[float, Field(gt=0, le=1_000)]] | None = Field(
        None, max_length=4, description="in multiples of the stop's distance, ascending"
    )
    shares: list[Annotated[float, Field(gt=0, le=1)]] | None = Field(
        None, max_length=4, description="part of the entry that each target closes"
    )
    trail_atr: float | None = Field(None, ge=0, le=50, description="0: the stop does not trail")
    time_stop: int | None = Field(None, ge=0, le=100_000, description="decision bars; 0: never")
    opposite: bool | None = Field(None, description="leave and turn round on an opposite entry")


class RiskLimitsBody(Body):
    """Limits that every entry must keep; what is left out keeps its default."""

    max_positions: int | None = Field(None, ge=1, le=1_000)
    max_position: float | None = Field(
        None, ge=0.001, le=100, description="notional of one symbol, fraction of the equity"
    )
    max_leverage: float | None = Field(
        None, ge=0.001, le=100, description="notional of all, multiple of the equity"
    )
    max_daily_loss: float | None = Field(None, ge=0.001, le=1)
    max_drawdown: float | None = Field(None, ge=0.001, le=1)
    max_losses: int | None = Field(None, ge=0, le=1_000, description="in a row; 0: no bound")
    cooldown_h: float | None = Field(None, ge=0, le=8_760, description="hours")
    max_volume: float | None = Field(
        None, ge=0, le=1, description="of the 24 h quote volume; 0: no bound"
    )
    max_volatility: float | None = Field(
        None, ge=0, le=1, description="of the equity that one ATR moves; 0: no bound"
    )
    kelly: float | None = Field(None, ge=0, le=1, description="of the Kelly fraction; 0: no bound")
    payoff: float | None = Field(None, ge=0.1, le=10, description="a win in losses, for Kelly")
    stale_bars: int | None = Field(None, ge=0, le=1_000, description="live only; 0: never")
    max_var95: float | None = Field(None, ge=0.001, le=1, description="warned of, not enforced")
    max_correlation: float | None = Field(None, ge=0, le=1, description="warned of, not enforced")


class SizingBody(Body):
    """How large an entry is before the limits cap it."""

    kind: Literal["risk", "equity", "notional", "all_in"] = "risk"
    amount: float | None = Field(
        None, gt=0, le=1e12,
        description="fraction of the equity for risk (0.01) and equity (0.1), quote currency for "
        "notional (1000)",
    )
    whole_units: bool = False


class MarketRequest(Body):
    """Which history, judged on what, traded how; only symbol and dates must be given."""

    model_config = ConfigDict(json_schema_extra=either("symbol", "symbols"))

    symbol: SymbolText | None = Field(None, description="or `symbols`")
    symbols: list[SymbolText] | None = Field(
        None, min_length=1, max_length=MAX_SYMBOLS, description="a portfolio with shared cash"
    )
    start_date: DateText = Field(description="first instant; earlier bars are warm-up")
    end_date: DateText = Field(description="bars that have closed by then")
    initial_capital: float = Field(10_000.0, gt=0, le=1e12)
    fee: Cost = 0.0005
    slippage: Cost = 0.001
    spread: Cost = Field(0.0, description="between bid and ask; half of it makes a fill worse")
    timeframe: TimeframeName = Field("1h", description="of the bars that are walked")
    timeframes: list[TimeframeName] | None = Field(
        None, min_length=1, max_length=11,
        description="that are scored; default: those of the server from `timeframe` up to 4h",
    )
    decision_timeframe: TimeframeName | None = Field(
        None, description="at whose closes is decided; default: 1h, or `timeframe` if longer"
    )
    rules: TradeRulesBody | None = None
    risk: RiskLimitsBody | None = None
    sizing: SizingBody | None = None
    seed: int = Field(0, ge=0, le=2**31 - 1)
    context: bool = Field(
        False, description="replay headlines, funding and Fear & Greed as they became known (slow)"
    )
    exchange: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$",
        description="stored bars of this exchange; default: the server's own market",
    )

    @model_validator(mode="after")
    def _names_what_to_test(self) -> Self:
        if (self.symbol is None) == (self.symbols is None):
            raise ValueError("either symbol or symbols must be given")
        return self

    @property
    def names(self) -> list[str]:
        """The symbols as they were spelt."""
        return [self.symbol] if self.symbol is not None else list(self.symbols or ())

    @property
    def start(self) -> int:
        """Start in ms UTC."""
        return read_date(self.start_date)

    @property
    def end(self) -> int:
        """End in ms UTC."""
        return read_date(self.end_date)


class BacktestRequest(MarketRequest):
    """What to test, with which weights."""

    weights: WeightConfig | None = Field(None, description="default: the shared ones")


class RunQuery(Query):
    """How to wait, and how weights are read."""

    wait: bool = Field(True, description="false: answer 202 at once")
    normalize: bool = Field(False, description="scale weights whose sum is not 1")


class ResultQuery(Query):
    """How much of a result to send."""

    points: int = Field(2_000, ge=2, le=MAX_POINTS, description="of the equity at most")
    trades: int = Field(1_000, ge=0, le=MAX_TRADES, description="newest trades at most")


class ExportQuery(Query):
    """What to download."""

    format: ExportFormat = "csv"
    table: Literal["trades", "equity", "fills"] = Field(
        "trades", description="what a csv or parquet file holds"
    )


class EquityPoint(Answer):
    """Cash and what is held, at the close of a bar."""

    ts: int
    equity: Number


class BacktestTrade(Answer):
    """A trade from flat to flat."""

    entry_ts: int
    exit_ts: int
    profit: Number = Field(description="after fees, slippage and funding")
    side: Literal["LONG", "SHORT"]
    number: int
    symbol: str
    entry_price: Number
    exit_price: Number = Field(description="mean of its exits")
    quantity: Number
    profit_fraction: Number = Field(description="of what the entry cost")
    fees: Number
    slippage: Number
    funding: Number
    r_multiple: Number = Field(description="profit by what was at risk; null without a stop")
    mae: Number = Field(description="worst excursion, in R; fraction of the entry without a stop")
    mfe: Number = Field(description="best excursion")
    bars: int = Field(description="decision bars held")
    exit_reason: ExitReason = Field(description="of the last exit")
    n_fills: int
    score: Number
    confidence: Number


class BacktestMetrics(Answer):
    """What a run was worth; `opportunity.backtest.metrics.Metrics` explains each, with sources."""

    total_trades: int
    bars: int
    years: Number
    annual_factor: Number
    initial_equity: Number
    final_equity: Number
    net_profit: Number
    total_return: Number
    cagr: Number
    volatility: Number
    sharpe: Number
    sortino: Number
    calmar: Number
    recovery_factor: Number
    skew: Number
    kurtosis: Number
    max_drawdown: Number
    max_drawdown_money: Number
    max_drawdown_bars: int
    max_drawdown_ms: int
    var_95: Number
    var_99: Number
    es_95: Number
    es_99: Number
    exposure: Number
    turnover: Number
    turnover_yearly: Number
    trades: int
    long_trades: int
    short_trades: int
    wins: int
    losses: int
    win_rate: Number
    profit_factor: Number
    expectancy: Number
    avg_win: Number
    avg_loss: Number
    largest_win: Number
    largest_loss: Number
    max_consecutive_wins: int
    max_consecutive_losses: int
    avg_trade_ms: Number
    avg_trade_bars: Number
    avg_r: Number
    best_r: Number
    worst_r: Number
    sqn: Number
    avg_mae: Number
    avg_mfe: Number
    kelly: Number
    fees: Number
    slippage: Number
    funding: Number


class Asked(Answer):
    """The span that was asked for, ms UTC."""

    start: int | None
    end: int | None


class SymbolCoverage(Answer):
    """What there is of one symbol."""

    symbol: str
    first: int = Field(description="open of its first bar, ms UTC; 0: no bars")
    last: int = Field(description="close of its last bar")
    bars: int
    missing: int = Field(description="between the first and the last; never filled in")
    n_gaps: int
    longest_gaps: list[list[int]] = Field(description="each from when to when")


class CoverageReport(Answer):
    """What history there is against what was asked."""

    timeframe: TimeframeName
    asked: Asked
    start: int = Field(description="open of the first bar that trades, ms UTC")
    missing: int
    problems: list[str]
    symbols: list[SymbolCoverage]


class BacktestResponse(Answer):
    """What came of a backtest."""

    id: str
    status: Literal["done"] = "done"
    equity_series: list[EquityPoint] = Field(
        description="thinned to `points`: the extremes of each stretch stay"
    )
    equity_points: int = Field(description="how many there are; an export has all")
    metrics: BacktestMetrics
    trades: list[BacktestTrade] = Field(description="the newest ones, oldest first")
    trades_total: int
    config: dict[str, Any] = Field(description="the request with all defaults")
    funding: Number = Field(description="paid or got; null: not known")
    coverage: CoverageReport
    warnings: list[str]
    capsule: dict[str, Any] = Field(description="hashes of data, weights, parameters and code")
    source: str
