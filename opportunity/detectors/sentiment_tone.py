"""The mean tone of headlines about a symbol, as of any close."""

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.sentiment_series import STALE, Latest, freshness
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import HOUR_MS, TimeArray

HALF_LIFE_MS: Final = 12 * HOUR_MS
WINDOW_MS: Final = int(STALE) * HALF_LIFE_MS
MARKET_SHARE: Final = 0.4
"""What a headline about the whole market weighs for each symbol."""


@kernel
def _blend(
    own: Any, own_known: Any, every: Any, every_known: Any, closed: Any, memory: Any, out: Any
) -> None:
    for k in range(closed.size):
        out[k, 0] = np.nan
        out[k, 1] = np.nan
        newest = max(own_known[k], every_known[k])
        if newest < 0 or closed[k] - newest > memory:
            continue
        total = 0.0
        weight = 0.0
        # what was there 48 hours ago has gone, though the sums still hold it
        if own_known[k] >= 0:
            worth = freshness(closed[k] - own_known[k], HALF_LIFE_MS)
            total += worth * own[k, 0]
            weight += worth * own[k, 1]
        if every_known[k] >= 0:
            worth = MARKET_SHARE * freshness(closed[k] - every_known[k], HALF_LIFE_MS)
            total += worth * every[k, 0]
            weight += worth * every[k, 1]
        out[k, 1] = freshness(closed[k] - newest, HALF_LIFE_MS)
        if weight > 0.0:
            out[k, 0] = total / weight


class Tones:
    """Headlines by key, and those about the whole market, which count less for every key.

    Parameters
    ----------
    n_keys : int
        Number of keys.

    Notes
    -----
    `sum w t / sum w` over the headlines of the last 48 hours, w halving every 12 hours from
    when each became known. A new headline renews the freshness of the whole.
    """

    def __init__(self, n_keys: int) -> None:
        self._market = n_keys
        self._latest = Latest(n_keys + 1, 2)
        self._items: dict[int, deque[tuple[int, float]]] = {}

    def add(self, keys: tuple[int, ...], known: int, tone: float) -> None:
        """Take a headline about some keys; about the whole market without any.

        Parameters
        ----------
        keys : tuple of int
            Distinct.
        known : int
            When it became known, ms UTC, never before that of the headline before.
        tone : float
            In [-1, 1].
        """
        for key in keys or (self._market,):
            items = self._items.setdefault(key, deque())
            items.append((known, tone))
            while items[0][0] < known - WINDOW_MS:
                items.popleft()
            times, tones = np.array(items).T
            weights = np.exp2((times - known) / HALF_LIFE_MS)
            sums = np.array([[(weights * tones).sum(), weights.sum()]])
            self._latest.append(key, np.array([known]), sums)

    def write(
        self, keys: NDArray[np.int64], closed: TimeArray, memory_ms: int, out: FloatArray
    ) -> None:
        """Write mean tone and freshness at each close into `out`, (n, 2); see `Series.write`."""
        own, own_known = self._latest.at(keys, closed)
        every, every_known = self._latest.at(np.full(keys.size, self._market), closed)
        _blend(own, own_known, every, every_known, closed, memory_ms, out)

    def forget(self, before: int) -> None:
        """Drop what no close from `before` on can need."""
        self._latest.forget(before)
