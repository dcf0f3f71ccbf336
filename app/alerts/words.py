"""The texts of alerts: short, plain, and stamped where the market is invented."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from app.components.account_words import REASONS, words
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.events import StoredEvent


@dataclass(frozen=True, slots=True)
class DayFacts:
    """A day of the paper account.

    Parameters
    ----------
    start, end : float
        Equity; NaN where it is not known.
    trades : sequence of mappings
        Bodies of the trades that ended within the day.
    """

    start: float = math.nan
    end: float = math.nan
    trades: Sequence[Mapping[str, Any]] = ()


SIMULATED: Final = "simulated"
_SIDE: Final = {1: "long", -1: "short"}
_OF: Final = {1: "buy", -1: "sell"}


def stamped(title: str, source: str) -> str:
    """Put ``[simulated]`` in front of a title when no real market is behind it."""
    return f"[{SIMULATED}] {title}" if source == SIMULATED else title


def at(time: int) -> str:
    """Return a time as ``2026-01-31 12:00 UTC``."""
    return datetime.fromtimestamp(time / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def number(value: Any, digits: int = 6) -> str:
    """Return a number in few digits; ``-`` for none."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{value:,.2f}" if abs(value) >= 1_000 else f"{value:.{digits}g}"


def money(value: Any) -> str:
    """Return an amount with its sign, e.g. ``+12.30``."""
    good = isinstance(value, int | float) and math.isfinite(value)
    return f"{value:+,.2f}" if good else "-"


def percent(fraction: float) -> str:
    """Return a fraction as ``+5.2 %``."""
    return f"{fraction * 100:+.1f} %" if math.isfinite(fraction) else "-"


def event_words(event: StoredEvent) -> tuple[str, str]:
    """Return title and text about an event of the log."""
    body, when = event.body, at(event.time)
    match event.kind:
        case "breaker":
            return _breaker(body, when)
        case "trade":
            r = body.get("r")
            title = f"{body.get('symbol')} {_side(body)} ended {money(body.get('pnl'))}"
            earned = f" ({r:+.2f} R)" if isinstance(r, int | float) and math.isfinite(r) else ""
            return title + earned, (
                f"in {number(body.get('entry'))}, out {number(body.get('exit'))}, quantity "
                f"{number(body.get('quantity'))}, {_reason(body)}, {when}"
            )
        case "fill":
            what = _OF.get(_sign(body.get("side")), "fill")
            return f"{body.get('symbol')} {what} {number(body.get('quantity'))}", (
                f"at {number(body.get('price'))}, fee {number(body.get('fee'))}, "
                f"{_reason(body)}, {when}"
            )
        case "price_alert":
            over = "at or above" if body.get("rule") == "above" else "at or below"
            note = f"\n{body['note']}" if body.get("note") else ""
            title = f"{body.get('symbol')} {over} {number(body.get('price'), 10)}"
            return title, f"touched {number(body.get('touched'), 10)}, {when}{note}"
    told = body.get("text") or body.get("reason") or body.get("why") or ""
    state = body.get("state") or body.get("name") or body.get("what") or ""
    title = {"storage": "Storage", "lease": "Lease", "alert": "Decay alarm"}.get(
        event.kind, event.kind
    )
    return f"{title}: {state}".removesuffix(": "), f"{told or 'see the log'}, {when}"


def _breaker(body: Mapping[str, Any], when: str) -> tuple[str, str]:
    name, state = _plain(body.get("name")), body.get("state")
    until = body.get("until")
    more = ""
    if state == "OPEN" and isinstance(until, int) and until:
        more = f"; no entries until {at(until)}"
    before = _plain(body.get("before"))
    title = f"Breaker {name} {_plain(state)}" + (f", was {before}" if before else "")
    return title, f"{body.get('reason') or 'no reason given'}{more}, {when}"


def signal_words(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and text about a signal."""
    success = payload.get("success")
    odds = f", success {success:.0%}" if isinstance(success, float) else ""
    frames = ", ".join(f"{k} {v:.2f}" for k, v in payload.get("timeframes", {}).items()
                       if isinstance(v, float) and math.isfinite(v))  # fmt: skip
    return f"{payload['symbol']} {str(payload['direction']).lower()}", (
        f"score {payload['score']:.2f}, confidence {payload['confidence']:.2f}{odds}, risk "
        f"{str(payload.get('risk_level', '-')).lower()}, {at(payload['ts'])}\n{frames}"
    ).rstrip()


def summary_words(state: PortfolioState | None, day: DayFacts, data: str) -> tuple[str, str]:
    """Return title and text of a day.

    Parameters
    ----------
    state : PortfolioState or None
        The account as it is now; None when nothing is traded.
    day : DayFacts
    data : str
        How the line to the market is.
    """
    if state is None:
        return "Daily summary: no paper account", f"data: {data}"
    gain, trades = day.end - day.start, day.trades
    share = gain / day.start if day.start > 0 else math.nan
    lines = [
        f"equity {number(state.equity)}, day {percent(share)} ({money(gain)}), "
        f"drawdown {percent(-drawdown(state))}",
        f"{len(trades)} trades, {sum(_pnl(t) > 0 for t in trades)} won, "
        f"{money(math.fsum(_pnl(t) for t in trades))}; {len(state.positions)} open",
    ]
    if trades:
        best, worst = max(trades, key=_pnl), min(trades, key=_pnl)
        lines.append(f"best {best.get('symbol')} {money(_pnl(best))}, "
                     f"worst {worst.get('symbol')} {money(_pnl(worst))}")  # fmt: skip
    lines += [
        f"breaker {_plain(b.name)} {_plain(b.state)}" for b in state.breakers if b.state != "CLOSED"
    ] or ["all breakers closed"]
    lines += [f"storage: {state.storage}"] if state.storage != "ok" else []
    return f"Daily summary: {money(gain)}", "\n".join([*lines, f"data: {data}"])


def day_return(state: PortfolioState) -> float:
    """Return the gain since midnight UTC as a fraction."""
    began = state.equity - state.day_pnl
    return state.day_pnl / began if began > 0 else math.nan


def drawdown(state: PortfolioState) -> float:
    """Return the loss from the peak as a fraction, >= 0."""
    return max(0.0, 1 - state.equity / state.peak) if state.peak > 0 else math.nan


def _pnl(trade: Mapping[str, Any]) -> float:
    pnl = trade.get("pnl")
    return float(pnl) if isinstance(pnl, int | float) and math.isfinite(pnl) else 0.0


def _sign(side: Any) -> int:
    if isinstance(side, str):
        return {"LONG": 1, "BUY": 1, "SHORT": -1, "SELL": -1}.get(side.upper(), 0)
    return int(side) if isinstance(side, int | float) and math.isfinite(side) else 0


def _side(body: Mapping[str, Any]) -> str:
    return _SIDE.get(_sign(body.get("side")), "trade")


def _reason(body: Mapping[str, Any]) -> str:
    """Return why something was filled or left, in the words of the Portfolio page."""
    return words(REASONS, str(body.get("reason") or ""))


def _plain(name: Any) -> str:
    return "" if name is None else str(name).lower().replace("_", " ")
