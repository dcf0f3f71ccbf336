"""How much each detector counts: nine non-negative numbers that somebody turns."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import param

from opportunity.contracts import DETECTOR_NAMES
from opportunity.display import bar_rows, card
from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.scoring.presets import PRESETS
from opportunity.shared import Shared

DEFAULT: Final = "balanced"


class Weights(Shared):
    """Relative weight of each detector, >= 0; only ratios matter to the score.

    Parameters
    ----------
    **weights : float
        Weights by detector name; those not given keep their value in the balanced preset.

    Raises
    ------
    ValueError
        If a name is unknown, or a weight is negative or not finite.

    Examples
    --------
    >>> Weights(smc=0.3).smc, Weights(smc=0.3).sar
    (0.3, 0.1)
    """

    def __init__(self, **weights: Any) -> None:
        _check_names(weights)
        _check_values(weights)
        super().__init__(**weights)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):  # a misspelt weight would otherwise be set and never read
            if name not in DETECTOR_NAMES and name != "name":
                raise AttributeError(unknown("weight", name, DETECTOR_NAMES))
            if name != "name":
                _check_values({name: value})
        super().__setattr__(name, value)

    @classmethod
    def preset(cls, name: str) -> "Weights":
        """Return the weights of a shipped preset.

        Raises
        ------
        ValueError
            If there is no preset of that name.
        """
        if name not in PRESETS:
            raise ValueError(unknown("preset", name, PRESETS))
        return cls(**PRESETS[name])

    def as_dict(self) -> dict[str, float]:
        """Return the weights by detector name, in detector order."""
        return {name: float(getattr(self, name)) for name in DETECTOR_NAMES}

    def as_array(self) -> FloatArray:
        """Return the weights in detector order, shape (n_detectors,)."""
        return np.array([getattr(self, name) for name in DETECTOR_NAMES], dtype=np.float64)

    def update(self, values: Mapping[str, float] | None = None, /, **more: float) -> None:
        """Set several weights at once: all of them, or none when one is wrong.

        Watchers see one batch of events.

        Raises
        ------
        ValueError
            If a name is unknown, or a weight is negative or not finite.
        ThreadError
            If the weights are shared and the calling thread does not own them.
        """
        wanted = {**(values or {}), **more}
        _check_names(wanted)
        _check_values(wanted)
        self.param.update(**wanted)

    @property
    def total(self) -> float:
        """Sum of the weights, added in detector order."""
        return float(sum(self.as_dict().values()))

    def normalized(self) -> "Weights":
        """Return weights in the same proportions that sum to 1.

        Raises
        ------
        ValueError
            If all weights are 0.
        """
        total = self.total
        if total == 0:
            raise ValueError("sum of the weights must be > 0 to normalise them, was 0")
        return Weights(**{name: value / total for name, value in self.as_dict().items()})

    def __copy__(self) -> "Weights":
        return Weights(**self.as_dict())  # owned by nobody, watched by nobody

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Weights) and self.as_dict() == other.as_dict()

    # Weights change while watchers and pages hold them, so they are kept by identity.
    __hash__ = Shared.__hash__

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value:g}" for name, value in self.as_dict().items())
        return f"Weights({inside})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        total = self.total or 1.0
        rows = [(name, w, f"{w:.3g} · {w / total:.1%}") for name, w in self.as_dict().items()]
        return card(f"Weights, sum {self.total:.4g}", "", picture=bar_rows(rows))


for _name in DETECTOR_NAMES:
    Weights.param.add_parameter(
        _name,
        param.Number(
            PRESETS[DEFAULT].get(_name, 0.0),
            bounds=(0, None),
            doc=f"Relative weight of the {_name} detector, >= 0.",
        ),
    )


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in DETECTOR_NAMES and name != "name":
            raise ValueError(unknown("weight", name, DETECTOR_NAMES))


def _check_values(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name == "name":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise ValueError(f"weight {name} must be a number, was {value!r}")
        if not np.isfinite(value) or value < 0:
            raise ValueError(f"weight {name} must be finite and >= 0, was {value}")
