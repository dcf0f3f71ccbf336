"""Tells the pages how the line to the market is, also while nothing else comes from it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from opportunity.bus.memory import Hub
from opportunity.feeds.status import FeedStatus

TOPIC: Final = "feed"
LOOK_S: Final = 1.0

DETAIL_EVERY: Final = 10
"""Looks between two pictures of what moves all the time: delay and skew."""


class FeedWatch:
    """Publishes a feed's status when it changes.

    Parameters
    ----------
    status : callable
        The status now; None for a feed that has none, which is never told.
    hub : Hub
        Gets the newest status as the state `feed`.
    loop : asyncio.AbstractEventLoop
        Where it looks, once a second.
    """

    def __init__(
        self, status: Callable[[], FeedStatus | None], hub: Hub, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._status, self._hub, self._loop = status, hub, loop
        self._told: FeedStatus | None = None
        self._looks = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look now, and from now on."""
        self._timer = self._loop.call_later(LOOK_S, self.start)
        self.look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Publish the status if it says something new."""
        now, told = self._status(), self._told
        self._looks += 1
        if now is None or now == told:
            return
        if told is not None and self._looks % DETAIL_EVERY:
            same = replace(now, delay_ms=told.delay_ms, skew_ms=told.skew_ms)
            if same == told:
                return
        self._told = now
        self._hub.publish(TOPIC, "", now)
