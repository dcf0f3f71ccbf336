"""The one shape of every error: RFC 9457 problem details."""

from pydantic import ConfigDict, Field

from opportunity.contracts.backtest import CoverageReport
from opportunity.contracts.base import Answer, Number
from opportunity.contracts.promotion import GuardLine

TYPE_PREFIX = "urn:opportunity:problem:"


class FieldError(Answer):
    """One field of a request that breaks its rule."""

    field: str = Field(description="path of the field, e.g. `rules.threshold`")
    message: str


class Problem(Answer):
    """What went wrong with a request, for people (`detail`) and for programs (`code`)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str = Field(description="stable URI of the kind of problem")
    title: str = Field(description="the HTTP status in words")
    status: int
    detail: str
    code: str = Field(description="stable short name of the kind of problem")
    instance: str = Field(description="path of the request")
    request_id: str = Field(description="also in the header X-Request-Id and in the server's log")
    field: str | None = Field(None, description="first field that breaks a rule")
    errors: list[FieldError] | None = Field(None, description="every field that breaks a rule")
    sum: Number = Field(None, description="weights only: the sum that was sent")
    normalized: dict[str, float] | None = Field(
        None, description="weights only: the same vector scaled to a sum of 1"
    )
    coverage: CoverageReport | None = Field(
        None, description="missing history only: what was asked and what is there"
    )
    guards: list[GuardLine] | None = Field(
        None, description="promotion only: what every guard said"
    )
    retry_after_s: int | None = Field(None, description="seconds to wait before another try")
