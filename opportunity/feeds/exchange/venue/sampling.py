"""Asks an exchange for its time."""

from collections.abc import Awaitable, Callable
from typing import Final

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.venue.answers import whole
from opportunity.feeds.exchange.venue.asking import Asker
from opportunity.feeds.exchange.venue.failures import VenueError, moment_ms
from opportunity.feeds.exchange.venue.skew import Sample
from opportunity.feeds.exchange.venue.transport import Trip, trip
from opportunity.market.timeframe import EARLIEST_MS, LATEST_MS

SAMPLES: Final = 5
"""Questions for the time that one measurement takes."""


class Sampler:
    """Takes samples of an exchange's clock.

    Parameters
    ----------
    venue : str
        Name, for texts.
    clock : Clock
        Gives monotonic time.
    wall_ms : callable
        Wall time, ms UTC.
    """

    def __init__(self, venue: str, clock: Clock, wall_ms: Callable[[], int]) -> None:
        self._venue, self._clock, self._wall_ms = venue, clock, wall_ms
        self._dated: Sample | None = None

    def note_date(self, seen: Trip) -> None:
        """Keep the date of an answer, for an exchange that cannot be asked for the time."""
        told = moment_ms({k.lower(): v for k, v in seen.headers.items()}.get("date", ""))
        if told is not None:  # whole seconds: half a one has passed since, on average
            self._dated = self._sample(round(told) + 500, seen)

    async def by_asking(
        self, ask: Asker, question: Callable[[], Awaitable[object]]
    ) -> list[Sample]:
        """Ask for the time some times."""

        async def once() -> Sample:
            seen = Trip()
            trip.set(seen)
            told = whole(await question())
            if not EARLIEST_MS <= told < LATEST_MS:
                raise VenueError(f"{self._venue} gave no time", "garbled")
            return self._sample(told, seen)

        return [await ask(once) for _ in range(SAMPLES)]

    def by_date(self) -> list[Sample]:
        """Return the date of the newest answer; this machine's time where there was none."""
        here = Sample(self._wall_ms(), self._clock.real(), float(self._wall_ms()))
        return [self._dated or here]

    def _sample(self, server: int, seen: Trip) -> Sample:
        middle = (seen.sent_at + seen.back_at) / 2
        ago = self._clock.real() - middle
        reach = (seen.back_at - seen.sent_at) / 2
        return Sample(server, middle, self._wall_ms() - ago * 1000.0, reach)
