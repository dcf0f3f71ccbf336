"""Other orders of the same trades and other paths of the same market, drawn by seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.blocks import block_length
from opportunity.errors import unknown
from opportunity.kernels import kernel
from opportunity.market.bars import Bars, FloatArray
from opportunity.scoring.bootstrap import Kind, draw_blocks, interval

Method = Literal["shuffle", "bootstrap"]
METHODS: Final[tuple[Method, ...]] = ("shuffle", "bootstrap")

N_DRAWS: Final = 1_000
LEVEL: Final = 0.95
N_POINTS: Final = 101
CHUNK: Final = 1_000_000
"""Trades that are drawn at once, to bound memory."""


@dataclass(frozen=True, slots=True, eq=False)
class TradeDraws:
    """Where a run's trades could have led.

    Parameters
    ----------
    final : ndarray of float64, shape (n_draws,)
        Final equity, quote currency.
    drawdown : ndarray of float64, shape (n_draws,)
        Deepest drawdown at the ends of trades, fraction.
    at : ndarray of int64, shape (n_points,)
        Numbers of trades at which the bands are given, from 0 on.
    low, middle, high : ndarray of float64, shape (n_points,)
        Equity that so many draws are below, half of them, and above.
    level : float
        Share of draws between `low` and `high`.
    """

    final: FloatArray
    drawdown: FloatArray
    at: NDArray[np.int64]
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    level: float

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the bounds of final equity and drawdown at this level."""
        pairs = {"final": self.final, "drawdown": self.drawdown}
        found = {name: interval(values, self.level) for name, values in pairs.items()}
        return {name: (float(low), float(high)) for name, (low, high) in found.items()}


def draw_trades(
    fractions: FloatArray,
    cash: float,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    method: Method = "bootstrap",
) -> TradeDraws:
    """Put the trades of a run in other orders, or draw them anew.

    Parameters
    ----------
    fractions : ndarray of float64, shape (n_trades,)
        Pnl of each trade by the equity at its entry: `pnl / equity_at_entry(...)`.
    cash : float
        At the start, > 0.
    n_draws : int
        >= 1.
    seed : int
        The same seed draws the same trades.
    method : {"bootstrap", "shuffle"}
        Drawn with replacement, or the same trades in another order: then all draws end alike
        and only the way there differs.

    Raises
    ------
    ValueError
        If there is no trade, a number is out of its range or the method unknown.

    Notes
    -----
    Trades are taken as independent and one after the other. Source: Efron, "Bootstrap methods:
    another look at the jackknife", Annals of Statistics 7, 1979.
    """
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    k = fractions.size
    if not k or n_draws < 1 or not cash > 0.0:
        raise ValueError(
            f"trades, n_draws and cash must be above zero, were {k}, {n_draws} and {cash}"
        )
    rng = np.random.default_rng(seed)
    at = np.unique(np.linspace(0, k, min(N_POINTS, k + 1)).round().astype(np.int64))
    paths, drawdown = np.empty((n_draws, at.size)), np.empty(n_draws)
    rows = max(CHUNK // k, 1)
    for a in range(0, n_draws, rows):
        some = min(rows, n_draws - a)
        if method == "shuffle":
            order = rng.permuted(np.tile(np.arange(k), (some, 1)), axis=1)
        else:
            order = rng.integers(0, k, (some, k))
        _grow(fractions, order, float(cash), at, paths[a : a + some], drawdown[a : a + some])
    low, high = interval(paths, LEVEL)
    return TradeDraws(paths[:, -1], drawdown, at, low, np.median(paths, axis=0), high, LEVEL)


@kernel
def _grow(fractions: Any, order: Any, cash: Any, at: Any, paths: Any, drawdown: Any) -> None:
    for d in range(order.shape[0]):
        equity = cash
        peak = cash
        deepest = 0.0
        paths[d, 0] = cash
        point = 1
        for i in range(order.shape[1]):
            equity = max(equity * (1.0 + fractions[order[d, i]]), 0.0)
            peak = max(peak, equity)
            deepest = max(deepest, 1.0 - equity / peak)
            if point < at.size and at[point] == i + 1:
                paths[d, point] = equity
                point += 1
        drawdown[d] = deepest


def bars_block_length(bars: Bars, kind: Kind = "stationary") -> int:
    """Return how many bars belong together: for returns and for their sizes, the longer.

    Returns of neighbouring bars are hardly alike, but their sizes are: calm and wild times last.
    """
    changes = np.diff(np.log(bars.close))
    if changes.size < 2:
        return 1
    return math.ceil(max(block_length(changes, kind), block_length(np.abs(changes), kind)))


def resample_bars(
    bars: Bars, seed: int = 0, block: int | None = None, kind: Kind = "stationary"
) -> Bars:
    """Draw another path of the same market: `resample_markets` of one symbol."""
    return resample_markets([bars], seed, block, kind)[0]


def resample_markets(
    markets: Sequence[Bars],
    seed: int = 0,
    block: int | None = None,
    kind: Kind = "stationary",
) -> tuple[Bars, ...]:
    """Draw another path of several symbols, the same moments for all of them.

    Bars are drawn in blocks and put one after the other: each keeps its shape and its step from
    the close before, in proportion. What lasts longer than a block is lost.

    Parameters
    ----------
    markets : sequence of Bars
        At the same times, at least two bars, prices above zero.
    seed : int
        The same seed draws the same path.
    block : int, optional
        Length in bars, >= 1; the longest `bars_block_length` of the symbols without it.
    kind : {"stationary", "moving"}
        Blocks of geometric lengths, or of one length; time runs in a circle.

    Returns
    -------
    tuple of Bars
        At the times of `markets`, starting at their first open; source ``simulated (resampled
        from ...)``.

    Raises
    ------
    ValueError
        If times differ, or there are too few bars or prices that are not above zero.

    Notes
    -----
    Source: Politis, Romano, "The stationary bootstrap", Journal of the American Statistical
    Association 89, 1994.
    """
    _check(markets)
    if block is None:
        block = max(bars_block_length(bars, kind) for bars in markets)
    places = draw_blocks(len(markets[0]), block, 1, seed, kind).places()[0]
    return tuple(_path(bars, places) for bars in markets)


def _check(markets: Sequence[Bars]) -> None:
    if not markets or len(markets[0]) < 2:
        raise ValueError("markets must hold at least one symbol of two bars, was less")
    for bars in markets:
        if not np.array_equal(bars.time, markets[0].time):
            raise ValueError(
                f"times of {bars.symbol or 'a symbol'} must be those of all, were others"
            )
        if not (bars.values[:, :4] > 0.0).all():
            raise ValueError(
                f"prices must be > 0 to be drawn anew, lowest was {bars.values[:, :4].min()}"
            )


def _path(bars: Bars, places: Any) -> Bars:
    values = np.empty_like(bars.values)
    _chain(bars.values, places, values)
    source = f"simulated (resampled from {bars.source or 'bars without a source'})"
    return replace(bars, values=values, source=source)


@kernel
def _chain(values: Any, places: Any, drawn: Any) -> None:
    """Put drawn bars one after the other; high and low stay outside open and close."""
    close = values[0, 0]
    for i in range(places.size):
        place = places[i]
        # The first bar of all has no close before it: it opens where the last one closed.
        before = values[place - 1, 3] if place > 0 else values[0, 0]
        scale = close / before
        for j in range(4):
            drawn[i, j] = values[place, j] * scale
        drawn[i, 4] = values[place, 4]
        close = drawn[i, 3]
