"""API keys: who has one, made and revoked by admins."""

from collections.abc import Sequence
from typing import Any, ClassVar

from app.auth.users import MOST_DAYS, ROLES
from app.components.asking import Asking, asking_module, asking_style
from opportunity.storage.account_rows import Key


class KeysPanel(Asking):
    """The keys, a form for a new one, and the new one itself, once."""

    _esm = asking_module("keys_panel")
    _stylesheets: ClassVar[list[str]] = [asking_style("keys_panel")]


def keys_state(keys: Sequence[Key], now: int) -> dict[str, Any]:
    """Return the keys without their secrets; `now` is wall time, ms UTC."""
    return {
        "now": now, "roles": list(ROLES), "most_days": MOST_DAYS,
        "keys": [
            {
                "id": key.id, "name": key.name, "role": key.role, "made_by": key.made_by,
                "created": key.created_at, "expires": key.expires, "used": key.last_used,
                "ended": key.expires is not None and key.expires <= now,
            }
            for key in keys
        ],
    }  # fmt: skip
