"""What a run must beat to be worth anything: buying and holding, and entering at random.

Both pay the same costs as the run over the same bars.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.metrics import Metrics, Run, measure
from opportunity.backtest.prices import Prices
from opportunity.backtest.random_entry import N_DRAWS, RandomEntries, Traded, random_entries
from opportunity.backtest.result import BacktestResult
from opportunity.backtest.trade_metrics import TradeArray
from opportunity.market.bars import FloatArray
from opportunity.trading.costs import Costs
from opportunity.trading.records import ACCOUNT, END, TRADE


@dataclass(frozen=True, slots=True, eq=False)
class Baselines:
    """What a result is to be held against.

    Parameters
    ----------
    holding : Holding
        All symbols bought at the first open and sold at the last close.
    random : RandomEntries
        The same trades at random bars.
    """

    holding: "Holding"
    random: RandomEntries


def baselines_of(result: BacktestResult, n_draws: int = N_DRAWS, seed: int = 0) -> Baselines:
    """Work out both baselines of a result, on its bars, costs and cash.

    Parameters
    ----------
    result : BacktestResult
    n_draws : int
        Of random entries, >= 1.
    seed : int
        The same seed draws the same entries.
    """
    prices, setup = Prices.of_bars(result.bars), result.setup
    traded = Traded(result.trades, result.time, result.equity, setup.cash)
    return Baselines(
        buy_and_hold(prices, setup.costs, setup.cash),
        random_entries(prices, traded, setup.costs, n_draws, seed),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """What buying every symbol at the start and selling at the end gives.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
    equity : ndarray of float64, shape (n_bars,)
        At each close; the last after all is sold.
    metrics : Metrics
    """

    time: NDArray[np.int64]
    equity: FloatArray
    metrics: Metrics


def buy_and_hold(prices: Prices, costs: Costs, cash: float) -> Holding:
    """Put an equal share of the cash into each symbol at its first open; sell at its last close.

    Parameters
    ----------
    prices : Prices
        Of the run's bars, warm-up left out.
    costs : Costs
        Of each fill; the fee of the entry is paid out of the share.
    cash : float
        Before the first bar, quote currency > 0; the share of a symbol without bars stays cash.

    Raises
    ------
    ValueError
        If there is no bar or cash is not above zero.
    """
    n, n_symbols = prices.closes.shape
    if not n or not cash > 0.0:
        raise ValueError(f"bars and cash must be there, were {n} bars and cash {cash}")
    share = cash / n_symbols
    equity, held = np.zeros(n), np.zeros(n)
    trades = np.zeros(n_symbols, TRADE)
    for s in range(n_symbols):
        if np.isfinite(prices.closes[:, s]).any():
            worth, notional, trades[s] = _hold(prices, s, costs, share)
            equity += worth
            held += notional
        else:
            equity += share
    held[-1] = 0.0  # sold at the last close, as a run that ends is
    trades = trades[trades["side"] != 0]
    account = np.zeros((), ACCOUNT)
    for name in ("fees", "slippage"):
        account[name] = trades[name].sum()
    account["turnover"] = (trades["quantity"] * (trades["entry"] + trades["exit"])).sum()
    run = Run(prices.time, equity, cash, held, trades, account)
    return Holding(prices.time, equity, measure(run))


def _hold(
    prices: Prices, s: int, costs: Costs, share: float
) -> tuple[FloatArray, FloatArray, TradeArray]:
    """Return worth and notional of one symbol's share at each close, and its trade."""
    known = np.isfinite(prices.closes[:, s])
    first, last = np.flatnonzero(known)[[0, -1]]
    start, end = prices.opens[first, s], prices.closes[last, s]
    entry, left = start * (1.0 + costs.slip), end * (1.0 - costs.slip)
    quantity = share / (entry * (1.0 + costs.fee))
    newest = np.maximum.accumulate(np.where(known, np.arange(known.size), -1))
    notional = np.where(newest >= 0, quantity * prices.closes[np.maximum(newest, 0), s], 0.0)
    worth = np.where(newest >= 0, notional, share)
    worth[-1] = quantity * left * (1.0 - costs.fee)
    trade = np.zeros((), TRADE)
    trade["symbol"], trade["side"], trade["reason"] = s, 1, END
    trade["opened"], trade["closed"] = prices.opened[first, s], prices.time[-1]
    trade["entry"], trade["exit"], trade["quantity"] = entry, left, quantity
    trade["pnl"] = worth[-1] - share
    trade["fees"] = costs.fee * quantity * (entry + left)
    trade["slippage"] = quantity * (entry - start + end - left)
    trade["r"], trade["mae"], trade["mfe"] = np.nan, np.nan, np.nan
    trade["bars"], trade["n_fills"] = known.sum(), 2
    return worth, notional, trade
