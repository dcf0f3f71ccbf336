"""What all wire models share: strict requests, checked answers, and null for what is not known.

Inside the package an undefined number is NaN; on the wire it is null. The change happens here,
in the types `Number`, `Unit` and `Signed`, and nowhere else: every other float field refuses NaN.
"""

import math
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Direction = Literal["BULLISH", "NEUTRAL", "BEARISH"]
RiskLevel = Literal["LOW", "MEDIUM", "HIGH"]
TimeframeName = Literal["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w"]

TIMEFRAME_NAMES: Final[tuple[TimeframeName, ...]] = get_args(TimeframeName)
"""A test holds this equal to `market.timeframe.TIMEFRAMES`, which lies in a higher room."""

ROUNDING: Final = 1e-9
"""How far floating-point sums may leave [0, 1] or [-1, 1] before it is an error."""


def null_if_undefined(value: Any) -> Any:
    """Turn NaN and infinities into None; leave everything else alone."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _within(low: float, high: float) -> BeforeValidator:
    def clip(value: Any) -> Any:
        value = null_if_undefined(value)
        if isinstance(value, float) and low - ROUNDING <= value <= high + ROUNDING:
            return min(max(value, low), high)
        return value

    return BeforeValidator(clip)


Number = Annotated[float | None, BeforeValidator(null_if_undefined)]
"""Any number; null when undefined."""

Unit = Annotated[Annotated[float, Field(ge=0, le=1)] | None, _within(0, 1)]
"""A number in [0, 1]; null when undefined."""

Signed = Annotated[Annotated[float, Field(ge=-1, le=1)] | None, _within(-1, 1)]
"""A number in [-1, 1]; null when undefined."""

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1] that a request must give."""

_ANY_CASE: Final = "|".join(
    "".join(f"[{letter}{letter.lower()}]" for letter in quote)
    for quote in ("USD", "EUR", "GBP", "JPY", "TRY", "BRL", "BTC", "ETH", "BNB", "DAI")
)
_NAME: Final = "[A-Za-z0-9]{1,20}"

SYMBOL_PATTERN: Final = (
    f"^(?:{_NAME}[/_-]{_NAME}(?:[:_-]{_NAME})?"
    f"|(?:[A-Za-z0-9]{{1,16}}[Uu][Ss][Dd][TtCc]|[A-Za-z0-9]{{1,17}}(?:{_ANY_CASE}))(?::{_NAME})?)$"
)
"""What `market.symbols.parse_symbol` reads, as documents tell it; a test holds both equal."""

SymbolText = Annotated[
    str,
    Field(
        min_length=2, max_length=48,
        json_schema_extra={"pattern": SYMBOL_PATTERN, "examples": ["BTCUSDT", "ETH-USDT"]},
    ),
]  # fmt: skip
"""A symbol in any of its spellings; `market.symbols.parse_symbol` reads it."""


def either(first: str, second: str) -> dict[str, Any]:
    """Return the JSON schema of a model that must be given one of two fields, and not both."""
    def only(one: str, other: str) -> dict[str, Any]:
        absent = {"properties": {one: {"not": {"type": "null"}}, other: {"type": "null"}}}
        return absent | {"required": [one]}

    return {"oneOf": [only(first, second), only(second, first)]}


class Answer(BaseModel):
    """A message that leaves the server; building one checks it."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, frozen=True,
        json_schema_serialization_defaults_required=True,  # every field is sent
    )  # fmt: skip


class Body(BaseModel):
    """A JSON object that comes in: no unknown fields, no guessing of types."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, strict=True)


class Query(BaseModel):
    """A query string that comes in: text, so types are read from it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)
