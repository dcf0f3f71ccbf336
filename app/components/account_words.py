"""Words of the paper account: why something was filled, left, refused or held back."""

from typing import Any, Final

REASONS: Final = {
    "ENTRY": "entry on a signal",
    "SL": "stop reached",
    "TP": "target reached",
    "TIME": "held as long as the rules allow",
    "SIGNAL": "the signal turned",
    "END_OF_TEST": "end of the test",
    "MANUAL": "closed by hand",
    "GONE": "not watched any more",
}
"""By the name on the wire."""

STATUSES: Final = {
    "placed": "waits for the next open",
    "filled": "filled",
    "expired": "not reached in time",
    "too small": "too small for one unit",
    "max_positions": "as many positions as allowed",
    "max_daily_loss": "daily loss limit",
    "max_drawdown": "drawdown limit",
    "max_losses": "too many losses in a row",
    "gap": "after a gap in the data",
    "stale_data": "the data is stale",
    "half_open": "one entry at a time after a pause",
}

BREAKERS: Final = {
    "daily_loss": "Daily loss",
    "drawdown": "Drawdown",
    "losing_streak": "Losing streak",
    "stale_data": "Stale data",
}

BREAKER_LIMITS: Final = {
    "daily_loss": "max_daily_loss", "drawdown": "max_drawdown", "losing_streak": "max_losses",
    "stale_data": "stale_bars",
}  # fmt: skip
"""The limit that trips each of them."""


def words(table: dict[str, str], name: str) -> str:
    """Return the words for a name; the name itself, readable, where there are none."""
    return table.get(name, name.replace("_", " ").lower())


def word(text: str) -> dict[str, Any]:
    """Return a text of these tables as a phrase: a test holds that the catalogue has them all."""
    return {"text": text, "values": {}}
