"""Wire models of challengers: paper accounts under other weights, beside that of the agent."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from opportunity.contracts.base import Answer, Body, Fraction, Number, either
from opportunity.contracts.weights import PresetName, WeightConfig

VerdictName = Literal["better", "worse", "not distinguishable yet"]


class ShadowRequest(Body):
    """A new challenger: weights of its own, or those of a preset."""

    model_config = ConfigDict(json_schema_extra=either("weights", "preset"))

    name: PresetName = Field(description="never used before: its history stays under it")
    weights: WeightConfig | None = None
    preset: PresetName | None = None
    note: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.weights is None) == (self.preset is None):
            raise ValueError("either weights or preset must be given")
        return self


class ShadowPromoteRequest(Body):
    """Put a challenger's weights to use, past its comparison and the guards."""

    model_config = ConfigDict(json_schema_extra={"required": ["id"]})

    id: str = Field(
        "", max_length=64,
        description="of a finished backtest, on whose data the guards are asked; needed",
    )
    preset: PresetName | None = Field(
        None, description="save under this name; null: make them the shared ones"
    )
    force: bool = Field(False, description="also where a guard fails; needs `why`")
    by: str = Field("api", min_length=1, max_length=64, description="who asks")
    why: str = Field("", max_length=500, description="the reason; kept for good")


class IntervalLine(Answer):
    """What is known of the mean difference of a day, at all times at once."""

    days: int = Field(description="whole days of UTC since the comparison began")
    mean: Number = Field(description="champion less challenger, logarithm of equity a day")
    low: float
    high: float
    alpha: Fraction = Field(description="probability that the interval ever misses")
    clip: float = Field(description="a day that differed by more counts as this much")
    clipped: int = Field(description="such days")
    more_days: int | None = Field(description="about; null: not foreseeable")


class ShadowLine(Answer):
    """A challenger and how it does."""

    name: str
    weights: dict[str, Fraction]
    note: str
    created_at: int = Field(description="wall time, ms UTC")
    stopped_at: int | None = Field(description="wall time, ms UTC; null while it runs")
    begun: int | None = Field(description="of its account, feed time; null before it trades")
    time: int | None = Field(description="up to which bars are worked in, feed time")
    cash: Number = Field(description="at the start, quote currency")
    equity: Number
    drawdown: Number
    trades: int
    since: int | None = Field(description="from when it is compared, feed time")
    why_since: str = Field(description="why from then")
    total_return: Number = Field(description="since then, fraction")
    champion_return: Number
    difference: Number = Field(description="`champion_return` less `total_return`")
    interval: IntervalLine
    verdict: VerdictName = Field(description="of the challenger")
    text: str = Field(description="the verdict with what it rests on")
    caution: str = Field(description="what the verdict does not say; mostly empty")


class ShadowsResponse(Answer):
    """All challengers: those that run, then those that have ended."""

    shadows: list[ShadowLine]
    most: int = Field(description="that may run at the same time")
    champion_equity: Number
    time: int | None = Field(description="up to which its bars are worked in, feed time")
    source: str


class ShadowAnswer(Answer):
    """A challenger was added or has ended."""

    status: Literal["success"] = "success"
    message: str
    shadow: ShadowLine
    source: str


class CurvePoint(Answer):
    """Both accounts at a time, as multiples of what they were at the start of the comparison."""

    time: int
    champion: Number
    challenger: Number


class DayLine(Answer):
    """The interval after a whole day."""

    day: int = Field(description="its end, ms UTC")
    difference: Number = Field(description="of this day, champion less challenger")
    mean: Number
    low: float
    high: float


class ChapterLine(Answer):
    """When a comparison began anew."""

    time: int
    why: str


class ShadowDetail(Answer):
    """One challenger: both curves, and the interval day by day."""

    shadow: ShadowLine
    chapters: list[ChapterLine]
    curve: list[CurvePoint]
    days: list[DayLine]
    source: str
