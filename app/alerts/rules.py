"""What is worth an alert: switches and thresholds, kept under the setting `alerts`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, get_args

from opportunity.errors import unknown

Kind = Literal[
    "signal", "breaker", "trade", "fill", "price", "feed", "storage", "decay", "return", "loss",
    "drawdown", "summary", "heartbeat", "test",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Direction = Literal["any", "BULLISH", "BEARISH"]

_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "min_confidence_threshold": (0, 1), "min_score": (0.5, 1), "signal_pause_s": (0, 86_400),
    "feed_down_s": (5, 86_400), "return_pct": (0.1, 100), "unrealised_loss": (0.01, 1e12),
    "summary_hour": (0, 23), "heartbeat_hours": (0, 168),
}  # fmt: skip
_WHOLE: Final = ("signal_pause_s", "feed_down_s", "summary_hour", "heartbeat_hours")


@dataclass(frozen=True, slots=True)
class AlertRules:
    """Switches and thresholds.

    Parameters
    ----------
    signal_alerts, portfolio_alerts, risk_alerts, api_health_alerts, daily_summary : bool
        Signals; returns, losses and drawdown; breakers; the line to the market; once a day.
    trade_alerts, fill_alerts, price_alerts, storage_alerts, decay_alerts : bool
        Trades that ended, fills, touched prices, a database in trouble, detectors that fade.
    min_confidence_threshold, min_score : float
        Of a signal; a bearish one counts by its distance below: score <= 1 - `min_score`.
    direction : str
        ``any``, or only one.
    signal_pause_s : int
        Least wall time between two alerts of one symbol, seconds.
    feed_down_s : int
        How long the line has to be down, or we are banned, seconds of wall time.
    return_pct : float
        Gain or loss of a day, percent.
    unrealised_loss : float
        Of all positions together, quote currency.
    drawdown_steps_pct : tuple of float
        Each is told once for every peak, percent.
    summary_hour : int
        Hour of the day, UTC, feed time.
    heartbeat_hours : int
        Wall time between two signs of life; 0 is off.
    routes : mapping of str to tuple of str
        Channels by kind of alert; a kind that is not named goes to all.
    """

    signal_alerts: bool = True
    portfolio_alerts: bool = True
    risk_alerts: bool = True
    api_health_alerts: bool = True
    daily_summary: bool = True
    trade_alerts: bool = False
    fill_alerts: bool = False
    price_alerts: bool = True
    storage_alerts: bool = True
    decay_alerts: bool = True
    min_confidence_threshold: float = 0.7
    min_score: float = 0.6
    direction: Direction = "any"
    signal_pause_s: int = 900
    feed_down_s: int = 120
    return_pct: float = 5.0
    unrealised_loss: float = 1_000.0
    drawdown_steps_pct: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0)
    summary_hour: int = 0
    heartbeat_hours: int = 0
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the rules; ValueError or TypeError for what breaks one."""
        for name in (f.name for f in fields(self) if f.type in (bool, "bool")):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be true or false, was {getattr(self, name)!r}")
        for name, (low, high) in _BOUNDS.items():
            _check_number(name, getattr(self, name), low, high)
        if self.direction not in get_args(Direction):
            raise ValueError(unknown("direction", self.direction, get_args(Direction)))
        steps = self.drawdown_steps_pct
        if len(steps) > 10 or list(steps) != sorted(set(steps)):
            raise ValueError(f"drawdown_steps_pct must be at most 10, rising, was {list(steps)}")
        for step in steps:
            _check_number("drawdown_steps_pct", step, 0.1, 100)
        for kind in self.routes:
            if kind not in KINDS:
                raise ValueError(unknown("kind of alert", kind, KINDS))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "AlertRules":
        """Make them of plain values, as JSON holds them."""
        given = dict(values)
        for name in given:
            if name not in {f.name for f in fields(cls)}:
                raise ValueError(unknown("alert rule", name, [f.name for f in fields(cls)]))
        if "drawdown_steps_pct" in given:
            given["drawdown_steps_pct"] = tuple(given["drawdown_steps_pct"])
        if "routes" in given:
            given["routes"] = {kind: tuple(names) for kind, names in given["routes"].items()}
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON holds them."""
        return asdict(self) | {
            "drawdown_steps_pct": list(self.drawdown_steps_pct),
            "routes": {kind: list(names) for kind, names in self.routes.items()},
        }

    def channels(self, kind: str, there: Sequence[str]) -> tuple[str, ...]:
        """Return the channels that a kind goes to, of those that are there."""
        if kind not in self.routes:
            return tuple(there)
        return tuple(name for name in there if name in self.routes[kind])


def _check_number(name: str, value: object, low: float, high: float) -> None:
    whole = name in _WHOLE
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if not fits or isinstance(value, bool):
        raise TypeError(f"{name} must be a {'whole ' if whole else ''}number, was {value!r}")
    assert isinstance(value, int | float)
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} to {high:g}, was {value}")
