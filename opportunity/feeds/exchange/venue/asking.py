"""Asks a venue again, after a random pause, while that makes sense."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

from opportunity.feeds.exchange.venue.failures import VenueError, classify
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.measured import MEASURED

T = TypeVar("T")


class Asker:
    """Carries out questions with retries; every error comes out as a `VenueError`.

    Parameters
    ----------
    venue : str
        Name, for texts.
    patience : Patience
        How often, and how long between.
    wall_ms : callable
        Wall time, ms UTC.
    """

    def __init__(self, venue: str, patience: Patience, wall_ms: Callable[[], int]) -> None:
        self._venue, self._patience, self._wall_ms = venue, patience, wall_ms

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a question.

        Raises
        ------
        VenueError
            The last one, if no attempt succeeded or a further one makes no sense.
        """
        attempts = 0

        def again(error: Exception) -> bool | float:
            nonlocal attempts
            attempts += 1
            if not isinstance(error, VenueError) or not error.retryable:
                return False
            wait = 0.0 if error.retry_at is None else (error.retry_at - self._wall_ms()) / 1000
            if wait > self._patience.wait_s:
                return False
            return max(wait, self._patience.pause_s(attempts))

        context = stamina.retry_context(on=again, attempts=self._patience.attempts, timeout=None)
        async for attempt in context:
            with attempt:
                return await self._once(ask)
        raise AssertionError("unreachable")

    async def _once(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        except VenueError:
            MEASURED.count("provider_errors", label=self._venue)
            raise
        except Exception as error:
            MEASURED.count("provider_errors", label=self._venue)
            raise classify(error, {}, self._wall_ms(), self._venue) from error
