"""How the line to a market is, for people and for `/api/status`."""

from dataclasses import dataclass
from typing import Literal

LineState = Literal["connecting", "live", "polling", "recovering", "limited", "banned", "down"]
"""`polling`: over REST because the venue has no stream; `limited`: the venue asked to wait."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed's line to its market; times are ms UTC of the wall clock.

    Parameters
    ----------
    state : str
        See `LineState`.
    text : str
        One plain line for people; holds no address and no secret.
    since : int
        When the state began.
    retry_at : int or None
        When the venue will be asked again.
    n_reconnects, n_corrections, n_refused : int
        Since the start: lines opened anew, bars corrected after they were given, rows refused.
    delay_ms : float or None
        From the close of the newest batch to its release, median of the last batches; feed time.
    skew_ms : int or None
        The exchange's clock minus this machine's.
    """

    state: LineState
    text: str
    since: int
    retry_at: int | None = None
    n_reconnects: int = 0
    n_corrections: int = 0
    n_refused: int = 0
    delay_ms: float | None = None
    skew_ms: int | None = None
