"""What a download did to one stream."""

from dataclasses import dataclass, field
from typing import Any, Final

from opportunity.feeds.exchange.history.sifting import Tally
from opportunity.feeds.exchange.history.spans import Span
from opportunity.market.timeframe import Timeframe, length_ms, utc_text

N_LISTED: Final = 5
"""Gaps that are listed, the largest."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A symbol and a timeframe to download."""

    symbol: str
    timeframe: Timeframe


@dataclass(slots=True)
class StreamReport:
    """What is stored of a stream after a download.

    Parameters
    ----------
    stream : Stream
        Which.
    span : tuple of int
        Opening times that were wanted, [start, end) in ms UTC.
    n_new : int
        Bars that are new or have another value than before.
    n_bars : int
        Bars that are stored in the span.
    first, last : int or None
        Their first and last opening time.
    missing : int
        Bars that are missing after the first one.
    gaps : tuple of spans
        Where, each span [start, end) in ms UTC.
    confirmed : bool
        Whether the venue was asked for every gap a second time.
    tally : Tally
        Pages, and rows that were left out.
    error : str
        Why it is not complete; empty when it is.
    note : str
        What a reader should know besides.
    """

    stream: Stream
    span: Span
    n_new: int = 0
    n_bars: int = 0
    first: int | None = None
    last: int | None = None
    missing: int = 0
    gaps: tuple[Span, ...] = ()
    confirmed: bool = True
    tally: Tally = field(default_factory=Tally)
    error: str = ""
    note: str = ""

    @property
    def largest(self) -> int:
        """Bars that are missing in the largest gap."""
        length = length_ms(self.stream.timeframe)
        return max(((end - start) // length for start, end in self.gaps), default=0)

    def listed(self) -> list[Span]:
        """Return the largest gaps, in the order of time."""
        return sorted(sorted(self.gaps, key=lambda g: g[0] - g[1])[:N_LISTED])

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON: times as ISO 8601, counts as numbers."""
        return {
            "symbol": self.stream.symbol,
            "timeframe": self.stream.timeframe,
            "bars": self.n_bars,
            "new": self.n_new,
            "first": None if self.first is None else utc_text(self.first),
            "last": None if self.last is None else utc_text(self.last),
            "missing": self.missing,
            "gaps": len(self.gaps),
            "largest_gap": self.largest,
            "gap_spans": [[utc_text(a), utc_text(b)] for a, b in self.listed()],
            "gaps_confirmed": self.confirmed,
            "pages": self.tally.pages,
            "refused_rows": self.tally.refused,
            "error": self.error or None,
            "note": self.note or None,
        }
