"""Where alerts go, how that goes, what is worth one, and a test."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from app.alerts.rules import AlertRules
from app.components.asking import Asking, asking_module, asking_style
from opportunity.storage.outbox_rows import ChannelTally, Row

SWITCHES: Final = (
    "signal_alerts", "portfolio_alerts", "risk_alerts", "trade_alerts", "fill_alerts",
    "price_alerts", "storage_alerts", "decay_alerts", "api_health_alerts", "daily_summary",
)  # fmt: skip
NUMBERS: Final = (
    "min_confidence_threshold", "min_score", "signal_pause_s", "feed_down_s", "return_pct",
    "unrealised_loss", "summary_hour", "heartbeat_hours",
)  # fmt: skip
"""Rules by what they are; bounds are checked by `AlertRules`."""


class AlertChannels(Asking):
    """The channels with a test, the rules as a form, and the newest messages."""

    _esm = asking_module("alert_channels")
    _stylesheets: ClassVar[list[str]] = [asking_style("alert_channels")]


def alerts_state(
    rules: AlertRules, version: int, channels: Sequence[tuple[str, str, ChannelTally]],
    rows: Sequence[Row], now: int,
) -> dict[str, Any]:
    """Return rules, channels and messages; no address of a channel.

    Parameters
    ----------
    rules : AlertRules
        In force.
    version : int
        Of the rules; whoever changes them names it.
    channels : sequence of (name, service, tally)
    rows : sequence of Row
        The newest messages.
    now : int
        Wall time, ms UTC.
    """
    values: Mapping[str, Any] = rules.as_dict()
    return {
        "now": now, "version": version,
        "rules": {name: values[name] for name in (*SWITCHES, *NUMBERS, "direction")},
        "switches": list(SWITCHES), "numbers": list(NUMBERS),
        "channels": [channel(name, service, tally) for name, service, tally in channels],
        "messages": [
            {"title": row.title, "channel": row.channel, "status": row.status,
             "at": row.created_at, "error": row.error}
            for row in rows
        ],
    }  # fmt: skip


def channel(name: str, service: str, tally: ChannelTally) -> dict[str, Any]:
    """Return how it goes for one channel."""
    state = "ready" if not tally.waiting else "failing" if tally.last_error else "waiting"
    return {
        "name": name, "service": service, "state": state, "waiting": tally.waiting,
        "failed": tally.failed, "sent": tally.last_sent_at, "error": tally.last_error,
    }  # fmt: skip
