"""Wire models of putting weights to use: what is asked, what the guards say."""

from typing import Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Body, Fraction, Number
from opportunity.contracts.weights import PresetName, WeightConfig


class PromoteRequest(Body):
    """Weights to put to use, and the backtest whose data the guards shall look at."""

    id: str = Field(min_length=1, max_length=64, description="of a finished backtest")
    weights: WeightConfig | None = Field(None, description="default: those of the backtest")
    preset: PresetName | None = Field(
        None, description="save under this name; null: make them the shared ones"
    )
    force: bool = Field(False, description="also where a guard fails; needs `why`")
    by: str = Field("api", min_length=1, max_length=64, description="who asks")
    why: str = Field("", max_length=500, description="the reason; kept for good")


class GuardLine(Answer):
    """One question asked of a result."""

    name: str
    value: Number = Field(description="null: it could not be measured, which is no proof")
    threshold: Number
    passed: bool
    text: str


class PromoteAnswer(Answer):
    """Weights that were put to use."""

    status: Literal["success"] = "success"
    target: str = Field(description="live, or the name of a preset")
    weights: dict[str, Fraction]
    version: int | None = Field(description="of the shared weights; null for a preset")
    forced: bool
    trials: int = Field(description="everything that was ever tried on this data")
    guards: list[GuardLine]
