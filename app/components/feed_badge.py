"""How the line to the market is, in the header beside the browser's own line to the server."""

from datetime import UTC, datetime
from typing import ClassVar, Final

import param

from app.components.island import Island, dumps, module, style
from opportunity.feeds.status import FeedStatus, LineState

LOOKS: Final[dict[LineState, tuple[str, str]]] = {
    "connecting": ("◌", "busy"),
    "live": ("●", "good"),
    "polling": ("◔", "good"),
    "recovering": ("◐", "busy"),
    "limited": ("◑", "busy"),
    "banned": ("⊘", "bad"),
    "down": ("✕", "bad"),
}
"""Glyph and tone of each state: the glyph differs, so that colour is never needed."""


class FeedBadge(Island):
    """State of the line to the market; hidden for a feed that has none."""

    said = param.String("null", doc="What to show, JSON; null hides it.")

    _esm = module("feed_badge")
    _stylesheets: ClassVar[list[str]] = [style("feed_badge")]

    def draw(self, status: FeedStatus | None) -> None:
        """Show a status."""
        self.said = dumps(None if status is None else feed_words(status))


def feed_words(status: FeedStatus) -> dict[str, str]:
    """Return glyph, tone, label and tooltip of a status; times are UTC."""
    sign, tone = LOOKS[status.state]
    held = status.retry_at is not None and status.state in ("banned", "limited")
    until = _second(status.retry_at) if status.retry_at is not None and held else ""
    word = f"{status.state} until {until}" if until else status.state
    lines = [status.text or status.state, f"Since {_hour(status.since)} UTC"]
    if status.retry_at is not None:
        lines.append(f"Asked again at {_second(status.retry_at)} UTC")
    if status.delay_ms is not None:
        lines.append(f"Bars come {status.delay_ms / 1e3:.1f} s after their close")
    if status.skew_ms is not None:
        lines.append(f"Clock of the exchange: {status.skew_ms:+d} ms against ours")
    lines.append(_count(status.n_reconnects, "reconnect"))
    lines.append(
        f"{_count(status.n_corrections, 'bar')} corrected, "
        f"{_count(status.n_refused, 'row')} refused"
    )
    return {
        "sign": sign, "tone": tone, "label": f"Feed: {word}", "title": "\n".join(lines),
        "state": status.state, "until": until,
    }  # fmt: skip


def held_up(status: FeedStatus | None) -> str:
    """Say what a page that has nothing to show waits for; empty where the line is well."""
    if status is None or LOOKS[status.state][1] != "bad":
        return ""
    text = f"{status.text[:1].upper()}{status.text[1:]}."
    if status.retry_at is not None:
        text += f" It is asked again at {_second(status.retry_at)} UTC."
    return text


def _hour(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1e3, UTC).strftime("%H:%M")


def _second(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1e3, UTC).strftime("%H:%M:%S")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
