"""How much one WebSocket client may ask for, and how often."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opportunity.config import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the stream; times in seconds, sizes in bytes.

    Parameters
    ----------
    max_connections, max_of_user, max_of_address : int
        All together, of one user or token, from one address; the last two not for this machine,
        and 0 for any number.
    accepts_per_s, accepts_burst : float, int
        New connections, so that all who come back at once do not hold up the others.
    max_symbols : int
        That one connection may subscribe.
    max_message, rate_per_s, burst : int, float, int
        Of what a client sends.
    malformed, excess, strikes_s : int, int, float
        So many messages that are not understood, or over the rate, in so long end a connection.
    max_waiting, drain_s, send_buffer : int, float, int
        A client is slow when more waits for it, or nothing has left for so long.
    ping_s, status_s, throttle_s : float
        Between pings, between status messages, between signals of a symbol.
    n_events : int
        Events of a channel that are kept at hand for those who come back.
    reconnect_ms : tuple of int
        Bounds of the wait that is asked of clients when the server goes down.
    close_s : float
        How long their goodbye is waited for.
    """

    max_connections: int = 6_000
    max_of_user: int = 10
    max_of_address: int = 50
    accepts_per_s: float = 500.0
    accepts_burst: int = 500
    max_symbols: int = 50
    max_message: int = 64 * 1024
    max_waiting: int = 1 << 20
    drain_s: float = 8.0
    rate_per_s: float = 20.0
    burst: int = 20
    malformed: int = 20
    excess: int = 200
    strikes_s: float = 10.0
    ping_s: float = 20.0
    throttle_s: float = 0.25
    status_s: float = 15.0
    n_events: int = 256
    send_buffer: int = 64 * 1024
    reconnect_ms: tuple[int, int] = (500, 3_000)
    close_s: float = 1.0

    @classmethod
    def of(cls, settings: "Settings") -> "Limits":
        """Return those that the settings ask for."""
        return cls(
            max_connections=settings.max_connections,
            max_of_user=settings.max_connections_of_user,
            max_of_address=settings.max_connections_of_address,
            max_symbols=settings.max_symbols,
        )


class Bucket:
    """A token bucket: `burst` at once, `rate` per second after that."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._at = float(burst), now

    def take(self, now: float) -> float:
        """Take one token; return 0, or the seconds until there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


class Strikes:
    """Count offences within a sliding window."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit, self._window_s = limit, window_s
        self._times: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> bool:
        """Note an offence; return True when it fills the window."""
        self._times.append(now)
        return len(self._times) == self._limit and now - self._times[0] <= self._window_s
