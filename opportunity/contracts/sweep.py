"""Wire models of a sweep: how weights are looked for, and the best that were found."""

from typing import Final, Literal

from pydantic import Field

from opportunity.contracts.backtest import EquityPoint, MarketRequest
from opportunity.contracts.base import Answer, Fraction, Number

MAX_VECTORS: Final = 100_000
MAX_OPTIMISED: Final = 2_000
"""An optimiser thinks between vectors."""

SweepMethod = Literal["random", "grid", "tpe", "cmaes"]
"""A test holds this equal to `backtest.searched.Method`, as the next to `judge.OBJECTIVES`."""

Objective = Literal[
    "sharpe", "sortino", "calmar", "total_return", "cagr", "sqn", "profit_factor", "expectancy"
]


class SweepRequest(MarketRequest):
    """Where to look for weights, and how."""

    method: SweepMethod = Field("random", description="tpe and cmaes learn from what they judged")
    n: int = Field(1_000, ge=1, le=MAX_VECTORS, description="weight vectors at most")
    objective: Objective = "sharpe"
    least_trades: int = Field(30, ge=0, le=100_000, description="with fewer it has no value")
    top: int = Field(20, ge=1, le=1_000, description="of the best to tell")


class SweptVector(Answer):
    """One weight vector and what came of it."""

    weights: dict[str, Fraction]
    value: Number = Field(description="by the objective; null with too few trades")
    metrics: dict[str, Number]


class SweepResponse(Answer):
    """What a sweep found; the best of many is also the luckiest."""

    id: str
    status: Literal["done"] = "done"
    method: SweepMethod
    objective: Objective
    n: int = Field(description="vectors that were judged")
    weights: dict[str, Fraction] | None = Field(description="the best; null: none has a value")
    value: Number
    equal_weights: Number = Field(description="the value of equal weights")
    trials: int = Field(description="everything that was ever tried on this data")
    best: list[SweptVector] = Field(description="the best first")
    equity_series: list[EquityPoint] = Field(description="of the best, thinned")
    equity_points: int
    source: str
