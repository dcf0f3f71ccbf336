"""How streams get to where the feed is: from history, or on from a stored state."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from opportunity.feeds.base import Feed
from opportunity.live.day import Rows
from opportunity.live.streams import Streams
from opportunity.market.bars import FloatArray
from opportunity.market.figures import DayFigures
from opportunity.market.fold import NEVER
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms, open_ms

WARM_BARS: Final = 1_000
"""Bars of history that a stream starts from."""

CATCH_UP_BARS: Final = 1_000
"""Missed base bars that are read in one piece when a stored state goes on."""

MATERIAL: Final = 5e-4
MATERIAL_VOLUME: Final = 0.01
"""Changes of a bar, as fractions of its prices and of its volume, from which scores are others."""

Instants = Iterator[tuple[Rows, TimeArray, FloatArray]]


async def warm(
    feed: Feed,
    streams: Streams,
    start: int,
    offer: Callable[[Timeframe, TimeArray, FloatArray], None],
) -> None:
    """Run the newest history of every timeframe through fresh streams.

    Parameters
    ----------
    feed : Feed
        Open.
    streams : Streams
        That have seen no bar.
    start : int
        Feed time from which on bars will come, ms UTC.
    offer : callable
        Gets each timeframe and its history as well; see `Feed.histories`.
    """
    for timeframe in streams.timeframes:
        time, values = await feed.histories(timeframe, WARM_BARS, start)
        offer(timeframe, time, values)
        await asyncio.to_thread(streams.warm, timeframe, time, values)
    oldest = min(open_ms(start, t) for t in streams.timeframes)
    n = (start - oldest) // length_ms(feed.base)
    if n:
        time, values = await feed.histories(feed.base, n, start)
        await asyncio.to_thread(streams.prime, instants(time, values, oldest))
    streams.begin(start)
    streams.time = start


async def catch_up(
    feed: Feed,
    streams: Streams,
    start: int,
    advance: Callable[[Rows, TimeArray, FloatArray], object],
) -> None:
    """Give `advance` every base bar that closed since the streams' time, batch by batch.

    A symbol that was behind the others is given those that it lacked, too, `CATCH_UP_BARS` at
    most before that time.
    """
    base = length_ms(feed.base)
    known = np.maximum(streams.newest, streams.time - CATCH_UP_BARS * base)
    behind = (streams.newest > NEVER) & (known + base < streams.time)
    since = int(known[behind].min()) + base if behind.any() else streams.time
    while since < start:
        end = min(start, since + CATCH_UP_BARS * base)
        time, values = await feed.histories(feed.base, CATCH_UP_BARS, end)
        values = np.where((time > streams.newest[:, None])[..., None], values, np.nan)
        for rows, times, bars in instants(time, values, since - base + 1):
            advance(rows, times, bars)
            await asyncio.sleep(0)
        since = end
    streams.begin(start)
    streams.time = max(streams.time, start)


async def compare(feed: Feed, streams: Streams) -> tuple[Rows, int]:
    """Hold the newest bars of restored streams against history.

    A bar may have been corrected while nobody looked; and a market that is made up may be another
    one under the same name.

    Returns
    -------
    rows : ndarray of int64
        Symbols whose newest bar is materially another one.
    n_compared : int
        Symbols of which both tell a bar.
    """
    mine, newest = streams.newest_bars, streams.newest
    known = ~np.isnan(mine[:, 3])
    if not known.any():
        return np.empty(0, np.int64), 0
    base = length_ms(feed.base)
    first, end = int(newest[known].min()), int(newest[known].max()) + base
    n_bars = min(CATCH_UP_BARS, (end - first) // base)
    time, values = await feed.histories(feed.base, n_bars, end)
    there = time == newest[:, None]
    known &= there.any(axis=1)
    theirs = values[np.arange(len(values)), there.argmax(axis=1)]
    far = np.abs(theirs / np.where(mine == 0.0, 1.0, mine) - 1.0)
    far[mine == theirs] = 0.0
    changed = (far[:, :4] > MATERIAL).any(axis=1) | (far[:, 4] > MATERIAL_VOLUME)
    return np.flatnonzero(known & changed), int(known.sum())


async def feed_figures(feed: Feed, streams: Streams, day: DayFigures, start: int) -> None:
    """Fill what is told of the last day, and the drawdowns, from history."""
    n = max(1, DAY_MS // length_ms(feed.base))
    time, values = await feed.histories(feed.base, n, start)
    for rows, times, bars in instants(time, values, 0):
        day.feed(rows, times, bars)
    ranks = streams.drawdowns
    if ranks.timeframe is not None:
        _, values = await feed.histories(ranks.timeframe, ranks.n_bars, start)
        ranks.feed(np.arange(len(values)), values[:, :, 3])


def instants(time: TimeArray, values: FloatArray, since: int) -> Instants:
    """Cut histories into batches of bars that opened together, in order.

    Parameters
    ----------
    time : ndarray of int64, shape (n_symbols, n_bars)
        Opening times.
    values : ndarray of shape (n_symbols, n_bars, 5)
        Bars; NaN where there is none.
    since : int
        Bars that opened before are left out.

    Yields
    ------
    rows, times, values
        Symbol indices, opening times and bars of one batch.
    """
    rows, columns = np.nonzero(~np.isnan(values[:, :, 3]) & (time >= since))
    times = time[rows, columns]
    order = np.argsort(times, kind="stable")
    cuts = np.flatnonzero(np.diff(times[order])) + 1
    for part in np.split(order, cuts):
        if part.size:
            yield rows[part], times[part], values[rows[part], columns[part]]
