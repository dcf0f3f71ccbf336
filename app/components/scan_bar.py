"""The bar below the table: since when it holds, and scans on request with their progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.components.asking import Asking, asking_module, asking_style


@dataclass(frozen=True, slots=True)
class Progress:
    """A scan on request that is under way: `done` of `total` symbols."""

    kind: str
    done: int
    total: int


def scan_state(
    time: int | None, frames: Sequence[str], running: Progress | None = None, kind: str = ""
) -> dict[str, Any]:
    """Return as of when the rows are, and what is under way.

    Parameters
    ----------
    time : int or None
        Of the ranking, ms UTC; None before the first.
    frames : sequence of str
        Timeframes that a deep scan looks at.
    running : Progress, optional
        What is under way.
    kind : str
        What kind of scan the rows are of; empty for the live ranking.
    """
    return {
        "time": time, "frames": list(frames), "kind": kind,
        "running": None if running is None
        else {"kind": running.kind, "done": running.done, "total": running.total},
    }  # fmt: skip


class ScanBar(Asking):
    """Show `scan_state`; asks `quick`, `deep`, `stop` and `live`."""

    _fill: ClassVar[Any] = None  # as wide as what is in it
    _esm = asking_module("scan_bar")
    _stylesheets: ClassVar[list[str]] = [asking_style("scan_bar")]
