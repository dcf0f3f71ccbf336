"""How the line to an exchange is, in one record for people."""

from collections import deque
from collections.abc import Callable, Iterable
from statistics import median
from typing import Final

from opportunity.feeds.base import Closed
from opportunity.feeds.exchange.lines.lines import Lines
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.feeds.status import FeedStatus, LineState
from opportunity.market.notes import BarNote

HELD: Final[dict[str, tuple[LineState, str]]] = {
    "banned": ("banned", "has locked this address out: nothing is asked until it is over"),
    "limited": ("limited", "asked to wait: nothing is asked until it is over"),
    "failing": ("down", "does not answer: it is left alone for a while"),
}
"""State and words by the reason for which the gate is shut."""

N_BATCHES: Final = 50
"""Batches that the usual delay is taken from."""


class Health:
    """Puts together what the gate, the lines and the assembler know.

    Parameters
    ----------
    venue : Venue
        Its gate knows of bans and failures.
    wall : callable
        Wall time in ms UTC.
    """

    def __init__(self, venue: Venue, wall: Callable[[], int]) -> None:
        self._venue, self._wall = venue, wall
        self._lines: Lines | None = None
        self._failure = ""
        self._delays: deque[int] = deque(maxlen=N_BATCHES)
        self._corrections = self._refused = 0
        self._state: LineState = "connecting"
        self._since = wall()

    def failed(self, error: VenueError) -> None:
        """Note that the exchange could not be opened."""
        self._failure = str(error)

    def follow(self, lines: Lines) -> None:
        """From now on the lines tell: the exchange is open."""
        self._lines, self._failure = lines, ""

    def released(self, batch: Closed, now: int) -> None:
        """Note when a batch went out, feed time in ms."""
        if not batch.late.any():
            self._delays.append(now - batch.time)

    def count(self, notes: Iterable[BarNote]) -> None:
        """Count what happened to single bars."""
        for note in notes:
            self._corrections += note.revision > 0  # after it was given
            self._refused += note.kind == "refused"

    @property
    def skew_ms(self) -> int:
        """The exchange's clock minus this machine's; 0 where its time runs at another speed."""
        return self._venue.skew_ms if self._venue.speed == 1.0 else 0

    def status(self) -> FeedStatus:
        """Return how the line is now."""
        state, text, retry_at = self._judged()
        if state != self._state:
            self._state, self._since = state, self._wall()
        return FeedStatus(
            state=state,
            text=text,
            since=self._since,
            retry_at=retry_at,
            n_reconnects=0 if self._lines is None else self._lines.n_reconnects,
            n_corrections=self._corrections,
            n_refused=self._refused,
            delay_ms=median(self._delays) if self._delays else None,
            skew_ms=self.skew_ms,
        )

    def _judged(self) -> tuple[LineState, str, int | None]:
        name, gate = self._venue.name, self._venue.gate
        until, why = gate.paused_until, gate.why
        if until is not None and until > self._wall():
            until = -(-until // 1000) * 1000  # it is measured anew each time, to the millisecond
            state, text = HELD.get(why, HELD["failing"])
            return state, f"{name} {text}", until
        if self._failure:
            return "down", self._failure, None
        line = "connecting" if self._lines is None else self._lines.state
        if line == "unsupported":
            return "polling", f"{name} has no stream of bars: asked over REST", None
        if line == "live":
            return "live", f"{name} streams", None
        if line == "connecting":
            return "connecting", f"{name} is being connected", None
        return "recovering", f"the stream of {name} is being opened again", None
