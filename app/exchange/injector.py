"""The faults that are on: when each strikes, what has struck, and who called inside a ban."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from app.exchange import bar_faults, call_faults, socket_faults
from app.exchange.bar_faults import BarFault
from app.exchange.call_faults import CallFault, ClockSkew, Delist, Maintenance, RateLimit
from app.exchange.faults import Fault, make

F = TypeVar("F", bound=Fault)

_LOGGED: Final = 1_000

ON_THEIR_WAY_S: Final = 0.1
"""After an answer that forbids calls, how long those that were sent before may still arrive."""

FAULTS: Final[dict[str, type[Fault]]] = {
    made.kind: made
    for module in (call_faults, socket_faults, bar_faults)
    for made in vars(module).values()
    if isinstance(made, type) and issubclass(made, Fault) and made.kind
}
"""Every fault by its kind."""


@dataclass(slots=True, eq=False)
class Armed:
    """A fault that was ordered: since when, and how often it has struck.

    `targets` are the sockets or bars that it has looked at.
    """

    id: int
    fault: Fault
    since: float
    seen: int = 0
    done: int = 0
    targets: set[Any] = field(default_factory=set)

    def begun(self, real: float) -> bool:
        """Tell whether its time has come."""
        return real >= self.since + self.fault.after_s

    def within(self, real: float) -> bool:
        """Tell whether it is on at an instant, whatever its count."""
        end = self.fault.for_s
        return self.begun(real) and (end is None or real < self.since + self.fault.after_s + end)

    def spent(self) -> bool:
        """Tell whether it has struck as often as it may."""
        return self.fault.times is not None and self.done >= self.fault.times

    def strikes(self, real: float, key: tuple[object, ...] | None = None) -> bool:
        """Take one occasion and tell whether it strikes.

        With a key the draw depends on the key alone, else on the number of the occasion.
        """
        if not self.within(real) or self.spent():
            return False
        self.seen += 1
        if self.seen % self.fault.every:
            return False
        chance = self.fault.probability
        drawn = chance >= 1 or _draw(self.fault, self.seen if key is None else key) < chance
        self.done += drawn
        return drawn


def _draw(fault: Fault, key: object) -> float:
    text = f"{fault.seed}|{fault.kind}|{key}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2.0**64


@dataclass(frozen=True, slots=True)
class Injection:
    """One strike: when (the exchange's time, ms UTC), what, on which symbol or path."""

    time: int
    kind: str
    what: str


class Faults:
    """All faults of one exchange.

    Parameters
    ----------
    real, now : callable
        Real seconds, monotonic; the exchange's true time, ms UTC.

    Attributes
    ----------
    injected : Counter
        Strikes by kind.
    log : deque of Injection
        The last thousand of them.
    calls, calls_in_ban, calls_on_their_way : int
        REST calls in all, those that came while calls were forbidden, and those that came so
        soon after the answer that forbade them that they were on their way before it was heard.
    """

    def __init__(self, real: Callable[[], float], now: Callable[[], int]) -> None:
        self._real, self._now = real, now
        self._armed: dict[int, Armed] = {}
        self._next = 1
        self._ban_until, self._ban = 0.0, RateLimit()
        self._ban_told = -ON_THEIR_WAY_S
        self.injected: Counter[str] = Counter()
        self.log: deque[Injection] = deque(maxlen=_LOGGED)
        self.calls = 0
        self.calls_in_ban = self.calls_on_their_way = 0

    def real(self) -> float:
        """Return real seconds, monotonic."""
        return self._real()

    def add(self, fault: Fault) -> int:
        """Switch a fault on; return its number."""
        number, self._next = self._next, self._next + 1
        self._armed[number] = Armed(number, fault, self._real())
        return number

    def order(self, payload: object) -> int:
        """Switch on what JSON says; raises a ValueError that names what is wrong."""
        return self.add(make(FAULTS, payload))

    def remove(self, number: int) -> None:
        """Take a fault back; what it has changed in closed bars stays."""
        if number not in self._armed:
            raise ValueError(f"fault must be one that is on, was {number}")
        del self._armed[number]

    def clear(self) -> None:
        """Take all faults back and lift the ban."""
        self._armed.clear()
        self._ban_until = 0.0

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults that were ordered and not taken back."""
        real = self._real()
        return [
            {"id": a.id, "on": a.within(real) and not a.spent(), "strikes": a.done,
             **a.fault.as_dict()}
            for a in self._armed.values()
        ]  # fmt: skip

    def of(self, kind: type[F]) -> Iterator[tuple[Armed, F]]:
        """Iterate over the faults of a class that are on now."""
        if not self._armed:
            return
        real = self._real()
        for armed in list(self._armed.values()):
            if isinstance(armed.fault, kind) and armed.within(real):
                yield armed, armed.fault

    def ordered(self, number: int) -> bool:
        """Tell whether a fault is on: neither over nor taken back."""
        armed = self._armed.get(number)
        return armed is not None and armed.within(self._real())

    def strike(self, armed: Armed, what: str, key: tuple[object, ...] | None = None) -> bool:
        """Take an occasion; a strike is noted."""
        if not armed.strikes(self._real(), key):
            return False
        self.note(armed.fault.kind, what)
        return True

    def note(self, kind: str, what: str) -> None:
        """Count a strike."""
        self.injected[kind] += 1
        self.log.append(Injection(self._now(), kind, what))

    def first(self, kind: type[F], what: str, symbol: str | None = None) -> F | None:
        """Return the first fault of a class that strikes on this occasion."""
        for armed, fault in self.of(kind):
            if fault.concerns(symbol) and self.strike(armed, what):
                return fault
        return None

    def banned(self) -> RateLimit | None:
        """Count a call and return the ban that it came inside of, with the time that is left."""
        self.calls += 1
        left = self._ban_until - self._real()
        if left <= 0:
            return None
        if self._real() < self._ban_told + ON_THEIR_WAY_S:
            self.calls_on_their_way += 1
        else:
            self.calls_in_ban += 1
        said = None if self._ban.retry_after_s is None else max(1, int(left) + (left > int(left)))
        return RateLimit(status=self._ban.status, retry_after_s=said)

    def struck(self, path: str, symbol: str | None) -> list[CallFault]:
        """Return the faults that strike a REST call; a rate limit begins its ban."""
        found = []
        for armed, fault in self.of(CallFault):
            if fault.meets(path) and fault.concerns(symbol) and self.strike(armed, path):
                found.append(fault)
                if isinstance(fault, RateLimit):
                    self._begin_ban(fault)
        return found

    def _begin_ban(self, fault: RateLimit) -> None:
        length = fault.ban_s if fault.ban_s is not None else float(fault.retry_after_s or 0)
        until = self._real() + length
        if self._ban_until <= self._real():
            self._ban_told = self._real()
        if until > self._ban_until:
            self._ban_until, self._ban = until, fault

    def maintained(self, what: str) -> bool:
        """Tell whether the exchange is down for maintenance."""
        return self.first(Maintenance, what) is not None

    def skew_ms(self) -> int:
        """Return how far the told time is off; noted once for each fault."""
        total = 0
        for armed, fault in self.of(ClockSkew):
            if not armed.done:
                self.strike(armed, f"{fault.by_ms} ms")
            total += fault.by_ms if armed.done else 0
        return total

    def delisted(self, symbol: str) -> bool:
        """Tell whether a symbol has stopped to trade; noted once a symbol."""
        for armed, fault in self.of(Delist):
            if fault.concerns(symbol):
                if symbol not in armed.targets:
                    armed.targets.add(symbol)
                    self.note(fault.kind, symbol)
                return True
        return False

    def of_bars(self) -> bool:
        """Tell whether any fault of bars is ordered."""
        return any(isinstance(a.fault, BarFault) for a in self._armed.values())
