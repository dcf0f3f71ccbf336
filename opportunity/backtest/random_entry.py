"""Entering at random: what as many trades, on the same sides and as long, give by luck alone."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.prices import Prices
from opportunity.backtest.trade_metrics import TradeArray, equity_at_entry
from opportunity.market.bars import FloatArray
from opportunity.trading.costs import Costs

N_DRAWS: Final = 1_000
CHUNK: Final = 1_000_000
"""Trades that are drawn at once, to bound memory."""


@dataclass(frozen=True, slots=True, eq=False)
class RandomEntries:
    """What entering at random bars would have given.

    Parameters
    ----------
    returns : ndarray of float64, shape (n_draws,)
        Total return of each draw, fraction.
    run : float
        That of the run, built up from its trades in the same way.
    beaten : float
        Share of draws that the run is better than, ties half, in [0, 1]; NaN without trades.
    """

    returns: FloatArray
    run: float
    beaten: float


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """What a run did, as far as a random baseline imitates it.

    Parameters
    ----------
    trades : array of TRADE
    time : ndarray of int64, shape (n_bars,)
        Closes of its equity, ms.
    equity : ndarray of float64, shape (n_bars,)
    cash : float
        Before the first bar.
    """

    trades: TradeArray
    time: NDArray[np.int64]
    equity: FloatArray
    cash: float


def random_entries(
    prices: Prices, traded: Traded, costs: Costs, n_draws: int = N_DRAWS, seed: int = 0
) -> RandomEntries:
    """Trade as often, on the same sides, as long and as large as a run, but at random bars.

    Each draw shuffles the trades of a symbol and puts them on random free bars of it, never two
    at once: bought at an open, sold at the close after as many bars as the trade was held. Sizes
    are fractions of the equity; stops, targets and funding are left out on both sides but for
    what they did to the run's own pnl.

    Parameters
    ----------
    prices : Prices
        Of the run's bars, warm-up left out.
    traded : Traded
    costs : Costs
    n_draws : int
        >= 1.
    seed : int
        The same seed draws the same entries.

    Raises
    ------
    ValueError
        If n_draws is below 1.

    Notes
    -----
    Source: the idea of Aronson, "Evidence-based technical analysis", Wiley, 2006 (Monte Carlo
    permutation), applied to entries.
    """
    if n_draws < 1:
        raise ValueError(f"n_draws must be >= 1, was {n_draws}")
    trades = traded.trades
    before = equity_at_entry(trades, traded.time, traded.equity, traded.cash)
    logs = np.zeros(n_draws)
    if not trades.size:
        return RandomEntries(logs, 0.0, float("nan"))
    rng = np.random.default_rng(seed)
    sizes = trades["quantity"] * trades["entry"] / before
    for s in np.unique(trades["symbol"]):
        mine = trades["symbol"] == s
        logs += _draw(_Line.of(prices, int(s)), trades[mine], sizes[mine], costs, (rng, n_draws))
    returns = np.expm1(logs)
    run = float(np.expm1(_log_growth(trades["pnl"] / before).sum()))
    beaten = float((returns < run).mean() + 0.5 * (returns == run).mean())
    return RandomEntries(returns, run, beaten)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Bars of one symbol without holes."""

    opened: NDArray[np.int64]
    opens: FloatArray
    closes: FloatArray

    @classmethod
    def of(cls, prices: Prices, s: int) -> "_Line":
        rows = np.isfinite(prices.closes[:, s])
        return cls(prices.opened[rows, s], prices.opens[rows, s], prices.closes[rows, s])

    def held(self, trades: TradeArray) -> NDArray[np.int64]:
        """Return how many bars each trade was held, >= 1."""
        entry = np.searchsorted(self.opened, trades["opened"])
        bars: NDArray[np.int64] = np.searchsorted(self.opened, trades["closed"]) - entry
        return np.maximum(bars, 1)


def _draw(
    line: _Line, trades: TradeArray, sizes: FloatArray, costs: Costs,
    draws: tuple[np.random.Generator, int],
) -> FloatArray:
    """Return the log growth of each draw from one symbol's trades."""
    rng, n_draws = draws
    n, k = line.opens.size, trades.size
    lengths = np.minimum(line.held(trades), n)
    free = max(n - int(lengths.sum()), 0)
    found = np.empty(n_draws)
    rows = max(CHUNK // k, 1)
    for a in range(0, n_draws, rows):
        some = min(rows, n_draws - a)
        order = rng.permuted(np.tile(np.arange(k), (some, 1)), axis=1)
        held = lengths[order]
        gaps = np.sort(rng.integers(0, free + 1, (some, k)), axis=1)
        start = np.minimum(gaps + np.cumsum(held, axis=1) - held, n - held)
        side = trades["side"][order]
        entry = line.opens[start] * (1.0 + side * costs.slip)
        left = line.closes[start + held - 1] * (1.0 - side * costs.slip)
        gain = side * (left / entry - 1.0) - costs.fee * (1.0 + left / entry)
        found[a : a + some] = _log_growth(sizes[order] * gain).sum(axis=1)
    return found


def _log_growth(changes: FloatArray) -> FloatArray:
    """Return the logarithm of growth; an equity that is gone stays gone."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(1.0 + changes, 0.0))
