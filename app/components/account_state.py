"""What the components of the Portfolio page show, as plain data of one moment."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.components.account_words import (
    BREAKER_LIMITS,
    BREAKERS,
    REASONS,
    STATUSES,
    word,
    words,
)
from app.components.language import phrase
from opportunity.live.portfolio import BreakerLine, PortfolioState, PositionLine
from opportunity.storage.ledger_pages import EquityCurve, StoredFill, StoredTrade

Phrase = dict[str, Any]
SHOWN_POINTS: Final = 1_000
SHOWN_ROWS: Final = 50
"""Newest fills and trades that travel to the page."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an account: limits, the switch, the feed."""

    limits: Mapping[str, Any]
    enabled: bool
    running: bool
    held_up: str = ""


def summary_state(state: PortfolioState | None, around: Around) -> dict[str, Any]:
    """Return the cards and the breakers; before there is an account, what it waits for."""
    if state is None:
        return {"missing": missing(state, around)}
    risk = [one for one in map(_at_risk, state.positions) if not math.isnan(one)]
    limits, open_risk = around.limits, math.fsum(risk)
    return {
        "simulated": "simulated" in state.source,
        "source": state.source,
        "time": state.time,
        "since": state.begun,
        "start_cash": state.start_cash,
        "cash": state.cash,
        "equity": state.equity,
        "gain": state.equity / state.start_cash - 1.0,
        "day": state.day_pnl,
        "day_part": state.day_pnl_pct,
        "day_limit": limits.get("max_daily_loss"),
        "exposure": state.exposure,
        "leverage": state.leverage,
        "leverage_limit": limits.get("max_leverage"),
        "drawdown": state.drawdown,
        "drawdown_limit": limits.get("max_drawdown"),
        "open": len(state.positions),
        "open_limit": limits.get("max_positions"),
        "risk": open_risk,
        "risk_part": open_risk / state.equity if state.equity > 0 else None,
        "unstopped": len(state.positions) - len(risk),
        "costs": state.fees + state.slippage,
        "trades": state.n_trades,
        "wins": state.wins,
        "breakers": [_breaker(line, limits) for line in state.breakers],
        "held_back": _held_back(state, around),
        "storage": "" if state.storage == "ok" else state.storage,
    }


def positions_state(state: PortfolioState | None, around: Around) -> dict[str, Any]:
    """Return positions and waiting orders, or what is missing for one."""
    if state is None:
        return {"missing": missing(state, around)}
    held = sorted(state.positions, key=lambda line: (-line.notional, line.symbol))
    return {
        "time": state.time,
        "positions": [_position(line) for line in held],
        "waiting": [
            {
                "symbol": line.symbol, "side": line.side, "time": line.time,
                "why": words(REASONS, line.reason), "limit": line.limit,
                "entry": line.reason == "ENTRY", "status": words(STATUSES, line.status),
            }
            for line in state.waiting
        ],
        "missing": missing(state, around) if not state.positions else [],
    }  # fmt: skip


def history_state(trades: Sequence[StoredTrade], fills: Sequence[StoredFill]) -> dict[str, Any]:
    """Return the newest trades and fills, newest first, with reasons in words."""
    return {
        "trades": [
            {
                "number": t.number, "symbol": t.symbol, "side": t.side, "closed": t.closed,
                "opened": t.opened, "entry": t.entry, "exit": t.exit, "quantity": t.quantity,
                "pnl": t.pnl, "r": t.r, "costs": t.fees + t.slippage,
                "why": words(REASONS, t.reason),
            }
            for t in trades
        ],
        "fills": [
            {
                "number": f.number, "symbol": f.symbol, "side": f.side, "time": f.time,
                "quantity": f.quantity, "price": f.price, "fee": f.fee, "slippage": f.slippage,
                "why": words(REASONS, f.reason),
            }
            for f in fills
        ],
    }  # fmt: skip


def curve_state(curve: EquityCurve, begun: int, cash: float) -> dict[str, Any]:
    """Return the equity curve from the start on, without the moving last point."""
    first = not curve.time.size or curve.time[0] > begun
    return {
        "time": ([begun] if first else []) + curve.time.tolist(),
        "equity": ([cash] if first else []) + curve.equity.tolist(),
        "drawdown": ([0.0] if first else []) + curve.drawdown.tolist(),
        "start": cash,
    }


def missing(state: PortfolioState | None, around: Around) -> list[Phrase]:
    """Say, in phrases, why nothing is held."""
    if state is None:
        if around.running or not around.held_up:
            return [phrase(
                "The account opens once the agent has read enough history to score the market."
            )]  # fmt: skip
        return [phrase("The account opens once the market answers: {why}", why=around.held_up)]
    if not around.enabled:
        return [phrase("The agent is OFF: it enters nothing. Switch it on in the header.")]
    if not state.can_trade:
        return [phrase("Entries are held back: {why}.", why=why_not(state.why_not))]
    return [
        phrase("All positions are over, and no idea has passed the rules since.")
        if state.n_trades else phrase("No idea has passed the rules yet."),
        phrase("The agent decides when a decision bar closes, and enters at the next open."),
    ]  # fmt: skip


def why_not(text: str) -> Phrase | str:
    """Return what forbids entries, with breakers under the names that the page gives them."""
    if not text:
        return phrase("a breaker is open")
    found = [title for name, title in BREAKERS.items() if name in text]
    if text.startswith("breaker open") and found:
        return phrase("breaker open: {names}", names=[word(title) for title in found])
    return word(text)


def _held_back(state: PortfolioState, around: Around) -> Phrase | str:
    if not around.enabled:
        return phrase("Agent OFF: no entries; open positions stay managed")
    return "" if state.can_trade else phrase(
        "Entries held back: {why}", why=why_not(state.why_not)
    )  # fmt: skip



def _position(line: PositionLine) -> dict[str, Any]:
    return {
        "symbol": line.symbol, "side": line.side, "quantity": line.quantity,
        "entry": line.entry, "mark": line.mark, "stop": line.stop,
        "targets": list(line.targets), "reached": line.targets_reached,
        "notional": line.notional, "pnl": line.pnl, "r": line.pnl_r, "opened": line.opened,
        "bars": line.bars, "leaving": words(REASONS, line.leaving) if line.leaving else "",
    }  # fmt: skip


def _breaker(line: BreakerLine, limits: Mapping[str, Any]) -> dict[str, Any]:
    name = BREAKER_LIMITS.get(line.name, "")
    return {
        "name": line.name, "title": words(BREAKERS, line.name), "state": line.state,
        "until": line.until or None, "trips": line.n_trips, "tripped": line.tripped or None,
        "text": line.text, "limit": limits.get(name),
    }  # fmt: skip


def _at_risk(line: PositionLine) -> float:
    """Return what is lost from the mark to the stop, >= 0; NaN without a stop."""
    lost = line.side * (line.mark - line.stop) * line.quantity
    return 0.0 if lost < 0.0 else lost
