"""Puts postings together that wait long: what is money stays, what only draws curves goes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.storage.books import Posting

Rows = NDArray[Any]


def merged(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return one posting for each book and epoch, in the order in which they first come.

    It holds all orders, fills, trades and events, and the newest account and positions. Points of
    equity curves and candidates but the newest posting's are let go.
    """
    found: dict[tuple[str, int], Posting] = {}
    for posting in postings:
        key = posting.book, posting.epoch
        found[key] = _joined(found[key], posting) if key in found else posting
    return tuple(found.values())


def _joined(old: Posting, new: Posting) -> Posting:
    """Return both as one; rows number symbols by the newer one's, which may hold fewer."""
    symbols = tuple(dict.fromkeys((*new.symbols, *old.symbols)))
    place = np.array([symbols.index(s) for s in old.symbols], np.int64)
    numbers, orders = old.orders[0], old.orders[1].copy()
    fills, trades = old.fills[1].copy(), old.trades[1].copy()
    for rows in (orders, fills, trades):
        rows["symbol"] = place[rows["symbol"]]
    still = ~np.isin(numbers, new.orders[0])
    return replace(
        new,
        symbols=symbols, since=old.after,
        positions={**old.positions, **new.positions},
        seen={**old.seen, **new.seen},
        orders=(
            np.concatenate([numbers[still], new.orders[0]]),
            np.concatenate([orders[still], new.orders[1]]),
        ),
        fills=_appended((old.fills[0], fills), new.fills),
        trades=_appended((old.trades[0], trades), new.trades),
        events=(*old.events, *new.events),
    )


def _appended(old: tuple[int, Rows], new: tuple[int, Rows]) -> tuple[int, Rows]:
    if not old[1].size:
        return new
    return old[0], np.concatenate([old[1], new[1]])
