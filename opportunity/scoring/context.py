"""Context of a bar: the trend and the volatility that gate what detectors say.

The trend compares two exponential averages of the close. Their difference does not depend on
where the price axis begins, so both are taken of `close - first close`: reflected prices then
give the exactly negated difference, and a price of 1e8 costs no digits.

Source: Appel, *The Moving Average Convergence-Divergence Trading Method*, 1979 (the averages);
Wilder, *New Concepts in Technical Trading Systems*, 1978 (ATR).
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.ahead import AHEAD, fetch, lines, span
from opportunity.indicators.atr import ATR as ATR_STATE
from opportunity.indicators.atr import atr_step
from opportunity.indicators.average import EMA, ema_step
from opportunity.kernels import kernel

TREND, VOLATILITY, ATR = 0, 1, 2
"""Columns of the output row."""

FAST: Final = 12
SLOW: Final = 26
PERIOD: Final = 14

TREND_ATR: Final = 0.5
"""Distance of the averages, in ATR, that makes a trend."""

WINDOW: Final = 500
"""ATR values among which the newest one is ranked."""

NOISE: Final = 1e-12
"""Averages nearer than this part of the price's move since the first bar differ by rounding
only; in a market that stands still ATR falls below even that."""

LEAST: Final = 100
"""With fewer values there is no rank."""

CONTEXT: Final = np.dtype(
    [
        ("n", "i8"),
        ("first", "f8"),  # close of the first bar, the zero of the averages
        ("fast", EMA),
        ("slow", EMA),
        ("atr", ATR_STATE),
        ("seen", "i8"),  # ATR values so far
        ("ring", "f8", (WINDOW,)),
    ],
    align=True,
)
"""State of one stream; all bytes zero is a stream that has seen no bar."""

HOT: Final = lines(span(CONTEXT, "n", "ring"))
"""What nearly every bar reads: all of it; see `opportunity.detectors.ahead`."""


@kernel
def mid_rank(values: Any, n: Any, x: Any) -> Any:
    """Return the share of the first `n` values below `x`, ties counted half, in [0, 1]."""
    below = 0
    upto = 0
    # Two plain counts without a branch: the compiler turns them into vector compares.
    for i in range(n):
        below += values[i] < x
        upto += values[i] <= x
    return (below + upto) / (2.0 * n)


@kernel
def context_step(s: Any, high: Any, low: Any, close: Any, out: Any) -> None:
    """Advance one stream by one closed bar and write trend, volatility and ATR to `out`."""
    if s.n == 0:
        s.first = close
    s.n += 1
    x = close - s.first
    apart = ema_step(s.fast, FAST, x) - ema_step(s.slow, SLOW, x)
    atr = atr_step(s.atr, PERIOD, high, low, close)
    out[TREND] = np.nan
    out[VOLATILITY] = np.nan
    out[ATR] = atr
    if np.isnan(atr):
        return
    s.ring[s.seen % WINDOW] = atr
    s.seen += 1
    if s.seen >= LEAST:
        out[VOLATILITY] = mid_rank(s.ring, min(s.seen, WINDOW), atr)
    if s.n >= SLOW:
        trending = atr > 0.0 and abs(apart) > max(TREND_ATR * atr, NOISE * abs(x))
        out[TREND] = np.sign(apart) if trending else 0.0


@kernel
def context_run(states: Any, rows: Any, time: Any, values: Any, out: Any) -> None:
    """Drive `context_step` over streams and bars.

    Parameters
    ----------
    states : array of CONTEXT, shape (n_streams,)
        Changed in place.
    rows : ndarray of int64, shape (k,)
        Streams that the bars belong to.
    time : ndarray of int64, shape (k, n_bars)
        Opening times; not used, there so that every driver is called alike.
    values : ndarray of float64, shape (k, n_bars, 5)
        Closed bars; a NaN close is padding and is skipped.
    out : ndarray of float64, shape (k, n_bars, 3)
        Filled with: `TREND`, +1 or -1 where EMA 12 and EMA 26 of the close are more than
        `TREND_ATR` ATR apart, 0 where the market is ranging, NaN on the first 25 bars;
        `VOLATILITY`, the rank in [0, 1] of ATR 14 in its own last `WINDOW` values with itself,
        ties at their middle, NaN until there are `LEAST` (on the first 113 bars); `ATR`, quote
        currency, NaN on the first 14 bars. Rows of padding are left as they were.

    Notes
    -----
    Causal, one pass. Reflecting the prices negates the trend exactly and leaves the rest.
    """
    for k in range(rows.size):
        fetch(states, rows, k + AHEAD, HOT)
        state = states[rows[k]]
        for j in range(values.shape[1]):
            bar = values[k, j]
            if not np.isnan(bar[3]):
                context_step(state, bar[1], bar[2], bar[3], out[k, j])
