"""What the program has complained about lately."""

from collections.abc import Sequence
from typing import Any, ClassVar

from app.components.asking import Asking, asking_module, asking_style
from app.observing.problems import Problem


class ProblemsLog(Asking):
    """The last warnings and errors of the log."""

    _esm = asking_module("problems_log")
    _stylesheets: ClassVar[list[str]] = [asking_style("problems_log")]


def problems_state(problems: Sequence[Problem], n_seen: int, now: int) -> dict[str, Any]:
    """Return the problems, newest first; `now` is wall time, ms UTC."""
    return {
        "now": now, "seen": n_seen,
        "rows": [
            {"level": p.level, "text": p.text, "detail": p.detail, "at": p.at, "n": p.n}
            for p in problems
        ],
    }  # fmt: skip
