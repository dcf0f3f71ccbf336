"""Which symbols are watched: what is chosen, and what another choice would give."""

from collections.abc import Sequence
from math import isnan
from typing import Any, Protocol

from app.components.desk import Desk, desk_module


class Quoted(Protocol):
    """A symbol with what is known of its day."""

    @property
    def symbol(self) -> str:
        """Name, such as BTC/USDT."""

    @property
    def volume(self) -> float:
        """Traded value of 24 hours; NaN where it is not known."""


def universe_state(
    watched: Sequence[str], chosen: dict[str, Any] | None, in_force: dict[str, Any],
    overruled: str,
) -> dict[str, Any]:
    """Return what is watched now, what somebody chose, and the setting that wins over it."""
    return {
        "watched": list(watched), "chosen": chosen, "in_force": in_force, "overruled": overruled,
    }  # fmt: skip


def outcome_state(
    symbols: Sequence[Quoted], held: Sequence[str], watched: Sequence[str], note: str
) -> dict[str, Any]:
    """Return what a choice would give: symbols, and what is added and left against now."""
    names = [one.symbol for one in symbols]
    return {
        "symbols": [
            {"symbol": one.symbol, "volume": None if isnan(one.volume) else one.volume}
            for one in symbols
        ],
        "added": [s for s in names if s not in watched],
        "removed": [s for s in watched if s not in names],
        "held": list(held),
        "note": note,
    }


class UniversePicker(Desk):
    """Show `universe_state`; asks `read`, `look` and `choose` {quote, top, symbols}."""

    _esm = desk_module("universe_picker")
