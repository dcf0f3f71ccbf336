"""Statistics over the trailing days of a series of records, as each record arrives.

A history is three arrays sorted by when its records happened. It keeps the last record of each
hour: how often a source is asked must not change what is usual. `absorb` puts records in one
after the other and measures the newest against the days before it; a record that comes late
takes its place in the past and never becomes the newest.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS

CHANGE, RANK, DEVIATION, GROWTH = range(4)
"""What `absorb` measures of the newest record."""

CHANGE_MS: Final = 7 * DAY_MS
CHANGE_SLACK_MS: Final = 3 * DAY_MS
RANK_MS: Final = 90 * DAY_MS
RANK_LEAST: Final = 90
USUAL_MS: Final = 30 * DAY_MS
USUAL_LEAST: Final = 30
USUAL_LEAST_MS: Final = 10 * DAY_MS
GROWTH_MS: Final = DAY_MS
GROWTH_SLACK_MS: Final = 6 * HOUR_MS

STILL: Final = 1e-9
"""A standard deviation (of logarithms) up to here is what rounding leaves of a constant."""


@kernel
def insert(events: Any, valid: Any, values: Any, n: Any, event: Any, since: Any, value: Any) -> Any:
    """Put a record where it belongs in time; of two in one hour the later stays.

    Parameters
    ----------
    events, valid, values : ndarray of shape (more than n,)
        The history, changed in place; see the module.
    n : int
        Records in it.
    event, since : int
        When it happened and from when on it ages, ms UTC.
    value : float
        What it says.

    Returns
    -------
    int
        Records in the history afterwards.
    """
    i = n
    while i > 0 and events[i - 1] // HOUR_MS > event // HOUR_MS:
        i -= 1
    if i > 0 and events[i - 1] // HOUR_MS == event // HOUR_MS:
        if event >= events[i - 1]:
            events[i - 1] = event
            valid[i - 1] = since
            values[i - 1] = value
        return n
    for k in range(n, i, -1):
        events[k] = events[k - 1]
        valid[k] = valid[k - 1]
        values[k] = values[k - 1]
    events[i] = event
    valid[i] = since
    values[i] = value
    return n + 1


@kernel
def change(events: Any, values: Any, n: Any, back: Any, slack: Any) -> Any:
    """Return the newest value minus that of `back` ms before it; NaN where none is near enough.

    The other value may be up to `slack` ms older than asked, never younger.
    """
    wanted = events[n - 1] - back
    i = n - 1
    while i >= 0 and events[i] > wanted:
        i -= 1
    if i < 0 or events[i] < wanted - slack:
        return np.nan
    return values[n - 1] - values[i]


@kernel
def rank(events: Any, values: Any, n: Any) -> Any:
    """Return where the newest value stands among those of `RANK_MS`, in (-1, 1).

    `2 p - 1` with p the percentile by mid-rank: of equal values half count as below. NaN for
    fewer than `RANK_LEAST` records.
    """
    newest = values[n - 1]
    less = 0
    more = 0
    i = n - 1
    while i >= 0 and events[i] > events[n - 1] - RANK_MS:
        less += values[i] < newest
        more += values[i] > newest
        i -= 1
    count = n - 1 - i
    return (less - more) / count if count >= RANK_LEAST else np.nan


@kernel
def deviation(events: Any, values: Any, n: Any) -> Any:
    """Return how many standard deviations the newest value is from the mean of `USUAL_MS`.

    The newest counts too. 0 for a series that stands still; NaN for fewer than `USUAL_LEAST`
    values, or less than `USUAL_LEAST_MS` of them. Values that are NaN are passed over.
    """
    total = 0.0
    count = 0
    first = events[n - 1]
    i = n - 1
    while i >= 0 and events[i] > events[n - 1] - USUAL_MS:
        if not np.isnan(values[i]):
            total += values[i]
            count += 1
            first = events[i]
        i -= 1
    if count < USUAL_LEAST or events[n - 1] - first < USUAL_LEAST_MS:
        return np.nan
    mean = total / count
    squares = 0.0
    for k in range(i + 1, n):
        if not np.isnan(values[k]):
            squares += (values[k] - mean) ** 2
    spread = np.sqrt(squares / count)
    return (values[n - 1] - mean) / spread if spread > STILL else 0.0


@kernel
def growth(events: Any, values: Any, n: Any, scratch: Any) -> Any:
    """Return the `deviation` of the change over `GROWTH_MS`; at most 0 where it did not grow.

    Parameters
    ----------
    events, values : ndarray
        The history; values are logarithms.
    n : int
        Records in it.
    scratch : ndarray of shape (at least n,)
        Room for the changes.
    """
    first = n - 1
    while first > 0 and events[first - 1] > events[n - 1] - USUAL_MS:
        first -= 1
    j = n - 1
    for i in range(n - 1, first - 1, -1):
        while j >= 0 and events[j] > events[i] - GROWTH_MS:
            j -= 1
        near = j >= 0 and events[j] >= events[i] - GROWTH_MS - GROWTH_SLACK_MS
        scratch[i] = values[i] - values[j] if near else np.nan
    z = deviation(events[first:n], scratch[first:n], n - first)
    return z if scratch[n - 1] > 0.0 else min(z, 0.0)


@kernel
def absorb(
    what: Any, events: Any, valid: Any, values: Any, scratch: Any, n: Any,
    new_events: Any, new_valid: Any, new_values: Any, out: Any,
) -> Any:  # fmt: skip
    """Put records into a history one after the other; measure the newest after each.

    Parameters
    ----------
    what : int
        `CHANGE`, `RANK`, `DEVIATION` or `GROWTH`.
    events, valid, values, scratch : ndarray of shape (at least n + n_new,)
        The history, changed in place, and room to work in.
    n : int
        Records in the history.
    new_events, new_valid, new_values : ndarray of shape (n_new,)
        The records in the order in which they became known.
    out : ndarray of shape (n_new, 3)
        Filled with the measure, the change where that is asked for (else NaN), and from when
        on the newest record ages.

    Returns
    -------
    int
        Records in the history afterwards.
    """
    for k in range(new_events.size):
        n = insert(events, valid, values, n, new_events[k], new_valid[k], new_values[k])
        out[k, 1] = np.nan
        if what == CHANGE:
            out[k, 0] = values[n - 1]
            out[k, 1] = change(events, values, n, CHANGE_MS, CHANGE_SLACK_MS)
        elif what == RANK:
            out[k, 0] = rank(events, values, n)
        elif what == DEVIATION:
            out[k, 0] = deviation(events, values, n)
        else:
            out[k, 0] = growth(events, values, n, scratch)
        out[k, 2] = valid[n - 1]
    return n
