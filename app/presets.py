"""Presets: weights under a name, three built in and any number saved."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.scoring.presets import PRESETS, PROTECTED
from opportunity.scoring.weights import Weights
from opportunity.storage.events import Event
from opportunity.storage.repositories import PresetRepository

NAME: Final = re.compile(r"[\w .-]{1,64}")
SUM_TOLERANCE: Final = 0.01

Said = Callable[[Mapping[str, float] | None, Mapping[str, float] | None], Event]
"""Makes the event of a change of a preset's weights, before and after; None for no preset."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Weights under a name; the built-in ones cannot be changed or deleted."""

    name: str
    weights: dict[str, float]
    protected: bool


class Presets:
    """The built-in presets and those of the database, with the rules for names."""

    def __init__(self, saved: PresetRepository) -> None:
        self._saved = saved

    def all(self) -> list[Preset]:
        """Return the built-in presets, then the saved ones by name."""
        built_in = [Preset(n, dict(w), True) for n, w in PRESETS.items()]
        return built_in + [Preset(n, w, False) for n, w in self._saved.read().items()]

    def save(
        self, name: str, values: Mapping[str, float], said: Said | None = None
    ) -> Preset:
        """Save or replace a preset.

        Parameters
        ----------
        name : str
        values : mapping
        said : callable, optional
            Makes the event that is stored with it.

        Raises
        ------
        ValueError
            If the name or the weights break a rule.
        PermissionError
            If the name belongs to a built-in preset.
        """
        check_name(name)
        checked = check_weights(values)
        self._saved.write(name, checked, *self._events(name, checked, said))
        return Preset(name, checked, False)

    def delete(self, name: str, said: Said | None = None) -> None:
        """Delete a saved preset; see `save`.

        Raises
        ------
        KeyError
            If there is none of that name.
        PermissionError
            If it is built in.
        """
        _refuse_protected(name)
        self._saved.delete(name, *self._events(name, None, said))

    def _events(
        self, name: str, after: Mapping[str, float] | None, said: Said | None
    ) -> list[Event]:
        return [] if said is None else [said(self._saved.read().get(name), after)]


def check_name(name: str) -> None:
    """Refuse a name that no preset can be saved under: ValueError, or PermissionError."""
    if not NAME.fullmatch(name) or name != name.strip() or not name.strip("."):
        raise ValueError(
            "name must be 1 to 64 letters, digits, dots, dashes or underscores, with spaces "
            f"only between them, was {name!r}"
        )
    _refuse_protected(name)


def check_weights(values: Mapping[str, float]) -> dict[str, float]:
    """Return the nine weights as floats in order; ValueError when they break a rule."""
    for name in values:
        if name not in DETECTOR_NAMES:
            raise ValueError(unknown("weight", name, DETECTOR_NAMES))
    missing = [n for n in DETECTOR_NAMES if n not in values]
    if missing:
        raise ValueError(f"weights must name all nine detectors, was without {missing}")
    checked = Weights(**values).as_dict()
    for name, weight in checked.items():
        if not 0 <= weight <= 1:
            raise ValueError(f"{name} must be 0 to 1, was {weight}")
    total = math.fsum(checked.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(f"weights must sum to 1 within {SUM_TOLERANCE}, was {total:.4g}")
    return checked


def _refuse_protected(name: str) -> None:
    if name.casefold() in {p.casefold() for p in PROTECTED}:
        raise PermissionError(f"preset must not be a built-in one, was {name!r}")
