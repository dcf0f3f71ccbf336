"""What the exchange can do wrong: the record that all faults are, and how it is checked."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Final, get_args

from opportunity.errors import unknown
from opportunity.market.symbols import parse_symbol

LONGEST_S: Final = 7 * 86_400.0
MOST: Final = 1_000_000

Bounds = dict[str, tuple[float, float]]
Choices = dict[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Parameters
    ----------
    symbols : tuple of str
        Which symbols it concerns, in any spelling; empty: all, and what is of no symbol.
    probability : float
        Chance to strike at each occasion, in (0, 1], drawn from the seed.
    every : int
        Only each n-th occasion counts, from 1 on.
    seed : int
        Same seed, same occasions: same strikes.
    after_s : float
        Real seconds from the command until it begins.
    for_s : float or None
        Real seconds that it lasts; None: until it is taken back.
    times : int or None
        Strikes after which it is over; None: no limit.
    """

    kind: ClassVar[str] = ""
    bounds: ClassVar[Bounds] = {}
    choices: ClassVar[Choices] = {}

    symbols: tuple[str, ...] = ()
    probability: float = 1.0
    every: int = 1
    seed: int = 0
    after_s: float = 0.0
    for_s: float | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            _check_type(field.name, value, field.type)
            if value is None:
                continue
            if field.name in _BOUNDS | self.bounds:
                _check_bounds(field.name, value, *(_BOUNDS | self.bounds)[field.name])
            allowed = self.choices.get(field.name)
            if allowed is not None and value not in allowed:
                raise ValueError(unknown(f"{self.kind} {field.name}", value, map(str, allowed)))
        if self.probability == 0:
            raise ValueError("probability must be > 0, was 0.0")
        object.__setattr__(self, "symbols", tuple(parse_symbol(s) for s in self.symbols))
        self.check()

    def check(self) -> None:
        """Raise a ValueError where the fields contradict each other."""

    def concerns(self, symbol: str | None) -> bool:
        """Tell whether it is about `symbol` (None: about no symbol in particular)."""
        return not self.symbols or symbol in self.symbols

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON has it; `make` undoes it."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"kind": self.kind} | own


_BOUNDS: Final[Bounds] = {
    "probability": (0.0, 1.0), "every": (1, MOST), "seed": (0, 2**63 - 1),
    "after_s": (0.0, LONGEST_S), "for_s": (0.001, LONGEST_S), "times": (1, MOST),
}  # fmt: skip


def _check_type(name: str, value: object, kind: Any) -> None:
    allowed = get_args(kind) or (kind,)
    if value is None and type(None) in allowed:
        return
    if str(kind).startswith("tuple"):
        inner = get_args(kind)[0]
        fits = isinstance(value, tuple) and all(
            isinstance(v, inner) and not isinstance(v, bool) for v in value
        )
        if not fits:
            raise ValueError(f"{name} must be a list of {inner.__name__}, was {value!r}")
        return
    wanted = next(a for a in allowed if a is not type(None))
    if wanted is float:
        number = value if isinstance(value, int | float) and value is not True else math.nan
        fits = value is not False and math.isfinite(number)
    else:
        fits = type(value) is wanted
    if not fits:
        raise ValueError(f"{name} must be {_WORDS[wanted]}, was {value!r}")


_WORDS: Final = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


def _check_bounds(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be between {least:g} and {most:g}, was {value}")


def make(kinds: Mapping[str, type[Fault]], payload: object) -> Fault:
    """Make a fault of what JSON says.

    Parameters
    ----------
    kinds : mapping of str to class
        Every fault by its kind.
    payload : object
        A JSON object with ``kind`` and the fields of the fault.

    Raises
    ------
    ValueError
        If it is no object, or the kind, a field or a value is wrong.
    """
    if not isinstance(payload, dict):
        raise ValueError(f"fault must be a JSON object, was {str(payload)[:60]!r}")
    values = dict(payload)
    kind = values.pop("kind", None)
    if kind not in kinds:
        raise ValueError(unknown("kind", kind, kinds))
    made = kinds[kind]
    names = {f.name: f for f in fields(made)}
    for name, value in values.items():
        if name not in names:
            raise ValueError(unknown(f"field of {kind}", name, names))
        if isinstance(value, list):
            values[name] = tuple(value)
    missing = [n for n, f in names.items() if f.default is MISSING and n not in values]
    if missing:
        raise ValueError(f"{missing[0]} must be given for {kind}, was not")
    return made(**values)
