"""What is turned here and in force there: weights and rules of a remote agent, as Param objects.

Setting one sends it and waits; what the server refuses is set back, and the error is raised.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_args

import param

from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.agent import RuleType, Side
from opportunity.contracts.base import RiskLevel
from opportunity.errors import unknown
from opportunity.shared import Shared

Send = Callable[[dict[str, Any]], None]


class Taking:
    """Says of the calling thread whether it takes what came from the server, to send nothing."""

    def __init__(self) -> None:
        self._threads: Counter[int] = Counter()

    @property
    def now(self) -> bool:
        """Whether the calling thread does."""
        return self._threads[threading.get_ident()] > 0

    def __enter__(self) -> None:
        self._threads[threading.get_ident()] += 1

    def __exit__(self, *_: object) -> None:
        self._threads[threading.get_ident()] -= 1


class Turned(Shared):
    """A Param object whose changes are sent before they hold."""

    ORDER: ClassVar[tuple[str, ...]] = ()
    """Of its values; Param has none of its own."""

    def __init__(self, send: Send, **params: Any) -> None:
        super().__init__(**params)
        self._send, self._taking = send, Taking()
        self._names = tuple(self.ORDER or (n for n in self.param if n != "name"))
        self._before = self.as_dict()
        self.param.watch(self._changed, list(self._names))

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name != "name" and name not in self.param:
            raise AttributeError(unknown(type(self).__name__, name, list(self.param)))
        super().__setattr__(name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return all values by name."""
        return {name: getattr(self, name) for name in self._names}

    def update(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set several values at once: all of them, or none.

        Raises
        ------
        ValueError
            If a name is unknown or a value breaks its rule.
        RemoteError
            If the server refuses them or is not there; nothing has changed then.
        """
        wanted = {**(values or {}), **more}
        for name in wanted:
            if name not in self._names:
                raise ValueError(unknown(type(self).__name__, name, self._names))
        self.param.update(**wanted)

    def take(self, values: Mapping[str, Any]) -> None:
        """Take what is in force on the server; nothing is sent."""
        with self._taking:
            self.param.update(**{n: v for n, v in values.items() if n in self._names})
        self._before = self.as_dict()

    def _changed(self, *events: Any) -> None:
        if self._taking.now:
            return
        try:
            self._send({event.name: event.new for event in events})
        except BaseException:
            with self._taking:
                self.param.update(**self._before)
            raise
        self._before = self.as_dict()


class RemoteWeights(Turned):
    """The shared weights of a remote agent, each >= 0; the server scales them to a sum of 1."""

    ORDER = DETECTOR_NAMES

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(sum(self.as_dict().values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value:g}" for name, value in self.as_dict().items())
        return f"RemoteWeights({inside})"

    __str__ = __repr__


for _name in DETECTOR_NAMES:
    RemoteWeights.param.add_parameter(
        _name, param.Number(0.0, bounds=(0, None), doc=f"Weight of the {_name} detector, >= 0.")
    )


class RemoteRules(Turned):
    """The shared scan rules of a remote agent."""

    type: Any = param.Selector(objects=list(get_args(RuleType)), doc="How timeframes must agree.")
    threshold = param.Number(0.5, bounds=(0, 1), doc="Score along the side, at least.")
    min_confidence = param.Number(0.0, bounds=(0, 1), doc="Confidence, at least.")
    max_risk: Any = param.Selector(objects=list(get_args(RiskLevel)), doc="Risk, at most.")
    exclude_neutral = param.Boolean(True, doc="Leave out what has no direction.")
    min_volume_usd = param.Number(0.0, bounds=(0, None), doc="Quote volume of 24 h, at least.")
    exclude_symbols = param.List([], item_type=str, doc="Symbols to leave out.")
    direction: Any = param.Selector(objects=[None, *get_args(Side)], doc="Only this side.")
    min_trust = param.Number(0.0, bounds=(0, 1), doc="Trust in the data, at least.")
    timeframe_weights = param.Dict(default={}, doc="Weights across timeframes, where not default.")
