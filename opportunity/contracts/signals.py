"""Wire models of the score of one symbol on one timeframe."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import (
    Answer,
    Body,
    Direction,
    Number,
    RiskLevel,
    Signed,
    SymbolText,
    TimeframeName,
    Unit,
)
from opportunity.contracts.scanner import Action, Component, Levels
from opportunity.contracts.weights import WeightConfig


class ScoreRequest(Body):
    """Which stream to score."""

    symbol: SymbolText = "BTCUSDT"
    timeframe: TimeframeName = "1h"
    weights: WeightConfig | None = Field(None, description="of this request only")


class ScoreResult(Answer):
    """The score of the newest closed bar, taken apart."""

    final_score: Unit
    net: Signed
    direction: Direction
    advice: Literal["BUY", "SELL", "HOLD"]
    recommended_action: Action
    confidence: Unit
    success: Unit = Field(description="calibrated probability of the direction; null: not known")
    success_note: str = Field(description="why it is not known, e.g. `uncalibrated: ...`; else ''")
    consensus: Unit
    risk_level: RiskLevel
    trend: Literal["UP", "RANGING", "DOWN"]
    volatility: Unit = Field(description="rank of the ATR in its own last 500 bars")
    bull_mass: Number
    bear_mass: Number
    disagreement: Unit
    coverage: Unit
    trust: Unit = Field(description="trust in the bars; it has lowered `confidence` already")
    trust_note: str = Field(description="why `trust` is below 1; else ''")
    components: list[Component]


class ScoreResponse(Answer):
    """Direction, confidence and advice, then everything they were made from."""

    direction: Direction
    confidence: float = Field(ge=0, le=1, description="0 when there is no score")
    advice: str = Field(description="`BUY - Risk: MEDIUM`, or `No signal generated`")
    symbol: str
    id: str
    timeframe: TimeframeName
    timestamp: int | None = Field(description="close time of the newest closed bar, ms UTC")
    price: Number
    levels: Levels | None = Field(description="null while neutral")
    result: ScoreResult | None = Field(description="null when nothing could be scored")
    source: str
