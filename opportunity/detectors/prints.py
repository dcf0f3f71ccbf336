"""The fold of a trade tape into minutes: volume by aggressor, and how much of it was large.

An order that takes several resting ones prints several times in one millisecond, so prints of
one side and millisecond are one. A minute's threshold comes from the prints before it.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.print_sizes import (
    MOST_AMOUNT,
    SIZES,
    bin_of,
    count_print,
    threshold,
    turn_to,
)
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

MINUTE: Final = np.dtype(
    [
        ("time", "i8"),  # opening time, ms UTC
        ("buy", "f8"),  # base currency taken by buyers
        ("sell", "f8"),
        ("volume_before", "f8"),  # printed before it on its day, UTC
        ("net_before", "f8"),  # the same, bought less sold
        ("large_buy", "f8"),  # of that, in prints above the threshold
        ("large_sell", "f8"),
        ("largest", "f8"),  # amount of the largest print, > 0 if a buyer's, < 0 if a seller's
        ("price", "f8"),  # its price, of its last part
        ("threshold", "f8"),  # 0 while unknown
        ("first", "i8"),  # number of its first print, counted from the start of the tape
        ("count", "i4"),  # prints
        ("kept", "i4"),  # 1 once it was handed over to be stored, or came from there
    ],
    align=True,
)
"""Prints of one minute; of one hour in the sums made of minutes, which know nothing before."""

TAPE: Final = np.dtype(
    [
        ("time", "i8"),  # newest print
        ("amount", "f8", (2,)),  # of this millisecond so far: buyers, sellers
        ("place", "i8", (2,)),  # numbers of those two prints
        ("sizes", SIZES),
    ],
    align=True,
)
"""What the fold remembers of one symbol; all bytes zero when fresh."""


@kernel
def first_bad(tape: Any, time: Any, price: Any, amount: Any) -> Any:
    """Return the place of the first print that is older than one before it or cannot be; or -1."""
    last = tape.time
    for i in range(time.size):
        fine = time[i] >= last and 0.0 < amount[i] <= MOST_AMOUNT and 0.0 < price[i] < np.inf
        if not fine:
            return i
        last = time[i]
    return -1


@kernel
def open_minute(tape: Any, minutes: Any, n: Any, start: Any, first: Any) -> None:
    """Begin minute number `n` at `start`."""
    turn_to(tape.sizes, start // HOUR_MS)
    m = minutes[n]
    m.time = start
    m.buy = 0.0
    m.sell = 0.0
    m.large_buy = 0.0
    m.large_sell = 0.0
    m.largest = 0.0
    m.price = 0.0
    m.threshold = threshold(tape.sizes)
    m.volume_before = 0.0
    m.net_before = 0.0
    if n > 0 and minutes[n - 1].time // DAY_MS == start // DAY_MS:
        last = minutes[n - 1]
        m.volume_before = last.volume_before + (last.buy + last.sell)
        m.net_before = last.net_before + (last.buy - last.sell)
    m.first = first
    m.count = 0
    m.kept = 0


@kernel
def restore_minute(
    tapes: Any, minutes: Any, n: Any, start: Any, first: Any, numbers: Any, sizes: Any
) -> None:
    """Make a minute that was stored the minute number `n`, and count its prints.

    Parameters
    ----------
    tapes : array of TAPE, shape (1,)
        Changed in place.
    minutes, n, start, first
        As of `open_minute`.
    numbers : ndarray, shape (8,)
        `buy`, `sell`, `large_buy`, `large_sell`, `count`, `largest`, `price`, `threshold`.
    sizes : ndarray of int64, shape (n_sizes, 2)
        Bins and how many prints fell into each.
    """
    tape = tapes[0]
    open_minute(tape, minutes, n, start, first)
    m = minutes[n]
    m.buy, m.sell, m.large_buy, m.large_sell = numbers[0], numbers[1], numbers[2], numbers[3]
    m.count = int(numbers[4])
    m.largest, m.price, m.threshold = numbers[5], numbers[6], numbers[7]
    m.kept = 1
    for i in range(sizes.shape[0]):
        count_print(tape.sizes, sizes[i, 0], sizes[i, 1])
    tape.time = start + MINUTE_MS
    tape.amount[0] = 0.0
    tape.amount[1] = 0.0


@kernel
def _merge(tape: Any, m: Any, k: Any, amount: Any, bins: Any, base: Any, n_prints: Any) -> Any:
    """Count a print, as part of the one of its side and millisecond; return how many there are.

    What was counted of that one before is replaced, so a minute is right after every print.
    """
    whole = tape.amount[k] + amount
    b = bin_of(whole)
    if tape.amount[k] > 0.0:
        place = tape.place[k] - base
        count_print(tape.sizes, bins[place], -1)
        bins[place] = b
    else:
        tape.place[k] = n_prints
        bins[n_prints - base] = b
        m.count += 1
        n_prints += 1
    count_print(tape.sizes, b, 1)
    tape.amount[k] = whole
    return n_prints


@kernel
def fold_prints(
    tape: Any, minutes: Any, n: Any, bins: Any, base: Any, n_prints: Any,
    time: Any, price: Any, amount: Any, side: Any,
) -> Any:  # fmt: skip
    """Fold prints into minutes.

    Parameters
    ----------
    tape : TAPE record
        Changed in place.
    minutes : array of MINUTE
        The first `n` are in use, the newest may still grow; room for those to come.
    bins : ndarray of uint16
        Size of each print; place `i` holds print number `base + i`. Room for those to come.
    n_prints : int
        Number of the next print.
    time, price, amount, side : ndarray, shape (n,)
        Prints that `first_bad` has nothing against.

    Returns
    -------
    n, n_prints : int
        As they are now.
    """
    for i in range(time.size):
        t = time[i]
        start = t - t % MINUTE_MS
        if n == 0 or start != minutes[n - 1].time:
            open_minute(tape, minutes, n, start, n_prints)
            n += 1
        m = minutes[n - 1]
        if t != tape.time:
            tape.time = t
            tape.amount[0] = 0.0
            tape.amount[1] = 0.0
        k = 0 if side[i] > 0 else 1
        before = tape.amount[k]
        n_prints = _merge(tape, m, k, amount[i], bins, base, n_prints)
        whole = tape.amount[k]
        large = 0.0
        if 0.0 < m.threshold < whole:
            large = amount[i] if before > m.threshold else whole
        if k == 0:
            m.buy += amount[i]
            m.large_buy += large
        else:
            m.sell += amount[i]
            m.large_sell += large
        if whole > abs(m.largest):
            m.largest = whole if k == 0 else -whole
            m.price = price[i]
    return n, n_prints


@kernel
def add_minute(total: Any, m: Any) -> None:
    """Add a minute, or an hour, to a sum."""
    total.buy += m.buy
    total.sell += m.sell
    total.large_buy += m.large_buy
    total.large_sell += m.large_sell
    total.count += m.count
    if m.threshold > 0.0:
        total.threshold = m.threshold
    if abs(m.largest) > abs(total.largest):
        total.largest = m.largest
        total.price = m.price


@kernel
def clear_minute(total: Any) -> None:
    """Make a sum empty."""
    total.buy = 0.0
    total.sell = 0.0
    total.large_buy = 0.0
    total.large_sell = 0.0
    total.count = 0
    total.threshold = 0.0
    total.largest = 0.0
    total.price = 0.0
