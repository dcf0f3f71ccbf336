"""How patient the exchange feed is, in one record."""

from dataclasses import dataclass
from typing import Final

from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.watch import Looks

GRACE_MS: Final = 2_000
"""After a bar's close by the exchange's clock, from when on a REST row of it is final."""

HOLD_MS: Final = 5_000
"""After a close, how long bars that are there wait for those of other symbols."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What may be set for a venue that is unlike others, or for a test.

    Parameters
    ----------
    patience : Patience or None
        With calls that fail.
    lines : LineSettings or None
        With streams that are silent; None: as the venue's speed wants it.
    looks : Looks or None
        How often the clock, the markets and the tickers are looked at.
    grace_ms, hold_ms : int or None
        See `GRACE_MS` and `HOLD_MS`; None: those, and more where time runs fast or every bar has
        to be asked for.
    """

    patience: Patience | None = None
    lines: LineSettings | None = None
    looks: Looks | None = None
    grace_ms: int | None = None
    hold_ms: int | None = None

    def waits(self, speed: float, length: int, exact: bool) -> tuple[int, int]:
        """Return grace and hold in ms of feed time.

        Parameters
        ----------
        speed : float
            Feed seconds a wall second: a market that runs fast gets more of its own time.
        length : int
            Of a base bar, ms.
        exact : bool
            Whether the stream says which bar is final; else each has to be asked for in turn.
        """
        grace = min(int(GRACE_MS * speed), max(GRACE_MS, length // 6))
        hold = min(int(HOLD_MS * speed), max(HOLD_MS, length // 2)) if exact else length * 2 // 3
        return (
            grace if self.grace_ms is None else self.grace_ms,
            hold if self.hold_ms is None else self.hold_ms,
        )
