"""The feed of signals: one line each time a symbol's story changes."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import param

from app.components.island import Island, dumps, module, style
from app.components.language import phrase

KEPT: Final = 60
MOVE: Final = 0.05
"""Change of a score that makes a new line though the direction stayed."""

SIGNS: Final = {"BULLISH": 1, "NEUTRAL": 0, "BEARISH": -1}

SIDES: Final = {1: phrase("bullish"), 0: phrase("neutral"), -1: phrase("bearish")}
TURNS: Final = {
    1: phrase("turned bullish"), 0: phrase("turned neutral"), -1: phrase("turned bearish"),
}  # fmt: skip


class SignalFeed(Island):
    """Newest signals on top.

    A symbol is repeated by every closed bar; a line is worth reading when its direction turned
    or its score moved by more than `MOVE`, so only those are listed. All are counted.

    Parameters
    ----------
    on_select : callable
        Called with the symbol that was clicked.
    """

    state = param.String("{}", doc="Lines and counts, JSON.")

    _fill = "stretch_both"
    _esm = module("signal_feed")
    _stylesheets: ClassVar[list[str]] = [style("signal_feed")]

    def __init__(self, on_select: Callable[[str], None] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._on_select = on_select
        self._items: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._told: dict[str, tuple[int, float]] = {}
        self._received = 0
        self._listed = 0

    def take(self, signals: Mapping[str, Mapping[str, Any]]) -> None:
        """Receive signals by symbol; call `refresh` to show them."""
        for symbol, signal in signals.items():
            self._received += 1
            score = signal.get("score")
            if score is None:
                continue
            direction = SIGNS.get(str(signal.get("direction")), 0)
            before = self._told.get(symbol)
            if before and before[0] == direction and abs(before[1] - score) <= MOVE:
                continue
            self._told[symbol] = (direction, score)
            self._list(symbol, signal, direction, before)

    def _list(
        self,
        symbol: str,
        signal: Mapping[str, Any],
        direction: int,
        before: tuple[int, float] | None,
    ) -> None:
        self._listed += 1
        self._items.appendleft({
            "n": self._listed,
            "symbol": symbol,
            "direction": direction,
            "score": signal["score"],
            "confidence": signal.get("confidence"),
            "risk": signal.get("risk_level") or "UNKNOWN",
            "success": signal.get("success"),
            "ts": milliseconds(signal.get("ts")),
            "words": _words(direction, float(signal["score"]), before),
        })

    def refresh(self, now_ms: int, enabled: bool) -> None:
        """Show what was received up to the market time `now_ms`."""
        self.state = dumps({
            "items": list(self._items), "count": self._received, "now": now_ms, "enabled": enabled,
        })

    def _handle_msg(self, data: Any) -> None:
        if self._on_select is not None:
            self._on_select(str(data.get("symbol", "")))


def milliseconds(ts: Any) -> int:
    """Read a time stamp: a number of milliseconds, or ISO 8601 text."""
    if isinstance(ts, str):
        from datetime import datetime

        return round(datetime.fromisoformat(ts).timestamp() * 1000)
    return int(ts or 0)


def _words(direction: int, score: float, before: tuple[int, float] | None) -> Any:
    if before is None:
        return SIDES[direction]
    if before[0] != direction:
        return TURNS[direction]
    stronger = abs(score - 0.5) > abs(before[1] - 0.5)
    return phrase("stronger") if stronger else phrase("weaker")
