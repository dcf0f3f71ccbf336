"""What the best of a search was chosen from, for guards: daily returns of many vectors."""

from typing import Any, Final

import numpy as np

from opportunity.backtest.curve_metrics import days_of
from opportunity.backtest.judge import Judge
from opportunity.backtest.search import Found, as_judge, confirm
from opportunity.backtest.searched import SearchResult
from opportunity.backtest.splits import Steps
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.trading.setup import TradeSetup

PEERS: Final = 40
"""Vectors beside the best: enough for the probability of overfitting."""


def peers_of(
    found: SearchResult,
    history: Any,
    setup: TradeSetup | Judge | None = None,
    n: int = PEERS,
) -> FloatArray:
    """Run the best vector of a search and others of it again; return the returns of their days.

    Parameters
    ----------
    found : SearchResult
    history : History
        On which was searched.
    setup : TradeSetup, optional
        Under which was searched.
    n : int
        Others, evenly from all that were judged, >= 1; fewer where fewer were.

    Returns
    -------
    ndarray of float64, shape (n_days, 1 + n)
        The best first; as `matrix` of `evidence_of`.

    Raises
    ------
    ValueError
        If the search found no best, was on another history, or `n` is below 1.
    ParityError
        If a vector does not end as it did in the search: the setup is another one.
    """
    if n < 1:
        raise ValueError(f"n must be >= 1 vector, was {n}")
    if found.best < 0:
        raise ValueError("found must have a best vector, had none: every one had too few trades")
    if history.digest != found.digest:
        raise ValueError(
            f"history must be the one that was searched, {found.digest[:12]}, "
            f"was {history.digest[:12]}"
        )
    judge, span = as_judge(setup), Steps(history.start_batch, len(history.batches))
    judged = Found(found.matrix, found.values, found.verdicts)
    others = np.delete(np.arange(len(found.matrix)), found.best)
    picked = np.linspace(0, others.size - 1, min(n, others.size)).astype(np.int64)
    length = length_ms(history.base)
    columns = [
        days_of(found.time, confirm(history, judge, span, judged, row), found.cash, length)
        for row in (found.best, *others[picked].tolist())
    ]
    return np.stack(columns, axis=1)
