"""From decisions to fills: one run of the kernels over batches, and all that it leaves behind."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches
from opportunity.backtest.run import run_many, run_one
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.trading.records import FILL, ORDER, TRADE, columns_of
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import Records, new_account, new_positions, new_tally


@dataclass(frozen=True, slots=True, eq=False)
class Payments:
    """Funding that falls due, by time.

    Parameters
    ----------
    time, symbol : ndarray of int64, shape (n,)
        When, ms UTC, and of which symbol.
    rate : ndarray, shape (n,)
        Fraction of the notional that a long pays.
    """

    time: TimeArray
    symbol: NDArray[np.int64]
    rate: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Finer:
    """Shorter bars inside the rows of batches.

    Parameters
    ----------
    first : ndarray of int64, shape (n_rows + 1,)
        Those of row `i` are ``first[i]`` to ``first[i + 1]``; none where it is walked as it is.
    opened, closed : ndarray of int64, shape (n,)
    values : ndarray, shape (n, 5)
    """

    first: NDArray[np.int64]
    opened: TimeArray
    closed: TimeArray
    values: FloatArray


NO_PAYMENTS: Final = Payments(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """What a run leaves behind.

    Parameters
    ----------
    account, tally : structured array, shape (1,)
        ACCOUNT and TALLY at the end.
    fills, trades, orders : structured arrays
        FILL in order, TRADE in the order of their ends, ORDER in order.
    equity, held : ndarray, shape (n_batches,)
        Equity and the notional held at each close, quote currency.
    """

    account: Records
    tally: Records
    fills: Records
    trades: Records
    orders: Records
    equity: FloatArray
    held: FloatArray


def execute(
    batches: Batches,
    table: NDArray[Any],
    setup: TradeSetup,
    n_symbols: int,
    target_mode: bool = False,
    payments: Payments | None = None,
    finer: Finer | None = None,
) -> Ran:
    """Trade the decisions of a table through batches.

    Parameters
    ----------
    batches : Batches
    table : ndarray of DECISION
        By batch, then symbol, at most one of each; batches are counted from the first of `batches`.
    setup : TradeSetup
    n_symbols : int
    target_mode : bool
        The table names the side to hold, not entries.
    payments : Payments, optional
    finer : Finer, optional

    Returns
    -------
    Ran

    Notes
    -----
    One symbol without payments and finer bars costs about 1 ns a bar while nothing is held, 3 ns
    while something is, and 200 ns a trade; other runs about 50 ns a bar.
    """
    terms = setup.terms(target_mode)
    account, tally = new_account(setup.cash), new_tally(setup.cash)
    positions = new_positions(n_symbols)
    entries = int(np.count_nonzero(table["side"]))
    fills = np.zeros(entries * (int(terms["n_targets"][0]) + 2), FILL)
    trades, orders = np.zeros(entries, TRADE), np.zeros(2 * entries, ORDER)
    equity, held = np.empty((2, len(batches)))
    decisions = columns_of(table)
    common = account[0], positions, terms[0], (fills, trades), orders, tally[0]
    if n_symbols == 1 and payments is None and finer is None:
        run_one(
            *common, batches.time, batches.open_time, batches.values, decisions, equity, held
        )
    else:
        due, parts = payments or NO_PAYMENTS, finer or no_finer(batches.n_rows)
        run_many(
            *common,
            (
                batches.time, batches.opened, batches.first, batches.symbol, batches.open_time,
                batches.values,
            ),
            decisions, (due.time, due.symbol, due.rate),
            (parts.first, parts.opened, parts.closed, parts.values), equity, held,
        )  # fmt: skip
    row = account[0]
    return Ran(
        account, tally, fills[: int(row["n_fills"])], trades[: int(row["n_trades"])],
        orders[: int(row["n_orders"])], equity, held,
    )


def no_finer(n_rows: int) -> Finer:
    """Return no finer bars for any row."""
    nothing = np.empty(0, np.int64)
    return Finer(np.zeros(n_rows + 1, np.int64), nothing, nothing, np.empty((0, 5)))
