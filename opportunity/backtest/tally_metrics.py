"""Metrics from running sums alone: what a sweep keeps of each run instead of a curve."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.curve_metrics import FLAT
from opportunity.market.bars import FloatArray
from opportunity.trading.records import TALLY


def metrics_of_tallies(
    tallies: NDArray[np.void], cash: float, equity: Any, factor: float, years: float | None = None
) -> dict[str, FloatArray]:
    """Work out what running sums are enough for, of many runs at once.

    Parameters
    ----------
    tallies : array of TALLY, shape (k,)
    cash : float
        Before the first bar, > 0.
    equity : ndarray of float64, shape (k,)
        At the last close.
    factor : float
        Bars of a year, `curve_metrics.annual_factor`.
    years : float, optional
        `curve_metrics.years_of`; without it, bars by `factor`, which leaves gaps out.

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)
        By the names of `Metrics`, equal to its values to 1e-9; NaN where undefined.

    Raises
    ------
    ValueError
        If the rows are not tallies, lengths differ or cash is not above zero.
    """
    if tallies.dtype != TALLY:
        raise ValueError(f"tallies must be rows of TALLY, were {tallies.dtype}")
    final = np.asarray(equity, dtype=np.float64)
    if final.shape != tallies.shape:
        raise ValueError(f"equity must be of shape {tallies.shape}, was {final.shape}")
    if not cash > 0.0:
        raise ValueError(f"cash must be > 0, was {cash}")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = _of_returns(tallies, final / cash, factor, years)
        found |= _of_trades(tallies)
    found |= {"initial_equity": np.full(final.shape, float(cash)), "final_equity": final,
              "net_profit": final - cash, "total_return": (final - cash) / cash}  # fmt: skip
    return found


def metrics_of_tally(
    tally: Any, cash: float, equity: float, factor: float, years: float | None = None
) -> dict[str, float]:
    """Work out `metrics_of_tallies` of one run."""
    row = np.array([tally], dtype=TALLY) if not isinstance(tally, np.ndarray) else tally.reshape(1)
    found = metrics_of_tallies(row, cash, np.array([equity]), factor, years)
    return {name: float(values[0]) for name, values in found.items()}


def _of_returns(
    tallies: NDArray[np.void], ratio: FloatArray, factor: float, years: float | None
) -> dict[str, FloatArray]:
    n = tallies["n"].astype(np.float64)
    mean = tallies["total"] / n
    spread = _deviation(n, tallies["total"], tallies["squares"])
    span = n / factor if years is None else np.full(n.shape, years)
    exponent = np.log(np.maximum(ratio, np.finfo(float).tiny)) / span
    cagr = np.where(exponent < 700.0, np.expm1(exponent), np.nan)
    cagr = np.where(ratio > 0.0, cagr, np.where(span > 0.0, -1.0, np.nan))
    drawdown = tallies["drawdown"].astype(np.float64)
    root = math.sqrt(factor)
    return {
        "bars": n,
        "years": span,
        "annual_factor": np.full(n.shape, float(factor)),
        "cagr": cagr,
        "volatility": spread * root,
        "sharpe": _ratio(mean, spread) * root,
        "sortino": _ratio(mean, np.sqrt(tallies["downside"] / n)) * root,
        "calmar": _ratio(cagr, drawdown),
        "max_drawdown": drawdown,
        "max_drawdown_bars": tallies["longest"].astype(np.float64),
        "exposure": tallies["held"] / n,
    }


def _of_trades(tallies: NDArray[np.void]) -> dict[str, FloatArray]:
    n, wins = tallies["n_trades"].astype(np.float64), tallies["wins"].astype(np.float64)
    gains, pains = tallies["gains"], tallies["pains"]
    n_r = tallies["n_r"].astype(np.float64)
    avg_win, avg_loss = _ratio(gains, wins), _ratio(-pains, n - wins)
    win_rate = _ratio(wins, n)
    avg_r = _ratio(tallies["r"], n_r)
    kelly = win_rate + (1.0 - win_rate) * avg_loss / avg_win
    return {
        "trades": n,
        "wins": wins,
        "losses": n - wins,
        "win_rate": win_rate,
        "profit_factor": _ratio(gains, pains),
        "expectancy": _ratio(gains - pains, n),
        "avg_win": avg_win,
        "avg_loss": avg_loss,
        "avg_r": avg_r,
        "sqn": _ratio(np.sqrt(n_r) * avg_r, _deviation(n_r, tallies["r"], tallies["r_squares"])),
        "kelly": np.where((avg_win > 0.0) & (avg_loss < 0.0), kelly, np.nan),
    }


def _deviation(n: FloatArray, total: FloatArray, squares: FloatArray) -> FloatArray:
    mean = total / n
    variance = (squares - n * mean * mean) / (n - 1.0)
    spread = np.sqrt(np.where(variance > FLAT * mean * mean, variance, 0.0))
    return np.where(n > 1.0, spread, np.nan)


def _ratio(above: Any, below: Any) -> FloatArray:
    return np.where(below > 0.0, above / below, np.nan)
