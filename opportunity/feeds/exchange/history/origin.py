"""Where bars come from: which timeframe a venue is asked for, and whose market stored bars are."""

from collections.abc import Collection
from typing import Final, Literal, Protocol, overload

from opportunity.feeds.exchange.history.paging import Answering, Pager
from opportunity.feeds.exchange.history.shelf import Shelf
from opportunity.feeds.exchange.history.sifting import Tally, sift
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, divides, length_ms

N_COMPARED: Final = 3
"""Stored bars that are asked for again to see whether they are of the same market."""


class _Stamped(Answering, Protocol):
    stamp: str


@overload
def longest_within(
    venue: Answering, name: Timeframe, off: Collection[Timeframe], need: Literal[True] = True
) -> Timeframe: ...
@overload
def longest_within(
    venue: Answering, name: Timeframe, off: Collection[Timeframe], need: bool
) -> Timeframe | None: ...
def longest_within(
    venue: Answering, name: Timeframe, off: Collection[Timeframe], need: bool = True
) -> Timeframe | None:
    """Return the longest timeframe of a venue that `name` is made of: itself, if it has it.

    The longest, because a week of minutes is ten pages and a week of days seven rows; prices are
    the same.

    Parameters
    ----------
    venue : object
        Has `timeframes`.
    name : Timeframe
        What is wanted.
    off : collection of Timeframe
        What the venue gives off our grid.
    need : bool
        Whether to raise if there is none.

    Raises
    ------
    ValueError
        If the venue has no bars that `name` can be made of.
    """
    usable = [t for t in venue.timeframes if t not in off and divides(t, name)]
    if usable:
        return max(usable, key=length_ms)
    if need:
        raise ValueError(
            f"timeframe must be one that {venue.name} has or that its bars make "
            f"({', '.join(venue.timeframes)}), was {name}"
        )
    return None


async def same_market(venue: _Stamped, shelf: Shelf, pager: Pager) -> bool:
    """Tell whether stored bars can be of the market that the venue shows now.

    Always true of a real market. One that is made up may be another after each start, under the
    same name: then the newest stored bars are asked for again and compared.
    """
    held = shelf.held()
    if venue.stamp == venue.name or not held.n_bars:
        return True
    length = length_ms(shelf.timeframe)
    since, until = held.last - (N_COMPARED - 1) * length, held.last + length
    rows = await venue.bars(shelf.symbol, shelf.timeframe, since, N_COMPARED)
    found: Bars = sift(rows, shelf.timeframe, (since, until), pager.grace_ms, Tally()).bars
    return shelf.agrees(found)
