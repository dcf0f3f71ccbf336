"""Bars that are not closed yet: the running base bar, joined with what has closed before it."""

from collections.abc import Mapping, Sequence
from typing import Any

from opportunity.feeds.base import Closed, Forming
from opportunity.market.bars import Bar
from opportunity.market.timeframe import Timeframe, open_ms

Running = tuple[Any, ...]
"""A base bar as prices travel: time, open, high, low, close, volume."""


def unfinished(
    closed: Bar | None, running: Running | None, newest: int, timeframe: Timeframe
) -> Bar | None:
    """Return the unfinished bar of a stream, the running base bar included.

    Parameters
    ----------
    closed : Bar or None
        What the closed base bars make of it so far.
    running : tuple or None
        The newest base bar that was heard of.
    newest : int
        Opening time of the newest base bar that is counted in `closed` or before it.
    timeframe : Timeframe
        Of the stream.
    """
    if running is None or running[0] <= newest:  # that bar has closed: it is counted already
        return closed
    live = Bar(*running)
    opened = open_ms(live.time, timeframe)
    if closed is None or opened > closed.time:
        return live._replace(time=opened)
    return Bar(
        closed.time,
        closed.open,
        max(closed.high, live.high),
        min(closed.low, live.low),
        live.close,
        closed.volume + live.volume,
    )


def newer(
    event: Closed | Forming, names: Sequence[str], known: Mapping[str, Running]
) -> dict[str, Running]:
    """Return the bars of an event by symbol, without those older than what is known.

    A bar that is closed late must not put the price back.
    """
    bars = zip(event.rows.tolist(), event.times.tolist(), event.values.tolist(), strict=True)
    fresh: dict[str, Running] = {}
    for row, time, bar in bars:
        before = known.get(names[row])
        if before is None or before[0] <= time:
            fresh[names[row]] = (time, *bar)
    return fresh
