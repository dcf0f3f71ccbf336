"""Who changed what: the audit, newest first."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import orjson
import param

from app.components.asking import Asking, asking_module, asking_style
from opportunity.storage.events import StoredEvent

KINDS: Final = (
    "weights", "preset", "agent", "rules", "limits", "hand", "reset", "shadow", "audit",
)  # fmt: skip
"""By which the audit can be narrowed; `audit` is users, keys, alerts, retention and backups."""

MOST_CHARS: Final = 300


class AuditLog(Asking):
    """Lines of the audit, and who asks for more of them."""

    kind = param.String("", doc="Kind that is shown, of `KINDS`; empty for all.")

    _esm = asking_module("audit_log")
    _stylesheets: ClassVar[list[str]] = [asking_style("audit_log")]


def audit_state(
    events: Sequence[StoredEvent], next_id: int | None, kind: str, simulated: bool
) -> dict[str, Any]:
    """Return lines of the audit, newest first, with what has changed of each."""
    return {
        "kind": kind, "kinds": list(KINDS), "next": next_id, "simulated": simulated,
        "rows": [audit_row(event) for event in events],
    }  # fmt: skip


def audit_row(event: StoredEvent) -> dict[str, Any]:
    """Return one line: wall time, who, what, why, and the values before and after."""
    body = event.body
    return {
        "id": event.id, "at": event.at, "kind": event.kind,
        "what": str(body.get("what", event.kind)), "by": str(body.get("by", "")),
        "why": str(body.get("why", "")),
        "changes": changes(body.get("before"), body.get("after")),
    }  # fmt: skip


def changes(before: Any, after: Any) -> list[list[str]]:
    """Return what differs, as name, value before and value after; texts, cut."""
    if isinstance(before, dict) or isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        new = after if isinstance(after, dict) else {}
        names = list(dict.fromkeys((*old, *new)))
        return [
            [str(name), _text(old.get(name)), _text(new.get(name))]
            for name in names if old.get(name) != new.get(name)
        ]  # fmt: skip
    return [] if before == after else [["", _text(before), _text(after)]]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= MOST_CHARS else text[:MOST_CHARS] + "…"
