"""All that a run is under, as the one record that the kernels read; and fresh accounts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.trading.bounds import check_number
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import ACCOUNT, POSITION, TALLY, TERMS
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import FILLS, TradeRecord

Records = NDArray[Any]


def terms_of(
    rules: TradeRecord, costs: Costs, sizing: Sizing, risk: RiskRecord, target_mode: bool = False
) -> Records:
    """Pack rules, costs, sizing and limits into one TERMS record.

    Parameters
    ----------
    rules, costs, sizing, risk : records
    target_mode : bool
        Decisions name the side to hold: there are no stops, targets and time stops.

    Returns
    -------
    ndarray of TERMS, shape (1,)

    Raises
    ------
    ValueError
        If the size follows from a stop and there is none, or a limit from a range that decisions
        do not have.
    """
    if sizing.kind == "risk" and (target_mode or rules.stop_atr == 0):
        raise ValueError(
            "sizing must not be by risk without a stop, was by risk: give another sizing"
        )
    if target_mode and rules.fill == "limit":
        raise ValueError(
            "fill must be open or close for sides to hold, was limit: nothing tells how far away"
        )
    terms = np.zeros(1, TERMS)
    row = terms[0]
    row["fee"], row["slip"] = costs.fee, costs.slip
    row["fill"], row["limit_atr"] = FILLS[rules.fill], rules.limit_atr
    row["sizing"], row["amount"], row["whole"] = sizing.code, sizing.amount, sizing.whole_units
    row["target_mode"] = target_mode
    for name in ("max_positions", "max_position", "max_leverage", "max_daily_loss",
                 "max_drawdown", "max_losses", "cooldown_ms", "max_volume", "max_volatility",
                 "kelly", "payoff"):  # fmt: skip
        row[name] = getattr(risk, name)
    if target_mode:
        return terms
    for name in ("stop_atr", "trail_atr", "time_stop", "opposite"):
        row[name] = getattr(rules, name)
    n = len(rules.targets_r) if rules.stop_atr > 0 else 0
    row["n_targets"], row["take_all"] = n, rules.takes_all
    row["target_r"][:n], row["target_share"][:n] = rules.targets_r[:n], rules.shares[:n]
    return terms


def new_account(cash: float) -> Records:
    """Return an account that holds nothing but cash; shape (1,).

    Raises
    ------
    TypeError, ValueError
        If the cash is no number, not finite or not > 0.
    """
    check_number("cash", cash)
    if not (np.isfinite(cash) and cash > 0):
        raise ValueError(f"cash must be finite and > 0, was {cash}")
    account = np.zeros(1, ACCOUNT)
    for name in ("cash", "equity", "peak", "day_equity"):
        account[name] = cash
    account["day"] = -1
    return account


def new_positions(n_symbols: int) -> Records:
    """Return flat positions; shape (n_symbols,)."""
    positions = np.zeros(n_symbols, POSITION)
    for name in ("stop", "risk", "mark", "limit", "atr", "volume"):
        positions[name] = np.nan
    positions["order"] = positions["exit_order"] = -1
    return positions


def new_tally(cash: float) -> Records:
    """Return running sums that have seen nothing; shape (1,)."""
    tally = np.zeros(1, TALLY)
    tally["peak"] = tally["trough"] = cash
    return tally
