"""Which answers are kept, and what each is made of: if that is the same, the answer is.

One line a resource. A stamp names everything that the handler reads; a test turns each of these
things and looks whether the answer turns with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs

import orjson

from app.services import Services
from opportunity.market.symbols import parse_symbol

SCANNED: Final = ("15m", "1h", "4h")
"""Timeframes of a scan that names none."""


CALIBRATION_S: Final = 0.1
"""The calibration, which is learned anew once a day, is looked up so often at most."""


class Turned:
    """Counts how often anybody turned the shared weights and rules.

    Parameters
    ----------
    services : Services
        On whose loop it is made.
    """

    def __init__(self, services: Services) -> None:
        self.n = 0
        self._agent, self._weights = services.agent, services.weights
        self._looked = -1.0
        self._known: Any = None
        for shared in (services.weights, services.rules):
            shared.param.watch(self._turn, [name for name in shared.param if name != "name"])

    def _turn(self, *_: Any) -> None:
        self.n += 1
        self._looked = -1.0

    def calibration(self) -> Any:
        """Return what gives success to scores of the shared weights."""
        now = monotonic()
        if now - self._looked > CALIBRATION_S:
            self._looked, self._known = now, self._agent.calibration(self._weights)
        return self._known


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose answer may be kept: the names in its path, its query, its body."""

    places: tuple[str, ...]
    query: str
    body: bytes
    turned: Turned

    def fields(self) -> Mapping[str, Any] | None:
        """Return the body's fields; None where it is not an object."""
        try:
            value = orjson.loads(self.body or b"{}")
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None


Stamp = Callable[[], tuple[Any, ...] | None]
"""Says what an answer is made of now; None while it is not to be kept."""

Depends = Callable[[Services, Asked], Stamp | None]
"""Makes the stamp of a request; None for one whose answers are not kept."""


def status(services: Services, asked: Asked) -> Stamp | None:
    """Return what `GET /api/agent/status` is made of."""
    agent, controls = services.agent, services.controls

    def stamp() -> tuple[Any, ...]:
        return (
            agent.enabled, agent.running, agent.scan_interval_ms, controls.subscribed,
            agent.last_scan_at, agent.last_scan_ms, agent.next_scan_at, agent.last_error,
            services.feed_status(), services.source,
        )  # fmt: skip

    return stamp


def weights(services: Services, asked: Asked) -> Stamp | None:
    """Return what `GET /api/config/weights` is made of."""
    turned = asked.turned
    return lambda: (services.controls.weights_version, turned.n)


def price(services: Services, asked: Asked) -> Stamp | None:
    """Return what `GET /api/price/{symbol}` is made of."""
    try:
        symbol = parse_symbol(asked.places[0])
    except ValueError:
        return None
    return lambda: (services.snapshot(), services.hub.latest("price", symbol), services.symbols)


def live(services: Services, asked: Asked) -> Stamp | None:
    """Return what `GET /api/signals/live` is made of."""
    return lambda: (services.hub.turns("signal"), services.agent.enabled, services.source)


def score(services: Services, asked: Asked) -> Stamp | None:
    """Return what `POST /api/signals/score` is made of, for a bar that the agent has scored."""
    fields = asked.fields()
    if fields is None or "weights" in fields:
        return None  # own weights may have a calibration of their own
    if fields.get("timeframe", "1h") not in services.timeframes:
        return None
    return _judged(services, asked.turned)


def scan(services: Services, asked: Asked) -> Stamp | None:
    """Return what `POST /api/scanner/run` is made of, for bars that the agent has scored."""
    fields = asked.fields()
    if fields is None or "weights" in fields:
        return None
    scored = _scored(services, fields.get("timeframes", SCANNED))
    return _judged(services, asked.turned) if scored else None


def scanned(services: Services, asked: Asked) -> Stamp | None:
    """Return what `GET /api/scanner/symbol/{symbol}` is made of, for bars that were scored."""
    given = parse_qs(asked.query, keep_blank_values=True).get("timeframes")
    frames = SCANNED if given is None else given[-1].split(",")
    return _judged(services, asked.turned) if _scored(services, frames) else None


def _scored(services: Services, frames: Any) -> bool:
    return isinstance(frames, list | tuple) and all(t in services.timeframes for t in frames)


def _judged(services: Services, turned: Turned) -> Stamp:
    controls = services.controls

    def stamp() -> tuple[Any, ...] | None:
        snapshot = services.snapshot()
        if snapshot is None:
            return None
        return (
            snapshot, turned.n, turned.calibration(), controls.subscribed, services.symbols
        )

    return stamp


HOT: Final[dict[tuple[str, str], Depends]] = {
    ("GET", "/api/agent/status"): status,
    ("GET", "/api/config/weights"): weights,
    ("GET", "/api/price/{symbol}"): price,
    ("GET", "/api/signals/live"): live,
    ("GET", "/api/scanner/symbol/{symbol}"): scanned,
    ("POST", "/api/scanner/run"): scan,
    ("POST", "/api/signals/score"): score,
}
"""Method and path template -> what its answer is made of."""
