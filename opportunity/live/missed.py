"""Walks accounts through the bars that closed while nobody traded."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from opportunity.errors import CoverageError
from opportunity.feeds.base import Feed, pad
from opportunity.live.account import Account
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray, length_ms
from opportunity.storage.books import Posting

logger = structlog.get_logger(__name__)

PIECE: Final = 1_000
"""Base bars that are read and gone through in one piece."""

MOST_IDLE: Final = 10_000
"""Base bars that an account without positions is marked for one by one; more are one mark."""

Rows = NDArray[np.int64]
Put = Callable[[Sequence[Posting]], object]


async def walk(feed: Feed, accounts: Sequence[Account], start: int, put: Put) -> int:
    """Take accounts through all base bars that they missed, in order, up to a start.

    Only bars of what they hold are read. Batches are those that the feed would have given, as far
    as bars of what is held tell: one for each instant of the base grid.

    Parameters
    ----------
    feed : Feed
        Open; its `symbols` are those of the accounts.
    accounts : sequence of Account
    start : int
        Feed time from which on batches will come, ms UTC.
    put : callable
        Gets the postings of each instant, and of each piece at its end.

    Returns
    -------
    int
        How many instants were gone through.
    """
    late = [account for account in accounts if 0 <= account.time < start]
    if not late:
        return 0
    base = length_ms(feed.base)
    since = min(account.marked_at for account in late) // base * base
    held = any(account.active.size for account in late)
    if not held and start - since > MOST_IDLE * base:
        since = start - base
    n = 0
    while since < start:
        end = min(start, since + PIECE * base)
        times, values = await _history(feed, late, end, (end - since) // base)
        n += await asyncio.to_thread(_piece, late, (since, end, base), times, values, put)
        logger.info("missed bars worked in", until=end, of=start, instants=n)
        since = end
    return n


async def _history(
    feed: Feed, accounts: Sequence[Account], end: int, n: int
) -> tuple[TimeArray, FloatArray]:
    """Return the base bars of what is held; NaN for all other symbols, which are not asked for."""
    rows = np.unique(np.concatenate([account.active for account in accounts])).tolist()
    times = np.zeros((len(feed.symbols), n), np.int64)
    values = np.full((len(feed.symbols), n, 5), np.nan)
    bars = [await _bars(feed, feed.symbols[row], end, n) for row in rows]
    if bars:
        times[rows], values[rows] = pad(bars, n)
    return times, values


async def _bars(feed: Feed, symbol: str, end: int, n: int) -> Bars:
    try:
        return await feed.history(symbol, feed.base, n, end)
    except CoverageError:
        return Bars(np.empty(0, np.int64), np.empty((0, 5)))


def _piece(
    accounts: Sequence[Account], span: tuple[int, int, int], times: TimeArray,
    values: FloatArray, put: Put,
) -> int:
    since, end, base = span
    there = ~np.isnan(values[:, :, 3])
    n = 0
    for time in range(since + base, end + 1, base):
        rows, columns = np.nonzero(there & (times + base == time))
        postings = [
            account.miss(rows, times[rows, columns], time, values[rows, columns])
            for account in accounts
            if account.time < time or (account.seen(rows) < time).any()
        ]
        n += 1
        found = [posting for posting in postings if posting is not None]
        if found:
            put(found)
    put([account.note() for account in accounts])
    return n
