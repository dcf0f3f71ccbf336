"""Copies of the database: made by a press, listed, checked."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from app.backups import Copy
from app.components.asking import Asking, asking_module, asking_style

SHOWN: Final = 50
OLD_MS: Final = 30 * 86_400_000
"""From this age on the newest copy is worth a word."""


class BackupsPanel(Asking):
    """The copies and a button that makes one."""

    _esm = asking_module("backups_panel")
    _stylesheets: ClassVar[list[str]] = [asking_style("backups_panel")]


def backups_state(
    copies: Sequence[Copy], folder: str, making: bool, now: int
) -> dict[str, Any]:
    """Return the copies, newest first; `folder` is its name, `now` wall time in ms UTC."""
    return {
        "now": now, "folder": folder, "making": making, "total": len(copies),
        "old": bool(copies) and now - copies[0].at > OLD_MS,
        "copies": [
            {"name": c.name, "size": c.size, "at": c.at, "automatic": c.automatic}
            for c in copies[:SHOWN]
        ],
    }  # fmt: skip
