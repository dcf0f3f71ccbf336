"""The returns of a run month by month."""

import numpy as np
import pandas as pd

from opportunity.backtest.curve_metrics import trace
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray

MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
)  # fmt: skip


def monthly_returns(time: TimeArray, equity: FloatArray, cash: float) -> pd.DataFrame:
    """Return a table of returns: a row per year, a column per month, and the whole year.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms UTC, ascending; what closes at midnight belongs to the day before.
    equity : ndarray of float64, shape (n_bars,)
    cash : float
        Before the first bar, > 0.

    Returns
    -------
    DataFrame
        Indexed by `year`, columns Jan to Dec and `year`; fractions, NaN for months without bars.
        Months of a year multiply to the year.
    """
    month = (time - 1).astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    last = np.append(np.flatnonzero(np.diff(month)), time.size - 1)
    returns = trace(time[last], equity[last], cash).returns
    years, months = month[last] // 12 + 1970, month[last] % 12
    rows = np.unique(years)
    table = np.full((rows.size, 13), np.nan)
    place = np.searchsorted(rows, years)
    table[place, months] = returns
    for row in range(rows.size):
        table[row, 12] = np.prod(1.0 + returns[place == row]) - 1.0
    index = pd.Index(rows, name="year")
    return pd.DataFrame(table, index=index, columns=[*MONTHS, "year"])
