"""What the parts of the exchange feed hand to each other."""

from dataclasses import dataclass

from opportunity.market.bars import FloatArray
from opportunity.market.notes import Values
from opportunity.market.timeframe import TimeArray


@dataclass(frozen=True, slots=True)
class Frame:
    """An update of one bar of the base timeframe that came by the stream.

    Parameters
    ----------
    row : int
        Index of the symbol.
    time : int
        Opening time, ms UTC, as told; not validated.
    values : tuple of 5 floats
        Open, high, low, close, volume, as told; NaN for what is no number.
    closed : bool or None
        Whether the venue says that the bar is final; None where it does not say.
    at : int
        Feed time of its arrival, ms UTC.
    raw : str
        The payload, cut, for a note when it is refused; empty where there is none.
    """

    row: int
    time: int
    values: Values
    closed: bool | None
    at: int
    raw: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Bars as a venue answered them over REST: not validated, in its order.

    `asked_at` is the feed's time just before the request went out, ms UTC: what a row says was
    true then or later. `times` has shape (n,), `values` (n, 5) with NaN for what is no number.
    """

    times: TimeArray
    values: FloatArray
    asked_at: int


@dataclass(frozen=True, slots=True)
class Want:
    """Bars of one symbol to ask REST for: opening times in [since, until)."""

    row: int
    since: int
    until: int


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What REST gave for a `Want`; rows outside of it may be there and count as well."""

    want: Want
    rows: Rows
