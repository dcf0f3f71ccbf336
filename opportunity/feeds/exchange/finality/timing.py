"""The grid of the base bars and how patient the assembler is; all in feed time."""

from dataclasses import dataclass

from opportunity.market.timeframe import Timeframe, length_ms, offset_ms, open_ms


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths that decide when a bar is final and how long others wait for it, in ms.

    Parameters
    ----------
    base : Timeframe
        Timeframe of the bars.
    grace_ms : int
        After its close, how long a bar may still change at the venue, >= 0.
    hold_ms : int
        After their close, how long bars wait for those of other symbols, >= 0.

    Raises
    ------
    ValueError
        If a length is negative.
    """

    base: Timeframe
    grace_ms: int
    hold_ms: int

    def __post_init__(self) -> None:
        for name, value in (("grace_ms", self.grace_ms), ("hold_ms", self.hold_ms)):
            if value < 0:
                raise ValueError(f"{name} must be >= 0, was {value}")

    @property
    def length(self) -> int:
        """Length of a base bar."""
        return length_ms(self.base)

    @property
    def offset(self) -> int:
        """How far the grid is shifted from the epoch."""
        return offset_ms(self.base)

    def floor(self, time: int) -> int:
        """Return the opening time of the bar that holds the instant `time`."""
        return open_ms(time, self.base)

    def askable(self, time: int) -> int:
        """Return from when on REST may be asked for the bar that opens at `time`."""
        return time + self.length + self.grace_ms
