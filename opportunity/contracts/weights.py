"""Wire models of the nine weights and of their presets."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from opportunity.contracts.base import Answer, Body, Fraction, Query

_NAME = r"^[ .]*[\w-][\w .-]*$"
"""Letters, digits and some signs, and not spaces and dots alone."""


def _plain(name: str) -> str:
    name = unicodedata.normalize("NFC", name).strip()
    if not name.strip(". "):
        raise ValueError("name must have a letter or a digit")
    return name


PresetName = Annotated[
    str, Field(min_length=1, max_length=64, pattern=_NAME), AfterValidator(_plain)
]
"""Up to 64 letters, digits, spaces, dots, hyphens and underscores."""


class WeightConfig(Body):
    """How much each detector counts, nine numbers in [0, 1] that add up to 1.

    ``{"weights": {...}}`` is read like the bare nine numbers.
    """

    harmonic: Fraction
    elliott: Fraction
    smc: Fraction
    fibonacci: Fraction
    price_action: Fraction
    sar: Fraction
    sentiment: Fraction
    news: Fraction
    whales: Fraction

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"weights"}:
            return value["weights"]
        return value

    def as_dict(self) -> dict[str, float]:
        """Return the weights by detector name, in detector order."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


class WeightsBody(Body):
    """The nine weights inside an object; read like the bare nine."""

    weights: WeightConfig


class WeightValues(Answer):
    """The nine weights in force."""

    harmonic: Fraction
    elliott: Fraction
    smc: Fraction
    fibonacci: Fraction
    price_action: Fraction
    sar: Fraction
    sentiment: Fraction
    news: Fraction
    whales: Fraction


class NormalizeQuery(Query):
    """Whether a sum other than 1 is scaled instead of refused."""

    normalize: bool = False


class WeightsAnswer(Answer):
    """The weights after the change, and their version (also in the ETag)."""

    status: Literal["success"] = "success"
    weights: WeightValues
    version: int


class PresetQuery(NormalizeQuery):
    """Name of the preset to save, and whether to scale its weights."""

    name: PresetName | None = None


class PresetBody(Body):
    """A preset with its name inside; the bare nine numbers go with `?name=`."""

    name: PresetName
    weights: WeightConfig


class WeightPreset(Answer):
    """Named weights."""

    name: str
    weights: WeightValues
    protected: bool = Field(description="built in: can be neither changed nor deleted")


class WeightPresetsResponse(Answer):
    """All presets, built-in ones first."""

    presets: list[WeightPreset]


class PresetSaved(Answer):
    """A preset was created or replaced."""

    status: Literal["success"] = "success"
    message: str
    preset: WeightPreset


class PresetDeleted(Answer):
    """A preset is gone."""

    status: Literal["success"] = "success"
    message: str
