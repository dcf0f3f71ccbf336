"""How much one WebSocket client may ask for, and how often."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the stream; times in seconds, sizes in bytes."""

    max_connections: int = 500
    max_symbols: int = 50
    max_message: int = 64 * 1024
    max_waiting: int = 1 << 20
    drain_s: float = 10.0
    rate_per_s: float = 20.0
    burst: int = 20
    malformed: int = 20
    excess: int = 200
    strikes_s: float = 10.0
    ping_s: float = 20.0
    throttle_s: float = 0.25
    status_s: float = 15.0
    n_events: int = 256
    send_buffer: int = 256 * 1024
    reconnect_ms: tuple[int, int] = (500, 3_000)
    close_s: float = 1.0


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
