"""For how long rows are kept, table by table."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from app.components.asking import Asking, asking_module, asking_style
from opportunity.config_lists import MOST_DAYS, RETENTION_DAYS
from opportunity.storage.extents import Extent


class RetentionForm(Asking):
    """Days of each table that is pruned, with what it holds."""

    _esm = asking_module("retention_form")
    _stylesheets: ClassVar[list[str]] = [asking_style("retention_form")]


def retention_state(
    days: Mapping[str, int], version: int, extents: Sequence[Extent], now: int
) -> dict[str, Any]:
    """Return the days in force with what the tables hold; `now` is wall time, ms UTC."""
    held = {one.table: one for one in extents}
    return {
        "version": version, "most": MOST_DAYS, "now": now, "counted": bool(extents),
        "tables": [
            {
                "name": name, "days": days[name], "usual": usual,
                "rows": held[name].rows if name in held else None,
                "oldest": held[name].oldest if name in held else None,
            }
            for name, usual in RETENTION_DAYS.items()
        ],
    }  # fmt: skip
