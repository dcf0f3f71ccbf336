"""Records of what was judged: the counter of trials speaks in them, and SQL keeps them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """Vectors that were judged together on one dataset.

    Parameters
    ----------
    dataset : str
        Digest of the data.
    key : str
        Digest of the vectors and of what they were judged under: the same work done again is no
        new trial.
    kind : str
        What judged them: ``backtest``, ``sweep``, ``search``, ``walk_forward``, ``what_if`` ...
    at : int
        When, ms UTC.
    n : int
        Vectors, >= 1.
    bars : int
        Returns of each, >= 0.
    valued : int
        Vectors with a Sharpe ratio; those that never traded have none.
    best, mean : float
        Of their Sharpe ratios of single bars; NaN without any.
    squares : float
        Sum of squared distances from the mean.
    """

    dataset: str
    key: str
    kind: str
    at: int
    n: int
    bars: int
    valued: int
    best: float
    mean: float
    squares: float


@dataclass(frozen=True, slots=True)
class TrialCount:
    """Everything that was ever tried on one dataset.

    Parameters
    ----------
    n : int
        Vectors judged, each time it was under other terms or on another span.
    best : float
        Highest Sharpe ratio of single bars; NaN without any.
    deviation : float
        Sample standard deviation, across trials, of Sharpe ratio times root of bars; NaN below
        two.
    first, last : int
        When, ms UTC; 0 without any.
    """

    n: int = 0
    best: float = math.nan
    deviation: float = math.nan
    first: int = 0
    last: int = 0

    def variance(self, bars: int) -> float:
        """Return the variance across trials of Sharpe ratios of single bars, over `bars` returns.

        A ratio over few bars scatters more than one over many, as one by their number. Trials on
        parts of the data are brought to the same length before they are put together.

        Raises
        ------
        ValueError
            If `bars` is below 1.
        """
        if bars < 1:
            raise ValueError(f"bars must be >= 1, was {bars}")
        return self.deviation**2 / bars
