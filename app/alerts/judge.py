"""Decides what is worth an alert. Nothing here waits, reads a clock or writes: time is given."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from app.alerts.rules import AlertRules
from app.alerts.words import (
    at,
    day_return,
    drawdown,
    event_words,
    money,
    number,
    percent,
    signal_words,
    stamped,
)
from opportunity.feeds.status import FeedStatus
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.books import PAPER
from opportunity.storage.events import StoredEvent
from opportunity.storage.outbox_rows import Note

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "breaker": ("breaker", "risk_alerts"), "trade": ("trade", "trade_alerts"),
    "fill": ("fill", "fill_alerts"), "price_alert": ("price", "price_alerts"),
    "storage": ("storage", "storage_alerts"), "lease": ("storage", "storage_alerts"),
    "alert": ("decay", "decay_alerts"),
}  # fmt: skip
"""Kind of event -> kind of alert, and the switch for it."""

_DOWN: Final = frozenset({"down", "banned"})
_WELL: Final = frozenset({"live", "polling"})


class Judge:
    """Turns what happens into notes.

    Parameters
    ----------
    rules : callable
        Returns the rules in force.
    source : str
        Stamp of the market.
    market : str
        Names it in keys, so that the days of two markets are not the same.
    """

    def __init__(self, rules: Callable[[], AlertRules], source: str, market: str) -> None:
        self._rules, self._source, self._market = rules, source, market
        self._said: dict[str, tuple[str, int]] = {}
        self._done: dict[str, str] = {}
        self._deepest = ("", 0.0)  # peak of the account, and the last step told since
        self._status: FeedStatus | None = None
        self._told_down: int | None = None
        self._storage = "ok"
        self.last_at: dict[str, int] = {}
        """Wall time of the newest alert of the kinds that come at most once an hour."""

    def remember(self, keys: Iterable[str], at: int) -> None:
        """Know which signals were told before a restart, from the keys of their rows."""
        for key in keys:
            parts = key.partition("@")[0].split(":")
            if len(parts) >= 4 and parts[0] == "signal":
                self._said.setdefault(":".join(parts[1:-2]), (parts[-2], at))

    def event(self, event: StoredEvent) -> Note | None:
        """Judge an event of the log."""
        kind, switch = EVENTS.get(event.kind, ("", ""))
        if not kind or not getattr(self._rules(), switch):
            return None
        if event.body.get("book", PAPER) != PAPER:
            return None
        title, text = event_words(event)
        return self._note(f"event:{event.key}", kind, title, text)

    def signal(self, symbol: str, payload: Mapping[str, Any], now: int) -> Note | None:
        """Judge the newest signal of a symbol at wall time `now`, ms UTC.

        One is told when it is strong and its direction is not the one that was told last; a
        symbol that turned neutral, or the other way, may be told again after the pause.
        """
        rules, direction = self._rules(), str(payload.get("direction"))
        said, when = self._said.get(symbol, ("", 0))
        if direction != said and said:
            said = ""
            self._said[symbol] = ("", when)
        if not rules.signal_alerts or direction in ("NEUTRAL", said):
            return None
        if rules.direction not in ("any", direction) or not _strong(payload, rules):
            return None
        if when and now - when < rules.signal_pause_s * 1_000:
            return None
        self._said[symbol] = (direction, now)
        title, text = signal_words(payload)
        return self._note(f"signal:{symbol}:{direction}:{payload['ts']}", "signal", title, text)

    def feed(self, status: FeedStatus | None, now: int) -> Note | None:
        """Judge the line to the market at wall time `now`; ask every now and then."""
        rules, before = self._rules(), self._status
        if status is None or not rules.api_health_alerts:
            return None
        if before is None or (before.state in _DOWN) != (status.state in _DOWN):
            self._status = status
        since = (self._status or status).since
        if status.state in _DOWN:
            if self._told_down is not None or now - since < rules.feed_down_s * 1_000:
                return None
            self._told_down = since
            again = f"; asked again {at(status.retry_at)}" if status.retry_at else ""
            return self._note(
                f"feed:{since}", "feed", f"Market data {status.state} for {_span(now - since)}",
                f"{status.text}{again}",
            )  # fmt: skip
        if self._told_down is None or status.state not in _WELL:
            return None
        began, self._told_down = self._told_down, None
        return self._note(
            f"feed:{began}:back", "feed", f"Market data back after {_span(now - began)}",
            status.text,
        )  # fmt: skip

    def portfolio(self, state: PortfolioState, now: int) -> list[Note]:
        """Judge the paper account at wall time `now`, ms UTC."""
        rules = self._rules()
        if state.book != PAPER:
            return []
        troubles = self._stored(state.storage, now) if rules.storage_alerts else []
        return troubles + (self._worth(state, now, rules) if rules.portfolio_alerts else [])

    def _stored(self, text: str, now: int) -> list[Note]:
        before, self._storage = self._storage, text
        if (before == "ok") == (text == "ok"):
            return []
        title = "Storage is well again" if text == "ok" else "Storage in trouble: no new trades"
        return [self._note(f"storage:{now}", "storage", title, text)]

    def _worth(self, state: PortfolioState, now: int, rules: AlertRules) -> list[Note]:
        held = f"{self._market}:{state.epoch}"
        found, day = [], state.time // DAY_MS
        change, loss = day_return(state), sum(line.pnl for line in state.positions)
        tail = f"equity {number(state.equity)}, {at(state.time)}"
        if abs(change) * 100 >= rules.return_pct and self.hourly("return", f"{day}:{change > 0}",
                                                                 now):  # fmt: skip
            found.append(self._note(
                f"return:{held}:{day}:{'up' if change > 0 else 'down'}", "return",
                f"Paper account {percent(change)} today", f"{money(state.day_pnl)}, {tail}",
            ))  # fmt: skip
        if loss <= -rules.unrealised_loss and self.hourly("loss", str(day), now):
            found.append(self._note(
                f"loss:{held}:{day}", "loss", f"Open positions at {money(loss)}",
                f"{len(state.positions)} positions, {tail}",
            ))  # fmt: skip
        down = drawdown(state) * 100
        reached = [step for step in rules.drawdown_steps_pct if down >= step]
        if reached:
            step, peak = max(reached), round(state.peak, 2)
            key = f"drawdown:{held}:{peak}:{step:g}"
            if self._deeper(f"{held}:{peak}", step):
                found.append(self._note(
                    key, "drawdown", f"Drawdown {down:.1f} %, over {step:g} %",
                    f"peak {number(state.peak)}, {tail}",
                ))  # fmt: skip
        return found

    def hourly(self, kind: str, what: str, now: int) -> bool:
        """Say whether an alert may be made: not the same again, and one an hour of wall time.

        Days of a market that runs faster than the clock would come every few minutes.
        """
        if now - self.last_at.get(kind, -HOUR_MS) < HOUR_MS or not self._once(kind, what):
            return False
        self.last_at[kind] = now
        return True

    def _deeper(self, peak: str, step: float) -> bool:
        """Say whether a step is the deepest since a peak: on the way up none is told."""
        deepest = self._deepest[1] if self._deepest[0] == peak else 0.0
        self._deepest = peak, max(deepest, step)
        return step > deepest

    def _once(self, kind: str, what: str) -> bool:
        done = self._done.get(kind) != what
        self._done[kind] = what
        return done

    def _note(self, key: str, kind: str, title: str, text: str) -> Note:
        return Note(key, kind, stamped(title, self._source), text)


def _strong(payload: Mapping[str, Any], rules: AlertRules) -> bool:
    score, confidence = payload.get("score"), payload.get("confidence")
    if not isinstance(score, float) or not isinstance(confidence, float):
        return False
    side = score if payload.get("direction") == "BULLISH" else 1 - score
    return side >= rules.min_score and confidence >= rules.min_confidence_threshold


def _span(ms: int) -> str:
    seconds = max(0, ms // 1_000)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"
