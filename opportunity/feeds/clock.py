"""A feed's time: monotonic time times a speed, so that a year may pass in a minute."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from opportunity.market.wall import wall_ms as wall_ms

SLOWEST: Final = 0.1
FASTEST: Final = 1e7
_SLICE_S: Final = 0.05
"""Longest sleep in one piece: a change of speed is felt within it, from any thread."""


class Clock:
    """Time that starts at a chosen instant and runs at a chosen speed.

    Parameters
    ----------
    start_ms : int
        First instant, milliseconds UTC; `now` stays there until `start`.
    speed : float
        Feed seconds a real second, in [0.1, 1e7]; may be set at any time, from any thread.
    monotonic : callable
        Real time in seconds; passed in so that tests need not wait.
    sleep : callable
        Coroutine function that waits real seconds.
    """

    def __init__(
        self,
        start_ms: int,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._running = False
        # one tuple, swapped whole: a reader in another thread never sees half a change
        self._anchor = (monotonic(), float(start_ms), _check(speed))

    @property
    def speed(self) -> float:
        """Feed seconds a real second."""
        return self._anchor[2]

    @speed.setter
    def speed(self, speed: float) -> None:
        real = self._monotonic()
        self._anchor = (real, self._at(real), _check(speed))

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._running

    def start(self, at_ms: int | None = None) -> None:
        """Let time pass from now on, from `at_ms` if given; a running clock goes on."""
        if self._running and at_ms is None:
            return
        real = self._monotonic()
        feed = self._at(real) if at_ms is None else float(at_ms)
        self._anchor = (real, feed, self.speed)
        self._running = True

    def real(self) -> float:
        """Return real seconds, monotonic, from an arbitrary zero."""
        return self._monotonic()

    def now(self) -> int:
        """Return the feed's time, milliseconds UTC."""
        return int(self._at(self._monotonic()))

    def _at(self, real: float) -> float:
        since, feed, speed = self._anchor
        return feed + (real - since) * 1000.0 * speed if self._running else feed

    async def wait_until(self, at_ms: int, within_s: float | None = None) -> bool:
        """Wait until the feed's time is `at_ms`, or `within_s` real seconds if that is sooner.

        Returns
        -------
        bool
            Whether `at_ms` was reached.
        """
        deadline = None if within_s is None else self._monotonic() + within_s
        while True:
            real = self._monotonic()
            missing = at_ms - self._at(real)
            if missing <= 0:
                return True
            if deadline is not None and real >= deadline:
                return False
            wait = min(_SLICE_S, missing / 1000.0 / self.speed)
            if deadline is not None:
                wait = min(wait, deadline - real)
            await self._sleep(max(wait, 0.0002))


def _check(speed: float) -> float:
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(f"speed must be between {SLOWEST} and {FASTEST:g}, was {speed}")
    return float(speed)
