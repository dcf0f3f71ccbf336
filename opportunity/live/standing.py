"""What an account holds and came to, as the value that people are shown."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opportunity.live.account import Account
from opportunity.live.portfolio import OK, BreakerLine, OrderLine, PortfolioState, PositionLine
from opportunity.trading.records import (
    BREAKERS,
    CLOSED,
    DAY,
    ENTRY,
    OPEN,
    PLACED,
    REASONS,
    STALENESS,
    STATES,
    STATUSES,
)

Records = NDArray[Any]


class Setting(NamedTuple):
    """What is known besides the account itself.

    Parameters
    ----------
    enabled : bool
        Whether the agent is on.
    stale : str
        Why data counts as stale; empty where it does not.
    storage : str
        Why nothing is stored now; empty while all is well.
    halted : str
        Why nothing is traded any more; empty while it is.
    """

    enabled: bool = True
    stale: str = ""
    storage: str = ""
    halted: str = ""


def state_of(account: Account, setting: Setting) -> PortfolioState:
    """Return what an account holds and came to; about 50 us, and 5 us for each position."""
    row, tally = account.broker.account[0], account.broker.tally[0]
    active = account.active
    held = account.broker.positions[active]
    names = [account.broker.symbols[i] for i in active.tolist()]
    terms = account.broker.terms[0]
    lines = tuple(
        _position(name, p, terms) for name, p in zip(names, held, strict=True) if p["side"]
    )
    equity, cash, peak = float(row["equity"]), float(row["cash"]), float(row["peak"])
    gross = sum(line.notional for line in lines)
    net = sum(line.side * line.notional for line in lines)
    day = float(row["day_equity"])
    why = _why_not(row, setting)
    return PortfolioState(
        account.name, account.epoch, account.time, account.source, account.begun,
        account.start_cash, cash, equity, peak, 1.0 - equity / peak if peak > 0 else 0.0,
        equity - day, equity / day - 1.0 if day > 0 else 0.0,
        net / equity if equity > 0 else 0.0, gross, gross / equity if equity > 0 else 0.0,
        float(row["fees"]), float(row["slippage"]), float(row["funding"]),
        int(row["n_trades"]), int(tally["wins"]), int(row["losses"]),
        lines, tuple(_waiting(names, held)), _breakers(row, setting), not why, why,
        setting.storage or OK,
    )  # fmt: skip


def _position(symbol: str, p: Any, terms: Any) -> PositionLine:
    side, quantity, mark = int(p["side"]), float(p["quantity"]), float(p["mark"])
    entry, risk, initial = float(p["entry"]), float(p["risk"]), float(p["initial"])
    pnl = float(p["flow"]) + float(p["funding"]) + side * quantity * mark
    n = int(terms["n_targets"]) if risk > 0 else 0
    targets = tuple(entry + side * float(r) * risk for r in terms["target_r"][:n])
    leaving = int(p["exit"])
    return PositionLine(
        symbol, side, quantity, entry, mark, float(p["stop"]), targets, int(p["targets"]),
        quantity * mark, pnl, pnl / (risk * initial) if risk > 0 else math.nan,
        int(p["opened"]), int(p["bars"]), float(p["score"]), float(p["confidence"]),
        "" if leaving == ENTRY else REASONS[leaving],
    )  # fmt: skip


def _waiting(names: list[str], held: Records) -> list[OrderLine]:
    found = []
    for name, p in zip(names, held, strict=True):
        if p["exit"] != ENTRY:
            found.append(OrderLine(
                int(p["exit_order"]), int(p["exit_time"]), name, -int(p["side"]),
                REASONS[int(p["exit"])], STATUSES[PLACED], math.nan,
            ))  # fmt: skip
        if p["wanted"] != 0:
            found.append(OrderLine(
                int(p["order"]), int(p["order_time"]), name, int(p["wanted"]), REASONS[ENTRY],
                STATUSES[PLACED], float(p["limit"]),
            ))  # fmt: skip
    return sorted(found, key=lambda line: line.number)


def _breakers(row: Any, setting: Setting) -> tuple[BreakerLine, ...]:
    found = []
    for i, name in enumerate(BREAKERS):
        state, until = int(row["breaker"][i]), int(row["until"][i])
        found.append(BreakerLine(
            name, STATES[state], until, int(row["tripped"][i]), int(row["n_trips"][i]),
            _text(i, state, until, setting),
        ))  # fmt: skip
    return tuple(found)


def _text(index: int, state: int, until: int, setting: Setting) -> str:
    if state == CLOSED:
        return ""
    if index == STALENESS:
        return setting.stale or "data is stale"
    if state != OPEN:
        return "one entry at a time, until a trade has won"
    when = np.datetime_as_string(np.datetime64(until, "ms"), unit="m").replace("T", " ")
    return f"no entries until {when} UTC" + (", the next day" if index == DAY else "")


def _why_not(row: Any, setting: Setting) -> str:
    if setting.halted:
        return setting.halted
    if setting.storage:
        return f"storage: {setting.storage}"
    if not setting.enabled:
        return "the agent is off"
    open_ones = [BREAKERS[i] for i in range(len(BREAKERS)) if row["breaker"][i] == OPEN]
    return f"breaker open: {', '.join(open_ones)}" if open_ones else ""
