"""What the closed trades of a run tell: wins and losses, R multiples, excursions, durations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.curve_metrics import NAN, dispersion, divide
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.records import TRADE

TradeArray = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class TradeMetrics:
    """Counts, money and shares of closed trades; fields as `Metrics` explains them."""

    trades: int
    long_trades: int
    short_trades: int
    wins: int
    losses: int
    win_rate: float
    profit_factor: float
    expectancy: float
    avg_win: float
    avg_loss: float
    largest_win: float
    largest_loss: float
    max_consecutive_wins: int
    max_consecutive_losses: int
    avg_trade_ms: float
    avg_trade_bars: float
    avg_r: float
    best_r: float
    worst_r: float
    sqn: float
    avg_mae: float
    avg_mfe: float
    kelly: float


def measure_trades(trades: TradeArray) -> TradeMetrics:
    """Measure closed trades.

    Parameters
    ----------
    trades : array of TRADE
        In the order of their ends; a trade whose pnl is not above zero counts as lost.

    Raises
    ------
    ValueError
        If the rows are not trades.
    """
    if trades.dtype != TRADE:
        raise ValueError(f"trades must be rows of TRADE, were {trades.dtype}")
    pnl = trades["pnl"]
    won = pnl > 0.0
    n, wins = int(pnl.size), int(won.sum())
    gains, pains = float(pnl[won].sum()), -float(pnl[~won].sum())
    avg_win, avg_loss = divide(gains, wins), divide(-pains, n - wins)
    r = trades["r"][np.isfinite(trades["r"])]
    return TradeMetrics(
        trades=n,
        long_trades=int((trades["side"] > 0).sum()),
        short_trades=int((trades["side"] < 0).sum()),
        wins=wins,
        losses=n - wins,
        win_rate=divide(wins, n),
        profit_factor=divide(gains, pains),
        expectancy=divide(gains - pains, n),
        avg_win=avg_win,
        avg_loss=avg_loss,
        largest_win=float(pnl[won].max()) if wins else NAN,
        largest_loss=float(pnl[~won].min()) if n > wins else NAN,
        max_consecutive_wins=longest_run(won),
        max_consecutive_losses=longest_run(~won),
        avg_trade_ms=_mean(trades["closed"] - trades["opened"]),
        avg_trade_bars=_mean(trades["bars"]),
        avg_r=_mean(r),
        best_r=float(r.max()) if r.size else NAN,
        worst_r=float(r.min()) if r.size else NAN,
        sqn=quality(r.size, float(r.sum()), float(((r - _mean(r)) ** 2).sum())),
        avg_mae=_mean(trades["mae"]),
        avg_mfe=_mean(trades["mfe"]),
        kelly=kelly(divide(wins, n), avg_win, -avg_loss),
    )


def quality(n: int, total: float, squares: float) -> float:
    """Return the system quality number from R multiples: sqrt(n) * mean / deviation.

    Parameters
    ----------
    n : int
        Trades with a stop.
    total : float
        Sum of their R multiples.
    squares : float
        Sum of their squared distances from the mean.
    """
    if n < 2:
        return NAN
    mean = total / n
    return float(divide(np.sqrt(n) * mean, dispersion(squares / (n - 1), mean)))


def kelly(win_rate: float, win: float, loss: float) -> float:
    """Return the share of equity that would have grown fastest; NaN without wins or losses.

    Parameters
    ----------
    win_rate : float
        In [0, 1].
    win, loss : float
        Mean win and mean loss, money > 0.
    """
    return win_rate - (1.0 - win_rate) * loss / win if win > 0.0 and loss > 0.0 else NAN


def longest_run(marks: NDArray[np.bool_]) -> int:
    """Return how many True stand in a row at most."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0


def equity_at_entry(
    trades: TradeArray, time: TimeArray, equity: FloatArray, cash: float
) -> FloatArray:
    """Return the equity at the last close at or before each entry, the cash before the first.

    Parameters
    ----------
    trades : array of TRADE, shape (n_trades,)
    time : ndarray of int64, shape (n_bars,)
        Closes, ms, ascending.
    equity : ndarray of float64, shape (n_bars,)
    cash : float
        Before the first bar.

    Returns
    -------
    ndarray of float64, shape (n_trades,)
    """
    place = np.searchsorted(time, trades["opened"], side="right")
    return np.concatenate([[cash], equity])[place]


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else NAN
