"""What an account holds, wants and did, as rows of structured arrays.

Kernels change them in place; the live agent, the backtest and the sweep share them. Times are
milliseconds UTC, prices and money are in quote currency, sides are +1 long or buy and -1 short or
sell, and all fractions are fractions of 1.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_TARGETS: Final = 4

ENTRY, STOP, TARGET, TIME, SIGNAL, END, MANUAL, GONE = range(8)
"""Why a fill happened; all but ENTRY are exits.

MANUAL: somebody asked for it; GONE: its symbol is not watched any more.
"""

REASONS: Final = ("ENTRY", "SL", "TP", "TIME", "SIGNAL", "END_OF_TEST", "MANUAL", "GONE")
"""Their names on the wire."""

(
    PLACED, FILLED, EXPIRED, TOO_SMALL, POSITIONS, DAILY_LOSS, DRAWDOWN, LOSSES, FLAGGED, STALE,
    PROBING,
) = range(11)  # fmt: skip
"""What became of an order; from TOO_SMALL on it was refused."""

STATUSES: Final = (
    "placed", "filled", "expired", "too small", "max_positions", "max_daily_loss", "max_drawdown",
    "max_losses", "gap", "stale_data", "half_open",
)  # fmt: skip

DAY, DEPTH, STREAK, STALENESS = range(4)
"""Breakers: what stops entries, and for how long; see `trading.breaking`."""

BREAKERS: Final = ("daily_loss", "drawdown", "losing_streak", "stale_data")

CLOSED, OPEN, HALF_OPEN = range(3)
"""States of a breaker: entries go on; none; one at a time, to see how it does."""

STATES: Final = ("CLOSED", "OPEN", "HALF_OPEN")

BOUNDS: Final = ("risk", "notional", "leverage", "liquidity", "volatility", "kelly")
"""What holds the size of an entry; the least counts."""

AT_OPEN, AT_CLOSE, AT_LIMIT = range(3)
"""How entries and exits on a decision are filled; exits never wait for a limit."""

BY_RISK, BY_EQUITY, BY_NOTIONAL, ALL_IN = range(4)
"""What `TERMS.amount` is a measure of; see `costs.Sizing`."""

TERMS: Final = np.dtype(
    [
        ("fee", "f8"),  # of the notional of each fill
        ("slip", "f8"),  # by which each fill is worse than the price it is made at
        ("fill", "i8"),  # AT_OPEN, AT_CLOSE or AT_LIMIT
        ("limit_atr", "f8"),  # how far a limit is better than the close, in ATR
        ("sizing", "i8"),  # BY_RISK ... ALL_IN
        ("amount", "f8"),  # fraction of equity, or quote currency
        ("whole", "i8"),  # 1: whole units only
        ("target_mode", "i8"),  # 1: decisions name the side to hold, 0 for none
        ("stop_atr", "f8"),  # distance of the stop; 0 for none
        ("trail_atr", "f8"),  # distance of the trailing stop; 0 for none
        ("time_stop", "i8"),  # decision bars; 0 for none
        ("opposite", "i8"),  # 1: leave on an opposite entry
        ("n_targets", "i8"),
        ("target_r", "f8", (MAX_TARGETS,)),
        ("target_share", "f8", (MAX_TARGETS,)),  # of the quantity at the entry
        ("take_all", "i8"),  # 1: the last target takes what is left
        ("max_positions", "i8"),  # open and about to be
        ("max_position", "f8"),  # notional of one symbol, of equity
        ("max_leverage", "f8"),  # notional of all, of equity
        ("max_daily_loss", "f8"),
        ("max_drawdown", "f8"),
        ("max_losses", "i8"),  # in a row; 0 for no bound
        ("cooldown_ms", "i8"),
        ("max_volume", "f8"),  # notional of an entry, of the 24 h quote volume; 0: no bound
        ("max_volatility", "f8"),  # what one ATR moves, of equity; 0: no bound
        ("kelly", "f8"),  # part of the Kelly fraction that is risked at most; 0: no bound
        ("payoff", "f8"),  # what a win is worth, in losses
    ],
    align=True,
)
"""Everything that a run is under: costs, size, exits and limits."""

ACCOUNT: Final = np.dtype(
    [
        ("cash", "f8"),
        ("equity", "f8"),  # cash and what is held, at the newest marks
        ("peak", "f8"),  # highest equity since the drawdown breaker was last half open
        ("day", "i8"),  # UTC day of the newest mark
        ("day_equity", "f8"),  # equity when that day began
        ("losses", "i8"),  # trades in a row that lost
        ("breaker", "i8", (4,)),  # states, by DAY, DEPTH, STREAK, STALENESS
        ("until", "i8", (4,)),  # when each that is open ends; 0: none
        ("tripped", "i8", (4,)),  # when each tripped last; 0: never
        ("n_trips", "i8", (4,)),
        ("n_open", "i8"),  # positions, and entries that are placed
        ("fees", "f8"),
        ("slippage", "f8"),
        ("funding", "f8"),
        ("turnover", "f8"),  # notional of all fills
        ("n_orders", "i8"),
        ("n_fills", "i8"),
        ("n_entries", "i8"),
        ("n_trades", "i8"),
    ],
    align=True,
)

POSITION: Final = np.dtype(
    [
        ("side", "i8"),  # 0: flat
        ("number", "i8"),  # of the trade, counted by entries
        ("quantity", "f8"),
        ("initial", "f8"),  # quantity at the entry
        ("entry", "f8"),
        ("stop", "f8"),  # NaN: none
        ("risk", "f8"),  # distance of the first stop, price; NaN: none
        ("targets", "i8"),  # reached so far
        ("opened", "i8"),
        ("bars", "i8"),  # decision bars held
        ("mark", "f8"),  # newest close; NaN before the first
        ("high", "f8"),
        ("low", "f8"),  # extremes since the entry
        ("flow", "f8"),  # cash of its fills, fees taken off
        ("exits", "f8"),  # notional of its exits
        ("fees", "f8"),
        ("slippage", "f8"),
        ("funding", "f8"),
        ("score", "f8"),
        ("confidence", "f8"),
        ("n_fills", "i8"),
        ("probe", "i8"),  # breakers that were half open at its entry, one bit each; 0: none
        # What is to be done next: an exit, an entry, or both for a reversal.
        ("exit", "i8"),  # why, ENTRY: no exit
        ("wanted", "i8"),  # side of the entry, 0: none
        ("distance", "f8"),  # of its stop, price
        ("limit", "f8"),  # NaN: at the market
        ("key", "f8"),  # rank: larger ones fill first
        ("order", "i8"),  # its number in the log
        ("exit_order", "i8"),
        ("order_score", "f8"),
        ("order_confidence", "f8"),
        ("atr", "f8"),  # at the decision of the order that waits
        ("volume", "f8"),  # of 24 hours, quote currency, known then; NaN: unknown
        ("order_time", "i8"),  # of the decision
        ("exit_time", "i8"),  # the same of the exit that waits
        ("exit_score", "f8"),
        ("exit_confidence", "f8"),
    ],
    align=True,
)
"""What is held of one symbol and what is to be done."""

DECISION: Final = np.dtype(
    [
        ("batch", "i8"),  # at whose end it falls
        ("time", "i8"),
        ("symbol", "i8"),
        ("side", "i8"),  # of an entry that the rules let through, 0: none
        ("flagged", "i8"),  # 1: after a gap, so no entry
        ("key", "f8"),  # strength x confidence x consensus
        ("atr", "f8"),  # of the decision timeframe
        ("score", "f8"),  # final, [0, 1]
        ("confidence", "f8"),
        ("volume", "f8"),  # of 24 hours, quote currency, known then; NaN: unknown
    ],
    align=True,
)

ORDER: Final = np.dtype(
    [
        ("time", "i8"),
        ("symbol", "i8"),
        ("side", "i8"),  # of the fill: +1 buy, -1 sell
        ("reason", "i8"),  # ENTRY, TIME, SIGNAL or MANUAL
        ("status", "i8"),
        ("limit", "f8"),  # NaN: at the market
        ("distance", "f8"),  # of the stop of an entry
        ("score", "f8"),
        ("confidence", "f8"),
        ("bound", "i8"),  # of an entry: what held its size, by BOUNDS; -1: not filled, or an exit
    ],
    align=True,
)

FILL: Final = np.dtype(
    [
        ("time", "i8"),
        ("symbol", "i8"),
        ("side", "i8"),
        ("reason", "i8"),
        ("quantity", "f8"),
        ("reference", "f8"),  # the price without slippage and spread
        ("price", "f8"),
        ("fee", "f8"),
        ("slippage", "f8"),  # money lost to it
        ("number", "i8"),  # of its trade
    ],
    align=True,
)

TRADE: Final = np.dtype(
    [
        ("number", "i8"),  # counted by entries; rows are in the order of their ends
        ("symbol", "i8"),
        ("side", "i8"),
        ("opened", "i8"),
        ("closed", "i8"),
        ("entry", "f8"),
        ("exit", "f8"),  # mean price of its exits
        ("quantity", "f8"),
        ("pnl", "f8"),  # after fees, slippage and funding
        ("fees", "f8"),
        ("slippage", "f8"),
        ("funding", "f8"),
        ("r", "f8"),  # pnl by what was at risk at the entry; NaN without a stop
        ("mae", "f8"),  # worst and best excursion, in R; in fractions of the entry without a stop
        ("mfe", "f8"),
        ("bars", "i8"),  # decision bars
        ("reason", "i8"),  # of the last exit
        ("n_fills", "i8"),
        ("score", "f8"),
        ("confidence", "f8"),
    ],
    align=True,
)

TALLY: Final = np.dtype(
    [
        ("n", "i8"),  # returns
        ("total", "f8"),
        ("squares", "f8"),
        ("downside", "f8"),  # squares of the negative ones
        ("peak", "f8"),
        ("trough", "f8"),  # lowest since the peak
        ("drawdown", "f8"),  # deepest, fraction of the peak
        ("under", "i8"),  # bars since the peak
        ("longest", "i8"),  # most bars below a peak
        ("held", "i8"),  # bars at whose close something was held
        ("n_trades", "i8"),
        ("wins", "i8"),
        ("gains", "f8"),
        ("pains", "f8"),  # sums of what winners won and losers lost
        ("r", "f8"),
        ("r_squares", "f8"),
        ("n_r", "i8"),
    ],
    align=True,
)
"""Running sums of a run, added in the order of time: what metrics are made of without a curve."""


def columns_of(decisions: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the fields of DECISION rows as contiguous arrays: what kernels read.

    Returns
    -------
    tuple
        batch, time, symbol (int64), side, flagged (int8), key, atr, score, confidence, volume
        (float64); all of shape (n,).
    """
    kinds = {"side": np.int8, "flagged": np.int8}
    return tuple(
        np.ascontiguousarray(decisions[name], kinds.get(name)) for name in DECISION.names or ()
    )
