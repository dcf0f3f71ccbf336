"""How unusual a symbol's present drawdown is for itself: one of the four parts of its risk."""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import DAY_MS, HOUR_MS, Timeframe, length_ms
from opportunity.scoring.context import mid_rank

WINDOW_DAYS: Final = 30
N_RANKED: Final = 500
LEAST_RANKED: Final = 100


def window_bars(timeframe: Timeframe) -> int:
    """Return how many bars of a timeframe make 30 days (at least one)."""
    return max(1, WINDOW_DAYS * DAY_MS // length_ms(timeframe))


def needed_bars(timeframe: Timeframe) -> int:
    """Return how many bars `drawdown_rank` reads at most."""
    return window_bars(timeframe) + N_RANKED - 1


def drawdown_rank(bars: Bars) -> float:
    """Rank the present 30-day drawdown in its own last 500 values.

    The drawdown of a bar is 1 - close / highest close of the 30 days that end with it (counted
    in bars: gaps are read across). Its rank is the share of the last 500 drawdowns, the present
    one among them, that are smaller, ties counting half.

    Parameters
    ----------
    bars : Bars
        Closed bars of a timeframe of 1h or longer: the finest at hand.

    Returns
    -------
    float
        In (0, 1); near 1 when the symbol is as deep under its high as it has been. NaN with
        fewer than 100 drawdowns to compare.

    Raises
    ------
    ValueError
        If the timeframe is unknown or shorter than 1h.
    """
    if bars.timeframe is None or length_ms(bars.timeframe) < HOUR_MS:
        raise ValueError(f"timeframe must be 1h or longer, was {bars.timeframe}")
    return rank_closes(bars.close[-needed_bars(bars.timeframe):], bars.timeframe)


def rank_closes(closes: FloatArray, timeframe: Timeframe) -> float:
    """Return `drawdown_rank` of the closes of at most `needed_bars` bars, oldest first."""
    n_window = window_bars(timeframe)
    n_values = closes.size - n_window + 1
    if n_values < LEAST_RANKED:
        return float("nan")
    values = np.empty(n_values)
    drawdowns(np.ascontiguousarray(closes), n_window, values, np.empty(closes.size, np.int64))
    return float(mid_rank(values, n_values, values[-1]))


@kernel
def drawdowns(closes: Any, n_window: Any, values: Any, queue: Any) -> None:
    """Fill the drawdown from the highest of `n_window` closes, for every full window.

    `queue` holds the places of closes that may still be the highest, falling; (n_closes,).
    """
    head = 0
    tail = 0
    for i in range(closes.size):
        while tail > head and closes[queue[tail - 1]] <= closes[i]:
            tail -= 1
        queue[tail] = i
        tail += 1
        if queue[head] <= i - n_window:
            head += 1
        if i >= n_window - 1:
            values[i - n_window + 1] = 1.0 - closes[i] / closes[queue[head]]


HIGHEST: Final = np.dtype([("n", "i8"), ("high", "f8"), ("high_at", "i8")], align=True)
"""Closes of a symbol so far, and the highest of its ring with its place."""


@kernel
def rank_step(s: Any, closes: Any, drawdowns: Any, close: Any) -> Any:
    """Take the next close of a symbol; return the rank of its drawdown, NaN while unknown."""
    place = s.n % closes.size
    closes[place] = close
    s.n += 1
    if close >= s.high:
        s.high = close
        s.high_at = place
    elif place == s.high_at:  # the highest close has just left the window
        s.high = close
        for i in range(closes.size):
            if closes[i] > s.high:
                s.high = closes[i]
                s.high_at = i
    seen = s.n - closes.size + 1
    if seen < 1:
        return np.nan
    drawdown = 1.0 - close / s.high
    drawdowns[(seen - 1) % drawdowns.size] = drawdown
    if seen < LEAST_RANKED:
        return np.nan
    return mid_rank(drawdowns, min(seen, drawdowns.size), drawdown)


@kernel
def rank_rows(
    states: Any, closes: Any, drawdowns: Any, rows: Any, values: Any, ranks: Any
) -> None:
    """Drive `rank_step` over symbols and closes.

    Parameters
    ----------
    states : array of HIGHEST, shape (n_symbols,)
        Changed in place; all bytes zero before the first close.
    closes : ndarray of float64, shape (n_symbols, n_window)
        Ring of the last closes, changed in place.
    drawdowns : ndarray of float64, shape (n_symbols, N_RANKED)
        Ring of the last drawdowns, changed in place.
    rows : ndarray of int64, shape (k,)
        Symbols that the closes belong to.
    values : ndarray of float64, shape (k, n)
        Closes, oldest first; NaN is padding and is skipped.
    ranks : ndarray of float64, shape (n_symbols,)
        Filled with what `rank_closes` would return of all closes so far, bit for bit.
    """
    for k in range(rows.size):
        row = rows[k]
        for i in range(values.shape[1]):
            if not np.isnan(values[k, i]):
                ranks[row] = rank_step(states[row], closes[row], drawdowns[row], values[k, i])
