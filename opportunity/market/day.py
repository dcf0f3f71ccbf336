"""Rings of the base bars of the last 24 hours, one for each symbol of a universe."""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

BLOCK: Final = 32
"""Slots of a ring that are added up by themselves: who keeps those sums adds few numbers anew."""


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


@kernel
def block_total(quote: Any, block: Any) -> Any:
    """Return what was traded in one block of a ring (n_bars,), added slot by slot."""
    total = 0.0
    for i in range(block * BLOCK, min((block + 1) * BLOCK, quote.size)):
        total += quote[i]
    return total


@kernel
def day_volumes(quote: Any, newest: Any, out: Any) -> None:
    """Fill `out` with what each ring (n_symbols, n_bars) holds, NaN where it holds no bar.

    A sum of the sums of its blocks: it hangs on what is in the ring, not on how it came in.
    """
    for row in range(newest.size):
        out[row] = np.nan
        if newest[row] > 0:
            total = 0.0
            for block in range((quote.shape[1] + BLOCK - 1) // BLOCK):
                total += block_total(quote[row], block)
            out[row] = total


@kernel
def running_volumes(quote: Any, numbers: Any, values: Any, known: Any, out: Any) -> None:
    """Fill `out` with what the ring of one symbol holds after so many bars.

    Parameters
    ----------
    quote : ndarray of float64, shape (n_bars,)
        The ring, empty.
    numbers, values : ndarray
        As in `add_bars`, of one symbol, ascending.
    known : ndarray of int64, shape (k,)
        Bars that are in it, ascending.
    out : ndarray of float64, shape (k,)
        The same bits as `day_volumes`; NaN where no bar is in it.
    """
    n = quote.size
    sums = np.zeros((n + BLOCK - 1) // BLOCK)
    newest = 0
    i = 0
    for k in range(known.size):
        while i < known[k]:
            number = numbers[i]
            for missing in range(max(newest + 1, number - n + 1), number):
                quote[missing % n] = 0.0
                sums[missing % n // BLOCK] = block_total(quote, missing % n // BLOCK)
            quote[number % n] = values[i, 3] * values[i, 4]
            sums[number % n // BLOCK] = block_total(quote, number % n // BLOCK)
            newest = number
            i += 1
        out[k] = np.nan
        if newest > 0:
            total = 0.0
            for block in range(sums.size):
                total += sums[block]
            out[k] = total
