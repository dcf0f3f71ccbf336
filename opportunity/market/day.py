"""Rings of the base bars of the last 24 hours, one for each symbol of a universe."""

from typing import Any

import numpy as np

from opportunity.kernels import kernel


@kernel
def add_bars(
    opens: Any, quote: Any, newest: Any, rows: Any, numbers: Any, values: Any
) -> None:
    """Write bars into their rings and empty the slots of bars that are missing before them.

    Parameters
    ----------
    opens, quote : ndarray of float64, shape (n_symbols, n_bars)
        Rings of opening prices and of traded values, NaN and 0 where there is no bar; bar
        `number` is at `number % n_bars`.
    newest : ndarray of int64, shape (n_symbols,)
        Number of each symbol's newest bar, 0 before the first.
    rows, numbers : ndarray of int64, shape (k,)
        Symbols and the numbers of their bars (opening time / length), > 0. A bar that is older
        than its ring reaches is left out.
    values : ndarray of float64, shape (k, 5)
        The bars.
    """
    n = opens.shape[1]
    for k in range(rows.size):
        row = rows[k]
        number = numbers[k]
        for missing in range(max(newest[row] + 1, number - n + 1), number):
            opens[row, missing % n] = np.nan
            quote[row, missing % n] = 0.0
        if number > newest[row] - n:
            opens[row, number % n] = values[k, 0]
            quote[row, number % n] = values[k, 3] * values[k, 4]
        newest[row] = max(newest[row], number)


@kernel
def first_opens(opens: Any, newest: Any, first: Any) -> None:
    """Fill `first` with the oldest opening price in each ring, NaN where there is none."""
    n = opens.shape[1]
    for row in range(newest.size):
        first[row] = np.nan
        place = newest[row] % n
        for _ in range(n if newest[row] > 0 else 0):
            place = place + 1 if place + 1 < n else 0
            first[row] = opens[row, place]
            if not np.isnan(first[row]):
                break
