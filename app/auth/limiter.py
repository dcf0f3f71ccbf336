"""How often anybody may call: counted per token or user, else per address."""

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.api.problems import ApiError
from app.auth.roles import Caller
from opportunity.feeds.clock import wall_ms

POLICY: Final = "RateLimit-Policy"
LIMIT: Final = "RateLimit"
"""Names of the draft of the IETF's HTTPAPI group; it may yet change them."""

WINDOW_S: Final = 60
WRITES: Final = 4
"""One of so many requests may be a write."""

LOGINS_OF_ADDRESS: Final = 30
LOGINS_OF_USER: Final = 10
"""Tries a minute, of one address and of one user from one address."""

REFUSED: Final = 60
"""Requests a minute of one address with credentials that are worth nothing."""

NETWORK_BITS: Final = 64
"""Of an IPv6 address: one subscriber has so many of them that only the network tells who it is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left to a caller.

    Parameters
    ----------
    policy : str
        Name of the limit, e.g. ``default``.
    limit, remaining : int
        Requests in a window, and those that are left.
    reset_s : int
        Seconds until there is more.
    passes : bool
        Whether this request was within the limit.
    """

    policy: str
    limit: int
    remaining: int
    reset_s: int
    passes: bool

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {
            POLICY: f'"{self.policy}";q={self.limit};w={WINDOW_S}',
            LIMIT: f'"{self.policy}";r={self.remaining};t={self.reset_s}',
        }

    def problem(self) -> ApiError:
        """Return the 429 of a caller who has nothing left."""
        return ApiError(
            429, "too_many_requests",
            f"At most {self.limit} requests of this kind a minute; wait {self.reset_s} s.",
            headers=self.headers() | {"Retry-After": str(self.reset_s)},
            retry_after_s=self.reset_s,
        )  # fmt: skip


class Limiter:
    """Counts requests of the last minute.

    Parameters
    ----------
    per_minute : int
        Requests of one caller; 0 for any number. Logins are limited nevertheless.
    now_ms : callable, optional
        Wall time, ms UTC, for the seconds to wait.
    """

    def __init__(self, per_minute: int, now_ms: Callable[[], int] = wall_ms) -> None:
        self._now_ms = now_ms
        self._counts = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._items = {
            name: RateLimitItemPerMinute(n)
            for name, n in {
                "default": per_minute, "writes": max(1, per_minute // WRITES),
                "login": LOGINS_OF_ADDRESS, "user": LOGINS_OF_USER, "refused": REFUSED,
            }.items()
            if n
        }  # fmt: skip
        if not per_minute:
            self._items.pop("writes")

    def take(self, policy: str, key: str) -> Standing | None:
        """Count a request; None where there is no limit."""
        item = self._items.get(policy)
        if item is None:
            return None
        passes = self._counts.hit(item, policy, key)
        stats = self._counts.get_window_stats(item, policy, key)
        wait = max(1, math.ceil(stats.reset_time - self._now_ms() / 1_000))
        return Standing(policy, item.amount, stats.remaining, min(wait, WINDOW_S), passes)

    def admit(self, caller: Caller, address: str, writes: bool) -> Standing | None:
        """Count a request of a caller.

        Raises
        ------
        ApiError
            429 when it is one too many.
        """
        key = f"u:{caller.token or caller.name}" if caller.name else f"a:{place(address)}"
        return self._judge(self.take("writes" if writes else "default", key))

    def refuse(self, address: str) -> None:
        """Count credentials that are worth nothing; ApiError 429 when they are too many."""
        self._judge(self.take("refused", place(address)))

    def login(self, name: str, address: str) -> None:
        """Count a try to log in, before anything is looked at; ApiError 429 when it is too many."""
        where = place(address)
        self._judge(self.take("login", where))
        self._judge(self.take("user", f"{name.strip().casefold()[:64]}@{where}"))

    @staticmethod
    def _judge(standing: Standing | None) -> Standing | None:
        if standing is not None and not standing.passes:
            raise standing.problem()
        return standing


def place(address: str) -> str:
    """Return the address that counts: all of IPv4, the network of IPv6."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/{NETWORK_BITS}", strict=False))
    except ValueError:
        return address
